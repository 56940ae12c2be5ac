package xfrm

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Looking at all states (XFRM_MSG_GETSA with NLM_F_DUMP).

// StateFilter says which states a dump gives. The zero value is all of them.
type StateFilter struct {
	Protocol uint8
	Src, Dst netip.Prefix // both of one family where both are given
}

// DumpStates asks for states; each answer is for DecodeState.
func DumpStates(f StateFilter) Message {
	var w writer
	if f.Protocol != 0 {
		w.attr(nl.XFRMA_PROTO, func() { w.u8(f.Protocol) })
	}
	w.attr(nl.XFRMA_ADDRESS_FILTER, func() { // struct xfrm_address_filter
		w.addr(f.Src.Addr())
		w.addr(f.Dst.Addr())
		w.u16(max(family(f.Src.Addr()), family(f.Dst.Addr())))
		w.u8(uint8(max(f.Src.Bits(), 0)))
		w.u8(uint8(max(f.Dst.Bits(), 0)))
	})
	return Message{Kind: nl.XFRM_MSG_GETSA, Flags: unix.NLM_F_DUMP, body: KeyOf(w.b)}
}
