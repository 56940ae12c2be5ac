package audit

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// Intents and the window: each request came from the queue, in its order, and no wish is lost on the way.

// ORD-04: IKE_SA_INIT again with a cookie or another group serves the wish it served before.
var ord04 = &Rule{ID: "ORD-04", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || m.response || s.request(m.id) != nil && m.exchange == ike.IKE_SA_INIT {
		return
	}
	w := s.wishAt(m.serves)
	switch {
	case w == nil:
		n.violation(s, []uint64{m.serves.step}, "request %d serves no wish in the queue", m.id)
	case w.passed:
		n.violation(s, []uint64{w.at.step}, "request %d (%s) leaves after one that was wanted later", m.id, text.Wish(w.wish))
	}
}}}

// DEL-13: a wish that is gone from the queue was sent, is listed in the evidence of the SA's end, or has a Dropped effect
// whose edge names it. One that was overtaken and never left is lost as well.
var del13 = &Rule{ID: "DEL-13", hooks: hooks{
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		d := e.GetDiscarded()
		if d == nil || s == nil {
			return
		}
		listed := slices.Clone(d.GetDropped())
		for _, w := range s.wishes {
			i := slices.Index(listed, w.wish)
			if i < 0 {
				n.violation(s, []uint64{w.at.step}, "the wish %s of step %d is neither sent nor dropped by name", text.Wish(w.wish), w.at.step)
				continue
			}
			listed = slices.Delete(listed, i, i+1)
		}
	},
	idle: func(n *now, s *ikeSA) {
		for _, w := range s.wishes {
			if w.passed && s.alive() && n.time-w.time > 10*minute && n.once(s) {
				n.violation(s, []uint64{w.at.step}, "the wish %s of step %d was passed over, and nothing became of it", text.Wish(w.wish), w.at.step)
			}
		}
	},
}}

// SHU-02: after the order nothing new, but what ends what was in flight: a set-up refused (PROTOCOL.md D-25).
var shu02 = &Rule{ID: "SHU-02", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	o := &n.j.order
	if !o.on {
		return
	}
	switch k := e.GetKind().(type) {
	case *record.Effect_Changed:
		if e.GetChildSa() == 0 && k.Changed.GetFrom() == record.Phase_PHASE_NONE && k.Changed.GetPredecessor() == 0 {
			n.violation(s, []uint64{o.step}, "a new IKE SA, %s after the shutdown was ordered", seconds(n.time-o.began))
		}
	case *record.Effect_Wanted:
		switch k.Wanted.GetWish() {
		case record.Wish_WISH_DELETE_IKE, record.Wish_WISH_REFUSE_AUTH, record.Wish_WISH_AUTH:
		default:
			if !o.keep {
				n.violation(s, []uint64{o.step}, "a wish %s, %s after the shutdown was ordered", text.Wish(k.Wanted.GetWish()), seconds(n.time-o.began))
			}
		}
	}
}}}
