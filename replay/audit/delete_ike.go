package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Closing an IKE SA (RFC 7296, section 1.4.1): one Delete, one empty answer, one end.

// closingState is what closing rules remember of an SA.
type closingState struct {
	deleteStep uint64 // that recorded our Delete; 0: none
	deleteID   uint32
	peerAsked  bool // we answered the peer's
	shortened  bool // the discard deadline, by a shutdown
	fatalNow   uint64
}

// DEL-01: and in a shutdown no Child SA gets a Delete of its own.
var del01 = &Rule{ID: "DEL-01", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || m.response || len(m.spis) == 0 {
		return
	}
	o := &n.j.order
	switch w := s.wishAt(m.serves); {
	case s.closing.deleteStep != 0:
		n.violation(s, []uint64{s.closing.deleteStep}, "request %d deletes a Child SA, and the IKE SA's own Delete is recorded", m.id)
	case o.on && !o.keep && (w == nil || w.at.step >= o.step):
		n.violation(s, []uint64{o.step}, "request %d deletes a Child SA in a shutdown, where the IKE SA's Delete is enough", m.id)
	}
}}}

// DEL-05: repeats of what is recorded are not new.
var del05 = &Rule{ID: "DEL-05", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || m.response {
		return
	}
	switch {
	case s.closing.deleteStep != 0:
		n.violation(s, []uint64{s.closing.deleteStep}, "request %d %v after our Delete of the IKE SA", m.id, m.exchange)
	case s.closing.peerAsked, s.phase == record.Phase_PHASE_LINGERING:
		n.violation(s, []uint64{s.phaseStep}, "request %d %v on an SA whose Delete we have answered", m.id, m.exchange)
	}
}}}

// DEL-02: PROTOCOL.md D-19 has the deadline: what the discard timer says, else 20 min.
var del02 = &Rule{ID: "DEL-02", hooks: hooks{
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		d := e.GetDiscarded()
		if d == nil || s == nil || s.ended != 0 || d.GetFrom() != record.Phase_PHASE_DELETING {
			return
		}
		switch d.GetCause() {
		case record.Cause_CAUSE_ACKNOWLEDGED, record.Cause_CAUSE_UNACKNOWLEDGED, record.Cause_CAUSE_CUT_OFF, record.Cause_CAUSE_BOTH_AT_ONCE,
			record.Cause_CAUSE_SUPERSEDED, record.Cause_CAUSE_REPLACED, record.Cause_CAUSE_NOT_RECOVERED, record.Cause_CAUSE_DAMAGED:
		default:
			n.violation(s, []uint64{s.phaseStep}, "an SA that was being deleted ends as %s", causeName(d.GetCause()))
		}
	},
	after: func(n *now, s *ikeSA) {
		if s.phase == record.Phase_PHASE_LINGERING && s.alive() && !s.timers[record.Timer_TIMER_LINGER].on && n.once(s) {
			n.violation(s, []uint64{s.phaseStep}, "it lingers, and no timer ends that")
		}
	},
	idle: func(n *now, s *ikeSA) {
		if s.phase != record.Phase_PHASE_DELETING || !s.alive() {
			return
		}
		deadline := s.phaseAt + 20*minute
		if t := s.timers[record.Timer_TIMER_DISCARD]; t.on {
			deadline = t.deadline
		}
		if n.time > max(deadline, s.lastRun)+10*second && n.once(s) {
			n.violation(s, []uint64{s.phaseStep}, "it has been deleting for %s, its deadline passed %s ago", seconds(n.time-s.phaseAt), seconds(n.time-deadline))
		}
	},
}}

func causeName(c record.Cause) string {
	return [...]string{"no cause", "acknowledged", "unacknowledged", "cut off", "unanswered", "peer asked", "both at once", "replaced", "superseded",
		"refused", "damaged", "not recovered"}[max(min(int(c), causes-1), 0)]
}

// DEL-03: the answer says nothing.
var del03 = &Rule{ID: "DEL-03", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if !m.copy && m.response && s.asked.there && s.asked.id == m.id && s.asked.ikeDelete && !m.empty() {
		n.violation(s, []uint64{s.asked.step}, "the answer to the peer's Delete, request %d, is not empty", m.id)
	}
}}}

// DEL-17: PROTOCOL.md D-12: the IKE SA's Delete wins over all else in its message.
var del17 = &Rule{ID: "DEL-17", hooks: hooks{after: func(n *now, s *ikeSA) {
	m := n.in
	if m == nil || m.repeat || m.response || m.ikeDelete == 0 || !n.acted() || s.number != n.ev.GetIkeSa() || m.exchange != ike.INFORMATIONAL {
		return
	}
	switch {
	case s.deathsNow > 1:
		n.violation(s, nil, "request %d ends the SA %d times", m.id, s.deathsNow)
	case s.deathsNow == 0 && s.closing.fatalNow != n.step:
		n.violation(s, nil, "request %d has a Delete for the IKE SA, is taken, and the SA goes on", m.id)
	}
}}}

// COL-01: RFC 7296, section 2.25.2: the peer's Delete is answered, ours is forgotten.
var col01 = &Rule{ID: "COL-01", hooks: hooks{
	received: func(n *now, s *ikeSA) {
		m := n.in
		if !m.repeat && !m.response && m.ikeDelete > 0 && !n.acted() && s.phase == record.Phase_PHASE_DELETING && m.id == s.nextIn && !s.asked.there {
			n.violation(s, []uint64{s.closing.deleteStep}, "the peer's Delete, request %d, crosses ours and is dropped", m.id)
		}
	},
	after: func(n *now, s *ikeSA) {
		m := n.in
		if m == nil || m.repeat || m.response || m.ikeDelete == 0 || !n.acted() || s.number != n.ev.GetIkeSa() || s.closing.deleteStep == 0 {
			return
		}
		if s.closing.deleteStep < n.step && s.deathsNow > 0 && s.cause != record.Cause_CAUSE_BOTH_AT_ONCE {
			n.violation(s, []uint64{s.closing.deleteStep}, "two Deletes cross, and the SA ends as %s", causeName(s.cause))
		}
		if len(s.open) > 0 {
			n.violation(s, []uint64{s.closing.deleteStep}, "two Deletes cross, and request %s still waits for an answer", s.openIDs())
		}
	},
}}
