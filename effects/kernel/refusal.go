package kernel

import (
	"fmt"
	"syscall"
)

// Op is what a dataplane was asked for.
type Op string

// The requests.
const (
	OpAllocate Op = "allocate spi"
	OpInstall  Op = "install child"
	OpRemove   Op = "remove child"
	OpQuery    Op = "query child"
)

// Refusal is a request that was refused. errors.Is finds its Errno: EEXIST (is there already), ESRCH
// (is not there), EINVAL (cannot be), ENOSYS (algorithm unknown), EAFNOSUPPORT (families mixed),
// ENOSPC (no SPI left), ENOMEM (no room for another state).
type Refusal struct {
	Op    Op
	Errno syscall.Errno
	SPI   uint32 // the SPI it was about, 0 where it was about none
	Why   string // what is wrong and what to do next; never key bytes
}

// Error is in one line: request, SPI, errno, reason.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s 0x%08x: %v: %s", r.Op, r.SPI, r.Errno, r.Why)
}

// Unwrap gives the errno.
func (r *Refusal) Unwrap() error { return r.Errno }
