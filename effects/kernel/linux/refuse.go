package linux

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// refuse makes a refusal of ours.
func refuse(op kernel.Op, errno syscall.Errno, spi uint32, format string, args ...any) *kernel.Refusal {
	return &kernel.Refusal{Op: op, Errno: errno, SPI: spi, Why: fmt.Sprintf(format, args...)}
}

// advice is what to do about what the kernel refuses.
var advice = map[syscall.Errno]string{
	syscall.EPERM:           "it wants CAP_NET_ADMIN; run as root",
	syscall.ENOSYS:          "the kernel lacks the algorithm or ESP itself; load its module (esp4, esp6) or take the algorithm out of the proposal",
	syscall.EPROTONOSUPPORT: "the kernel lacks ESP; try: modprobe esp4 esp6",
	syscall.EEXIST:          "another program has it; see: ip xfrm state, ip xfrm policy",
	syscall.EINVAL:          "the kernel takes it otherwise; see: ip xfrm monitor, and dmesg",
	syscall.ENOMEM:          "remove some",
	syscall.ENOBUFS:         "remove some",
}

// refused is a request for a Child SA that the kernel refused, in its words and ours. What is not its refusal stays as it is.
func refused(op kernel.Op, spi uint32, err error) error {
	var r *xfrm.Refused
	if !errors.As(err, &r) {
		return err
	}
	errno := r.Errno
	// The kernel's crypto says ENOENT of an algorithm that XFRM has a name for and that was not built.
	if errno == syscall.ENOENT && op == kernel.OpInstall || errno == syscall.EPROTONOSUPPORT {
		errno = syscall.ENOSYS
	}
	next, ok := advice[errno]
	if !ok {
		next = "see: ip xfrm state"
	}
	return &kernel.Refusal{Op: op, Errno: errno, SPI: spi, Why: fmt.Sprintf("%v; %s", r, next)}
}
