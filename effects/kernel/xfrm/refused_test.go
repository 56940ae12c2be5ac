package xfrm

import (
	"encoding/binary"
	"errors"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// nlmsgerr is an NLMSG_ERROR: errno, the request's header with this length, the echo, attributes.
func nlmsgerr(errno syscall.Errno, length int, echo []byte, words string) []byte {
	var w writer
	w.u32(uint32(-int32(errno)))
	w.u32(uint32(length))
	w.zero(12)
	w.b = append(w.b, echo...)
	if words != "" {
		w.attr(2, func() { w.u32(17) }) // NLMSGERR_ATTR_OFFS
		w.attr(attrMessage, func() { w.b = append(w.b, words+"\x00"...) })
	}
	return w.b
}

func TestRefused(t *testing.T) {
	const tlvs = unix.NLM_F_ACK_TLVS
	for _, row := range []struct {
		name    string
		kind    uint16
		flags   uint16
		isError bool
		body    []byte
		want    string // "" is no error
	}{
		{"done", nl.XFRM_MSG_NEWSA, 0, true, nlmsgerr(0, 348, nil, ""), ""},
		{"end of a dump", nl.XFRM_MSG_GETSA, 0, false, []byte{0, 0, 0, 0}, ""},
		{"end of a dump, empty", nl.XFRM_MSG_GETSA, 0, false, nil, ""},
		{"a dump that failed", nl.XFRM_MSG_GETSA, 0, false, binary.NativeEndian.AppendUint32(nil, 0xffffffff), "get state: operation not permitted"},
		{"an errno alone", nl.XFRM_MSG_DELSA, 0, true, nlmsgerr(syscall.ESRCH, 40, make([]byte, 24), ""), "delete state: no such process"},
		{"words", nl.XFRM_MSG_NEWSA, tlvs | unix.NLM_F_CAPPED, true, nlmsgerr(syscall.ENOSYS, 348, nil, "Requested AEAD algorithm not found"),
			"new state: " + syscall.ENOSYS.Error() + " (Requested AEAD algorithm not found)"},
		{"words behind the request", nl.XFRM_MSG_NEWPOLICY, tlvs, true, nlmsgerr(syscall.EINVAL, 39, make([]byte, 24), "Invalid policy direction"),
			"new policy: invalid argument (Invalid policy direction)"},
		{"control characters", nl.XFRM_MSG_MIGRATE, tlvs | unix.NLM_F_CAPPED, true, nlmsgerr(syscall.EINVAL, 16, nil, "a\nb\x1b"), "migrate: invalid argument (a?b?)"},
		{"a request longer than the answer", nl.XFRM_MSG_NEWSA, tlvs, true, nlmsgerr(syscall.EEXIST, 1<<30, nil, "lost"), "new state: file exists"},
		{"words cut short", nl.XFRM_MSG_NEWSA, tlvs | unix.NLM_F_CAPPED, true, append(nlmsgerr(syscall.EEXIST, 16, nil, ""), 9, 0, 1, 0), "new state: file exists"},
		{"no errno", 0x99, 0, true, []byte{1, 2}, "message 0x99: an answer of 2 octets without an errno"},
		{"a positive errno", nl.XFRM_MSG_ALLOCSPI, 0, true, []byte{1, 0, 0, 0}, "allocate spi: an answer of 4 octets without an errno"},
	} {
		err := decodeRefused(row.kind, row.flags, row.isError, row.body)
		if got := text(err); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	if err := decodeRefused(nl.XFRM_MSG_NEWSA, 0, true, nlmsgerr(syscall.EEXIST, 16, nil, "")); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("the errno of %v is not found", err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
