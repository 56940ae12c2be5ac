package xfrm

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Deleting and looking at policies (XFRM_MSG_DELPOLICY, XFRM_MSG_GETPOLICY).

// PolicyID is what the kernel finds a policy by (struct xfrm_userpolicy_id, 64 octets): its index where it is not 0, else
// the selector.
type PolicyID struct {
	Selector  Selector
	Index     uint32
	Direction PolicyDirection
	Mark      Mark
	IfID      uint32
}

// ID is what finds this policy again.
func (p *Policy) ID() PolicyID {
	return PolicyID{Selector: p.Selector, Index: p.Index, Direction: p.Direction, Mark: p.Mark, IfID: p.IfID}
}

// DeletePolicy ends a policy; ENOENT where there is none.
func DeletePolicy(id PolicyID) Message { return id.message(nl.XFRM_MSG_DELPOLICY, ack) }

// GetPolicy asks for one policy; the answer is for DecodePolicy.
func GetPolicy(id PolicyID) Message { return id.message(nl.XFRM_MSG_GETPOLICY, 0) }

// DumpPolicies asks for all policies, those of sockets too; each answer is for DecodePolicy.
func DumpPolicies() Message { return Message{Kind: nl.XFRM_MSG_GETPOLICY, Flags: unix.NLM_F_DUMP} }

func (id PolicyID) message(kind, flags uint16) Message {
	var w writer
	id.write(&w)
	id.Mark.write(&w)
	w.attr32(nl.XFRMA_IF_ID, id.IfID)
	return Message{Kind: kind, Flags: flags, body: KeyOf(w.b)}
}

func (id *PolicyID) write(w *writer) {
	id.Selector.write(w)
	w.u32(id.Index)
	w.u8(uint8(id.Direction))
	w.zero(3)
}

func (id *PolicyID) read(r *reader) error {
	err := id.Selector.read(r)
	id.Index, id.Direction = r.u32(), PolicyDirection(r.u8())
	r.take(3)
	return err
}
