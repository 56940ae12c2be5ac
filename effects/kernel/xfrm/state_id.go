package xfrm

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
)

// Deleting and looking at one state (XFRM_MSG_DELSA, XFRM_MSG_GETSA).

// StateID is what the kernel finds a state by (struct xfrm_usersa_id, 24 octets). The mark and the source address are
// compared where they are given.
type StateID struct {
	Dst      netip.Addr
	SPI      uint32
	Protocol uint8
	Mark     Mark
	Src      netip.Addr
}

// ID is what finds this state again.
func (s *State) ID() StateID {
	return StateID{Dst: s.Dst, SPI: s.SPI, Protocol: s.Protocol, Mark: s.Mark, Src: s.Src}
}

// DeleteState ends a state or a reservation; ESRCH where there is none.
func DeleteState(id StateID) Message { return id.message(nl.XFRM_MSG_DELSA, ack) }

// GetState asks for one state; the answer is for DecodeState.
func GetState(id StateID) Message { return id.message(nl.XFRM_MSG_GETSA, 0) }

func (id StateID) message(kind, flags uint16) Message {
	var w writer
	id.write(&w)
	if id.Src.IsValid() {
		w.attr(nl.XFRMA_SRCADDR, func() { w.addr(id.Src) })
	}
	id.Mark.write(&w)
	return Message{Kind: kind, Flags: flags, body: KeyOf(w.b)}
}

func (id *StateID) write(w *writer) {
	w.addr(id.Dst)
	w.be32(id.SPI)
	w.u16(family(id.Dst))
	w.u8(id.Protocol)
	w.zero(1)
}

// read reads struct xfrm_usersa_id and gives its family.
func (id *StateID) read(r *reader) (family uint16, err error) {
	dst := r.raw()
	id.SPI, family, id.Protocol = r.be32(), r.u16(), r.u8()
	r.take(1)
	id.Dst, err = addrOf(family, dst)
	return family, err
}
