package audit

import (
	"github.com/ikejd/ikejd/proto/record"
)

// Liveness (RFC 7296, section 2.4).

var liv01 = &Rule{ID: "LIV-01", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || m.response || !m.empty() {
		return
	}
	for _, r := range s.open {
		if r.empty && r.id != m.id {
			n.violation(s, []uint64{r.of.step}, "probe %d goes out while probe %d is unanswered", m.id, r.id)
			return
		}
	}
}}}

// LIV-02: nothing is sent to a peer given up as silent (PROTOCOL.md W-17).
var liv02 = &Rule{ID: "LIV-02", hooks: hooks{after: func(n *now, s *ikeSA) {
	if !s.endedNow || s.cause != record.Cause_CAUSE_UNANSWERED {
		return
	}
	for _, e := range n.r.GetEffects() {
		if m := e.GetRecord(); m != nil && e.GetIkeSa() == s.number {
			n.violation(s, nil, "the peer is given up as silent, and %s %d is sent", direction(m.GetResponse()), m.GetMessageId())
		}
	}
	for i := range s.children {
		if c := &s.children[i]; c.phase != record.ChildPhase_CHILD_PHASE_REMOVED {
			n.violation(s, nil, "the peer is given up as silent, and child%d stays", c.number)
		}
	}
}}}

// LIV-03: what else than a liveness check is given up however alive the peer is (PROTOCOL.md W-16).
var liv03 = &Rule{ID: "LIV-03", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	d := e.GetDiscarded()
	if d == nil || s == nil || d.GetCause() != record.Cause_CAUSE_UNANSWERED {
		return
	}
	for _, r := range s.open {
		if r.empty && s.heardRequest > r.last {
			n.violation(s, []uint64{r.of.step}, "liveness check %d is given up, and the peer was heard %s after it", r.id, seconds(s.heardRequest-r.last))
		}
	}
}}}
