package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A writer in a process of its own, to be killed, starved of space and lied to by its disk. What it writes follows
// from the step alone, so that the parent knows what must be there.

const (
	writerDir   = "JOURNAL_TEST_WRITER_DIR"
	writerLimit = "JOURNAL_TEST_WRITER_FILE_LIMIT" // octets a file may have
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		os.Exit(runWriter(dir))
	}
	os.Exit(m.Run())
}

// writerBatch is the batch that begins at first.
func writerBatch(first uint64) *Batch {
	b := &Batch{First: first, Time: int64(first)}
	for i := range 1 + first*7%40 {
		b.Records = append(b.Records, fill8(first+i, int((first+i)*37%600)))
	}
	b.Vault = []VaultChange{{first % 50, fill8(first, 80)}, {first * 3 % 50, nil}}
	return b
}

// runWriter appends until it cannot, and prints each last step once it is durable.
func runWriter(dir string) int {
	if limit, err := strconv.ParseUint(os.Getenv(writerLimit), 10, 64); err == nil {
		signal.Ignore(unix.SIGXFSZ)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	j, err := Open(dir, Options{SegmentBytes: crashSegment})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println(j.Last().Step)
	for {
		b := writerBatch(j.Last().Step + 1)
		if err := j.Append(b); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
		fmt.Println(j.Last().Step)
		if limited := os.Getenv(writerLimit) != ""; !limited && j.NeedsRoll() {
			vault, err := j.Vault()
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			if err := j.Roll(fill8(j.Last().Step, 10_000), asChanges(vault)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 3
			}
		}
	}
}

func asChanges(vault map[uint64][]byte) (changes []VaultChange) {
	for ref, sealed := range vault {
		changes = append(changes, VaultChange{ref, sealed})
	}
	return changes
}

// writer starts the child under a command (none: alone).
func writer(t *testing.T, dir string, env string, under ...string) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(under, self)
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), writerDir+"="+dir, env)
	errs := &bytes.Buffer{}
	c.Stderr = errs
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewScanner(out), errs
}

// acknowledgedIn opens the journal of a writer that is gone and compares it with what the writer must have written.
func acknowledgedIn(t *testing.T, dir string, acked uint64) {
	t.Helper()
	if report, err := Verify(dir); err != nil || len(report.Damage) > 0 || report.Last < acked {
		t.Fatalf("verify, with step %d acknowledged: %+v, %v", acked, report, err)
	}
	j, err := Open(dir, Options{SegmentBytes: crashSegment, NoPrewrite: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if got := j.Last().Step; got < acked {
		t.Fatalf("the journal ends at step %d, and step %d was acknowledged", got, acked)
	}
	vault := map[uint64][]byte{}
	for e, err := range j.Read(0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Seal == nil {
			continue
		}
		want := writerBatch(e.Seal.First)
		if e.Step != want.First+uint64(len(want.Records))-1 || !bytes.Equal(e.Data, want.Records[len(want.Records)-1]) {
			t.Fatalf("the batch of steps %d to %d is not what was written", e.Seal.First, e.Step)
		}
		m := model{vault: vault}
		m.change(want.Vault)
	}
	got, err := j.Vault()
	if err != nil || !maps.EqualFunc(got, vault, bytes.Equal) {
		t.Fatalf("at step %d the vault is not the one of that step (%v)", j.Last().Step, err)
	}
}

// A writer killed at any moment loses nothing it acknowledged, and nothing it holds is half of anything.
// JOURNAL_TEST_KILLS sets how often.
func TestKill(t *testing.T) {
	rounds := 50
	if n, err := strconv.Atoi(os.Getenv("JOURNAL_TEST_KILLS")); err == nil {
		rounds = n
	}
	dir := memDir(t)
	acked := uint64(0)
	for round := range rounds {
		c, out, errs := writer(t, dir, "")
		lines := rand.IntN(80)
		for n := 0; n < lines && out.Scan(); n++ {
			acked, _ = strconv.ParseUint(out.Text(), 10, 64)
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for out.Scan() { // what it acknowledged before the signal came
			acked, _ = strconv.ParseUint(out.Text(), 10, 64)
		}
		var exit *exec.ExitError
		if err := c.Wait(); !errors.As(err, &exit) || exit.Exited() {
			t.Fatalf("round %d: the writer ended by itself: %v, %s", round, err, errs)
		}
		acknowledgedIn(t, dir, acked)
	}
	t.Logf("%d kills, %d steps", rounds, acked)
	if acked == 0 {
		t.Error("no step was ever acknowledged")
	}
}

// starved waits for a writer that must end by itself with an error of the disk, and looks at what it leaves.
func starved(t *testing.T, dir string, c *exec.Cmd, out *bufio.Scanner, errs *bytes.Buffer, says ...string) {
	t.Helper()
	acked := uint64(0)
	for out.Scan() {
		acked, _ = strconv.ParseUint(out.Text(), 10, 64)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatalf("the writer ended with %v, %s", err, errs)
	}
	for _, s := range says {
		if !strings.Contains(errs.String(), s) {
			t.Errorf("the error %q does not say %q", errs, s)
		}
	}
	if acked == 0 {
		t.Fatal("no step was ever acknowledged")
	}
	acknowledgedIn(t, dir, acked)
}

// A file system that takes no more octets costs nothing that was acknowledged, and the error says what to do.
func TestFileLimit(t *testing.T) {
	dir := memDir(t)
	c, out, errs := writer(t, dir, writerLimit+"=700000")
	starved(t, dir, c, out, errs, "cannot grow", "free space", "journal.keep")
}

// The same with a file system that is full. Needs root, for the mount.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("cannot mount a small tmpfs (needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	c, out, errs := writer(t, dir, "")
	acked := uint64(0)
	for out.Scan() {
		acked, _ = strconv.ParseUint(out.Text(), 10, 64)
	}
	if err := c.Wait(); err == nil || c.ProcessState.ExitCode() != 3 || !strings.Contains(errs.String(), "free space") {
		t.Fatalf("the writer ended with %v, %s", err, errs)
	}
	if report, err := Verify(dir); err != nil || len(report.Damage) > 0 || report.Last < acked || acked == 0 {
		t.Fatalf("verify on the full disk: %+v, %v; step %d was acknowledged", report, err, acked)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	acknowledgedIn(t, dir, acked)
}

// A disk whose sync fails stops the writer at that commit. Needs strace, which stands in for the disk.
func TestFailingSync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	inject := []string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=20+"}
	if out, err := exec.Command(strace, "-f", "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %v, %s", err, out)
	}
	dir := memDir(t)
	c, out, errs := writer(t, dir, "", inject...)
	timer := time.AfterFunc(30*time.Second, func() { c.Process.Kill() })
	defer timer.Stop()
	starved(t, dir, c, out, errs, "cannot be written", "input/output error", "look after the disk")
}
