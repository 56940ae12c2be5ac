package xfrm

import (
	"bytes"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Refused is a request that the kernel refused (NLMSG_ERROR). errors.Is finds its Errno.
type Refused struct {
	Kind  uint16 // of the request, XFRM_MSG_*
	Errno syscall.Errno
	Why   string // the kernel's own words (NLMSGERR_ATTR_MSG), where it has any
}

// Error is the request, the errno, and the kernel's words.
func (r *Refused) Error() string {
	text := fmt.Sprintf("%s: %v", verb(r.Kind), r.Errno)
	if r.Why != "" {
		text += fmt.Sprintf(" (%s)", r.Why)
	}
	return text
}

// Unwrap gives the errno.
func (r *Refused) Unwrap() error { return r.Errno }

// What a netlink error may have after the errno (linux/netlink.h).
const (
	attrMessage = 1 // NLMSGERR_ATTR_MSG
	longestWhy  = 200
)

// decodeRefused reads an NLMSG_ERROR (struct nlmsgerr) or NLMSG_DONE that answers a request of a kind: nil is "done". The
// request that the kernel may have put into it is passed over: it has keys.
func decodeRefused(kind, flags uint16, isError bool, body []byte) error {
	r := &reader{b: body}
	if len(body) == 0 && !isError {
		return nil // an end without an errno
	}
	errno := int32(r.u32())
	if r.failed || errno > 0 {
		return fmt.Errorf("%s: an answer of %d octets without an errno", verb(kind), len(body))
	}
	if errno == 0 {
		return nil
	}
	refused := &Refused{Kind: kind, Errno: syscall.Errno(-errno)}
	if flags&unix.NLM_F_ACK_TLVS == 0 {
		return refused
	}
	if isError {
		length := int(r.u32())
		r.take(headerOctets - 4)
		if flags&unix.NLM_F_CAPPED == 0 {
			if length < headerOctets || align4(length)-headerOctets > len(r.b) {
				return refused
			}
			r.take(align4(length) - headerOctets)
		}
	}
	// Words that cannot be read are no reason to lose the errno.
	_ = r.attrs(func(kind uint16, data *reader) error {
		if kind == attrMessage {
			text, _, _ := bytes.Cut(data.take(len(data.b)), []byte{0})
			refused.Why = printable(text[:min(len(text), longestWhy)])
		}
		return nil
	})
	return refused
}

// printable keeps what a line of a log can hold.
func printable(text []byte) string {
	return string(bytes.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, text))
}
