package xfrm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink/nl"
)

// No input panics, and what was read is read again from what is written of it.
func FuzzDecode(f *testing.F) {
	for _, c := range commands {
		f.Add(c.message.Kind, c.message.body.bytes())
	}
	f.Add(uint16(nl.XFRM_MSG_EXPIRE), ExpireState(esp(func(s *State) { s.Mark = Mark{5, 7} }), true).body.bytes())
	f.Add(uint16(nl.XFRM_MSG_MIGRATE), Migrate(&Migration{Policy: PolicyID{Selector: net16()}, Moves: []Move{{v4src, v4dst, v6src, v6dst, 50, Tunnel, 7}},
		Encap: &Encap{4500, 4500}}).body.bytes())
	f.Add(uint16(nl.XFRM_MSG_MAPPING), make([]byte, 64))
	f.Add(uint16(nl.XFRM_MSG_ACQUIRE), make([]byte, 280))
	f.Add(uint16(2), nlmsgerr(22, 16, nil, "words")) // NLMSG_ERROR
	f.Fuzz(func(t *testing.T, kind uint16, body []byte) {
		_, _ = DecodeEvent(kind, body)
		_ = decodeRefused(kind, 0x200, true, body)
		_ = decodeRefused(kind, 0x300, false, body)
		if s, err := DecodeState(body); err == nil {
			again(t, s, func(s State) (State, error) { return DecodeState(NewState(&s).body.bytes()) }, func(s *State) {
				// What a request cannot say.
				s.Usage, s.LastUsed, s.ReplayWindowDrops, s.Replayed, s.IntegrityFailed = Usage{}, 0, 0, 0, 0
				if !s.Replay.extended() {
					s.Replay.Last, s.Replay.LastSent = 0, 0
				}
				if s.Mark.Mask == 0 {
					s.Mark.Value = 0
				}
				if s.OutputMark.Value == 0 {
					s.OutputMark.Mask = 0
				}
			})
		}
		if p, err := DecodePolicy(body); err == nil {
			again(t, p, func(p Policy) (Policy, error) { return DecodePolicy(NewPolicy(&p).body.bytes()) }, func(p *Policy) {
				if p.Usage = (Usage{}); p.Mark.Mask == 0 {
					p.Mark.Value = 0
				}
			})
		}
	})
}

// again writes and reads a value of which trim takes what is not written.
func again[T any](t *testing.T, value T, through func(T) (T, error), trim func(*T)) {
	t.Helper()
	trim(&value)
	got, err := through(value)
	trim(&got)
	if diff := cmp.Diff(value, got, same); diff != "" || err != nil {
		t.Errorf("%v (-read +read again)\n%s", err, diff)
	}
}
