package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// says fails the test unless the log matches.
func (d *ikejd) says(pattern string) {
	d.t.Helper()
	if !regexp.MustCompile(pattern).MatchString(d.log()) {
		d.t.Errorf("it does not say %q:\n%s", pattern, d.log())
	}
}

// pairOn is an answering daemon, and one with so many SAs to it that are up, whose disk is what a test makes of it. Each
// call takes addresses of its own.
func pairOn(t *testing.T, addresses, up int) (west, east *ikejd) {
	t.Helper()
	east = newIkejd(t, "east", loopbackOf(os.Getpid(), addresses), answering)
	east.start()
	here := loopbackOf(os.Getpid(), addresses+1)
	west = newIkejd(t, "west", here, gateways(100, 0, here, east.address, east.port))
	if up > 0 {
		west.flags = []string{"--keep-sas"}
		west.start()
		for n := range up {
			west.must(vici.CmdInitiate, vici.KeyIKE, fmt.Sprint("gw-", n))
		}
	}
	return west, east
}

// failFromNowOn makes calls of d fail, from the when-th of each of its threads on.
func failFromNowOn(t *testing.T, d *ikejd, call, errno string, when int) {
	t.Helper()
	pid := fmt.Sprint(d.cmd.Process.Pid)
	strace := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d+", call, errno, when), "-p", pid)
	strace.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := strace.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = strace.Wait() }) // it ends with what it follows, and with its status
	soon(t, "every thread is followed", func() bool {
		threads, err := filepath.Glob("/proc/" + pid + "/task/*/status")
		return err == nil && !slices.ContainsFunc(threads, func(thread string) bool {
			status, err := os.ReadFile(thread)
			return err == nil && strings.Contains(string(status), "TracerPid:\t0\n")
		})
	})
}

// A disk that fails under a running daemon, at whatever call: exit status 1, an error that names the file and what to do,
// no datagram that is not in the journal; with a good disk again everything that was durable is there.
func TestFailingDisk(t *testing.T) {
	needsRoot(t, "a capture")
	const up = 5
	after := `; nothing acknowledged is lost: look after the disk, then start ikejd again`
	for i, c := range []struct {
		call, errno string
		when        int
		says        string
	}{
		{"fdatasync", "EIO", 1, `cannot be written: .*input/output error` + after},
		{"fdatasync", "EIO", 3, `cannot be written: .*input/output error` + after},
		{"pwrite64", "EIO", 1, `cannot be written: .*input/output error` + after},
		{"pwrite64", "EIO", 6, `cannot be written: .*input/output error` + after},
		{"pwrite64", "ENOSPC", 2, `cannot grow: .*no space left on device; nothing acknowledged is lost: free space there`},
		{"pwrite64", "EROFS", 3, `cannot be written: .*read-only file system` + after},
	} {
		t.Run(fmt.Sprintf("%s-%s-%d", c.call, c.errno, c.when), func(t *testing.T) {
			wire := startCapture(t)
			west, east := pairOn(t, 10+2*i, 0)
			west.start()
			for n := range up {
				west.must(vici.CmdInitiate, vici.KeyIKE, fmt.Sprint("gw-", n))
			}
			failFromNowOn(t, west, c.call, c.errno, c.when)
			for n := up; n < 100 && west.call(vici.CmdInitiate, vici.KeyIKE, fmt.Sprint("gw-", n)) == nil; n++ {
			}
			if status := west.status(); status != 1 {
				t.Errorf("ended with %d, want 1", status)
			}
			west.says(`the journal cannot be written, so nothing more was sent and ikejd has to stop: journal: segment-\d{20}\.db ` + c.says)
			wire.stop()
			sent := wire.allRecorded(west)

			west.start()
			soon(t, "both ends list the same SAs", func() bool { return sameSAs(west, east) && len(west.established()) >= up })
			west.signal(syscall.SIGKILL)
			west.judged()
			t.Logf("%d datagrams before its end", sent)
		})
	}
}

func sameSAs(a, b *ikejd) bool {
	here, there := a.established(), b.established()
	for spis := range here {
		if there[spis] == "" {
			return false
		}
	}
	return len(here) == len(there)
}

