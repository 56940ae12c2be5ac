package xfrm

import "github.com/vishvananda/netlink/nl"

// Reserving an SPI (XFRM_MSG_ALLOCSPI, struct xfrm_userspi_info).

// AllocateSPI reserves an SPI from low to high, both included, for a state from s.Src to s.Dst; Protocol, Mode, ReqID, Seq, Mark,
// IfID, Direction and CPU are what it will have. The kernel tries at random, as often as there are SPIs in the range, and refuses
// with ENOENT when it found none. The reservation ends after net.core.xfrm_acq_expires seconds, in UpdateState or in
// DeleteState. The answer, for DecodeState, has the SPI.
func AllocateSPI(s *State, low, high uint32) Message {
	var w writer
	s.writeInfo(&w)
	w.u32(low)
	w.u32(high)
	s.Mark.write(&w)
	w.attr32(nl.XFRMA_IF_ID, s.IfID)
	if s.Direction != AnyDirection {
		w.attr(nl.XFRMA_SA_DIR, func() { w.u8(uint8(s.Direction)) })
	}
	if s.CPU != nil {
		w.attr(nl.XFRMA_SA_PCPU, func() { w.u32(*s.CPU) })
	}
	return Message{Kind: nl.XFRM_MSG_ALLOCSPI, body: KeyOf(w.b)}
}
