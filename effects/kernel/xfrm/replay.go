package xfrm

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
)

// Replay is the replay protection of a state (RFC 4303, section 3.4.3), and where its counters are.
type Replay struct {
	Window   uint32 // packets, at most 4096; 0 is no protection
	ESN      bool   // 64-bit sequence numbers; they need a window
	Last     uint64 // highest sequence number received; with its high half where ESN
	LastSent uint64 // the same of what was sent
}

const (
	maxReplayWindow = 4096 // XFRMA_REPLAY_ESN_MAX, in packets
	smallWindow     = 32   // what the field of struct xfrm_usersa_info and the kernel's first bitmap take
)

// extended says whether XFRMA_REPLAY_ESN_VAL is needed: for wide windows and for ESN.
func (p *Replay) extended() bool { return p.ESN || p.Window > smallWindow }

// field is the octet of struct xfrm_usersa_info.
func (p *Replay) field() uint8 {
	if p.extended() {
		return 0
	}
	return uint8(p.Window)
}

// write is struct xfrm_replay_state_esn without its bitmap, which the kernel begins empty; or nothing.
func (p *Replay) write(w *writer) {
	if !p.extended() {
		return
	}
	w.attr(nl.XFRMA_REPLAY_ESN_VAL, func() {
		w.u32((p.Window + 31) / 32) // words of bitmap
		w.u32(uint32(p.LastSent))
		w.u32(uint32(p.Last))
		w.u32(uint32(p.LastSent >> 32))
		w.u32(uint32(p.Last >> 32))
		w.u32(p.Window)
	})
}

// readExtended reads struct xfrm_replay_state_esn; which packets the bitmap has seen is left out.
func (p *Replay) readExtended(r *reader) error {
	words, sent, last, sentHigh, lastHigh := r.u32(), r.u32(), r.u32(), r.u32(), r.u32()
	p.Window = r.u32()
	if p.Window > maxReplayWindow || uint64(p.Window) > 32*uint64(words) {
		return fmt.Errorf("replay window %d in a bitmap of %d words", p.Window, words)
	}
	p.LastSent, p.Last = uint64(sentHigh)<<32|uint64(sent), uint64(lastHigh)<<32|uint64(last)
	return nil
}

// readSmall reads struct xfrm_replay_state.
func (p *Replay) readSmall(r *reader) {
	p.LastSent, p.Last = uint64(r.u32()), uint64(r.u32())
	r.u32()
}
