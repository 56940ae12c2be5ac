package linux

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// namespace puts the rest of a test into a network namespace of its own.
func namespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // and never unlocked: the thread ends with the test, the namespace with it
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no namespace of our own, run as root: %v", err)
	}
}

// A kernel that cannot carry ESP is refused at once, with its errno and what to do; one that can is opened.
func TestOpenHere(t *testing.T) {
	namespace(t)
	d, err := Open()
	if err == nil {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	if !errors.Is(err, syscall.ENOSYS) && !errors.Is(err, syscall.EPROTONOSUPPORT) || !strings.Contains(err.Error(), "--dataplane none") {
		t.Errorf("refused with %v", err)
	}
	t.Log(err)
}