// A disk that is no good at the start: exit status 2, an error that names the file and what to do; nothing is sent, and on
// a good disk everything is there.
func TestStartOnABadDisk(t *testing.T) {
	needsRoot(t, "mounting")
	west, east := pairOn(t, 30, 3)
	if status := west.stop(); status != 0 {
		t.Fatalf("ended with %d:\n%s", status, west.log())
	}
	disk := filepath.Dir(west.journal())
	for _, c := range []struct {
		name  string
		under []string
		says  string
	}{
		{"read-only", []string{"unshare", "--mount", "sh", "-c", `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"`, disk},
			`read-only file system; try: ikejd run --journal DIR`},
		{"no journal and full", []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs -o size=64k none "$0" && exec "$@"`, disk},
			`segment-0{19}1\.db cannot grow: .*no space left on device; nothing acknowledged is lost: free space there`},
		{"no journal and read-only", []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs -o ro none "$0" && exec "$@"`, disk},
			`read-only file system; try: ikejd run --journal DIR`},
		{"unreadable", []string{"strace", "-f", "-qq", "-o", "/dev/null", "-P", filepath.Join(west.journal(), lastSegment(t, west)), "-e", "trace=pread64", "-e", "inject=pread64:error=EIO"},
			`segment-\d{20}\.db.*input/output error`},
		{"a sync that fails", failing("fdatasync,fsync", "EIO"), `input/output error; (nothing acknowledged is lost: )?look after the disk`},
		{"a write that fails", failing("pwrite64", "EIO"), `its lock cannot be written: .*journal/lock: input/output error; nothing acknowledged is lost: look after the disk`},
		{"full", failing("pwrite64", "ENOSPC"), `its lock cannot grow: .*journal/lock: no space left on device; nothing acknowledged is lost: free space there`},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire := startCapture(t)
			west.under = c.under
			if ready, _ := west.try(); ready {
				t.Error("it started")
				west.signal(syscall.SIGKILL)
				return
			}
			if status := west.status(); status != 2 {
				t.Errorf("ended with %d, want 2", status)
			}
			west.says(c.says)
			if wire.stop(); len(wire.of(west)) > 0 {
				t.Errorf("%d datagrams left", len(wire.of(west)))
			}
		})
	}
	west.under = nil
	west.start()
	if !sameSAs(west, east) || len(west.established()) != 3 {
		t.Errorf("the SAs are not all there: %v, %v", west.established(), east.established())
	}
}

// failing starts a program whose calls fail.
func failing(calls, errno string) []string {
	return []string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls, "-e", "inject=" + calls + ":error=" + errno}
}

func lastSegment(t *testing.T, d *ikejd) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(d.journal(), "segment-*.db"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no segment: %v", err)
	}
	return filepath.Base(slices.Max(all))
}

// A bit that rots at rest, and a file that was cut: a start that meets it says where and changes nothing, and with the bit
// back, all is there. A place that nothing uses hurts nobody.
func TestRottenDisk(t *testing.T) {
	needsRoot(t, "a capture")
	west, east := pairOn(t, 40, 3)
	if status := west.stop(); status != 0 {
		t.Fatalf("ended with %d:\n%s", status, west.log())
	}
	file := filepath.Join(west.journal(), lastSegment(t, west))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const page = 16 << 10
	used := len(bytes.TrimRight(whole, "\x00")) // behind it lies what was written ahead
	wire := startCapture(t)
	refused, harmless := 0, 0
	damaged := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		before := len(wire.of(west))
		ready, _ := west.try()
		if ready {
			harmless++
			if !sameSAs(west, east) {
				t.Errorf("%s: it started without all SAs:\n%s", what, west.log())
			}
			west.signal(syscall.SIGKILL) // its word in the lock would make the next finding look like a torn tail
			if err := os.Truncate(filepath.Join(west.journal(), "lock"), 0); err != nil {
				t.Fatal(err)
			}
			return
		}
		refused++
		if status := west.status(); status != 2 {
			t.Errorf("%s: ended with %d, want 2", what, status)
		}
		west.says(`segment-\d{20}\.db.*; try: ikejd journal verify`)
		if len(wire.of(west)) > before {
			t.Errorf("%s: datagrams left", what)
		}
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s: the start changed the file: %v", what, err)
		}
	}
	for at := 0; at < used; at += page {
		for _, within := range []int{8, 10, 40, page / 2, page - 30} { // header: flags, count; first elements; keys; values
			if at+within < used {
				rotten := bytes.Clone(whole)
				rotten[at+within] ^= 4
				damaged(fmt.Sprintf("bit at %d+%d", at, within), rotten)
			}
		}
	}
	for _, length := range []int{0, 1, page - 1, page, 2*page + 100, used / 2, used - 1} {
		damaged(fmt.Sprintf("cut to %d", length), whole[:length])
	}
	t.Logf("%d starts refused, %d unharmed", refused, harmless)
	if refused < 10 {
		t.Errorf("%d starts refused: the damage was where nothing is", refused)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	west.start()
	if !sameSAs(west, east) || len(west.established()) != 3 {
		t.Errorf("the SAs are not all there: %v, %v", west.established(), east.established())
	}
}
