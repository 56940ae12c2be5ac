package xfrm

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Message is a request to the kernel. Its body may have keys in it, so it is a Key.
type Message struct {
	Kind  uint16 // XFRM_MSG_*
	Flags uint16 // NLM_F_*; NLM_F_REQUEST goes without saying
	body  Key
}

const headerOctets = 16 // struct nlmsghdr

// bytes is the message as it goes to the kernel (struct nlmsghdr; port id 0 is filled in there). Whoever sends it wipes it.
func (m Message) bytes(sequence uint32) []byte {
	w := writer{make([]byte, 0, headerOctets+m.body.Len())}
	w.u32(uint32(headerOctets + m.body.Len()))
	w.u16(m.Kind)
	w.u16(m.Flags | unix.NLM_F_REQUEST)
	w.u32(sequence)
	w.u32(0)
	return append(w.b, m.body.bytes()...)
}

// wipe overwrites the body, and the keys in it.
func (m Message) wipe() { m.body.Wipe() }

// verbs name requests in errors.
var verbs = map[uint16]string{
	nl.XFRM_MSG_NEWSA: "new state", nl.XFRM_MSG_UPDSA: "update state", nl.XFRM_MSG_DELSA: "delete state", nl.XFRM_MSG_GETSA: "get state",
	nl.XFRM_MSG_ALLOCSPI: "allocate spi", nl.XFRM_MSG_EXPIRE: "expire state", nl.XFRM_MSG_NEWPOLICY: "new policy",
	nl.XFRM_MSG_UPDPOLICY: "update policy", nl.XFRM_MSG_DELPOLICY: "delete policy", nl.XFRM_MSG_GETPOLICY: "get policy",
	nl.XFRM_MSG_MIGRATE: "migrate",
}

func verb(kind uint16) string {
	if v, ok := verbs[kind]; ok {
		return v
	}
	return fmt.Sprintf("message 0x%x", kind)
}
