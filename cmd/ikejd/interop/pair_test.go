//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// road is what lies between the two ends (netns-pair.sh draws it).
type road string

const (
	plain road = ""
	nat   road = "--nat"  // left is behind it
	wire  road = "--wire" // lossy joins the two
)

// pair is two network namespaces and a road between them.
type pair struct {
	id                  string
	left, right         string // namespaces
	leftAddr, rightAddr string // what each end has
	leftSeen            string // left's address as right sees it
}

var (
	pairNumber atomic.Int32
	// Making the first namespace prepares a mount point that all of them share.
	pairMu sync.Mutex
)

// newPair makes namespaces of their own; whoever calls it takes them down.
func newPair(t testing.TB, r road, v6 bool) *pair {
	t.Helper()
	// The names are the machine's: another checkout may play at the same time. There is room for 8 characters.
	id := fmt.Sprintf("ik%03s%d", strconv.FormatInt(int64(os.Getpid()%(36*36*36)), 36), pairNumber.Add(1))
	p := &pair{id: id, left: id + "-left", right: id + "-right", leftAddr: "10.77.0.1", rightAddr: "10.77.0.2", leftSeen: "10.77.0.1"}
	switch {
	case v6:
		p.leftAddr, p.rightAddr, p.leftSeen = "fd77::1", "fd77::2", "fd77::1"
	case r == nat:
		p.leftAddr, p.leftSeen = "10.76.0.1", "10.77.0.254"
	}
	args := []string{"up", id}
	if r != plain {
		args = append([]string{string(r)}, args...)
	}
	pairMu.Lock()
	defer pairMu.Unlock()
	if _, err := output(script("netns-pair.sh", args...)); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pair) down() {
	pairMu.Lock()
	defer pairMu.Unlock()
	if _, err := output(script("netns-pair.sh", "down", p.id)); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// helper is a program that runs beside the two ends: tcpdump, lossy.
type helper struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// ours are the attributes of a process that a terminal's interrupt does not reach, since tearDownAll ends it, and that
// does not outlive this program however that ends.
func ours() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// startHelper runs args in the namespace, its output going to the file log.
func startHelper(t testing.TB, namespace, log string, args ...string) *helper {
	t.Helper()
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := &helper{cmd: exec.Command("ip", append([]string{"netns", "exec", namespace}, args...)...), done: make(chan struct{})}
	h.cmd.Stdout, h.cmd.Stderr = f, f
	h.cmd.SysProcAttr = ours()
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = h.cmd.Wait(); close(h.done) }() // how it ended shows in its output
	return h
}

// stop ends it and waits for that. It may be called again, and on none.
func (h *helper) stop() {
	if h == nil {
		return
	}
	_ = h.cmd.Process.Signal(syscall.SIGTERM) // gone already: fine
	select {
	case <-h.done:
	case <-time.After(5 * time.Second):
		_ = h.cmd.Process.Kill()
		<-h.done
	}
}

// startLossy joins the two ends of a wire.
func startLossy(t testing.TB, p *pair, dir string, args []string) *helper {
	t.Helper()
	log := filepath.Join(dir, "lossy.log")
	h := startHelper(t, p.id+"-mid", log, append([]string{filepath.Join(lab, "lossy"), "-wire", "in0,out0", "-v"}, args...)...)
	until(t, 5*time.Second, "lossy is ready", func() bool { return strings.Contains(readFile(log), "ready") }, func() string { return readFile(log) })
	return h
}

// readFile is the file's content, or nothing while it is not there.
func readFile(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}
