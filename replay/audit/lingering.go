package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Lingering, and messages that end an SA on both sides (RFC 7296, sections 2.1, 2.21.2, 2.21.3).

// DEL-04: PROTOCOL.md D-20: at least 30 s, where no shutdown or new run shortens it.
var del04 = &Rule{ID: "DEL-04", hooks: hooks{
	after: func(n *now, s *ikeSA) {
		m := n.in
		if m == nil || !m.repeat || s.number != n.ev.GetIkeSa() || s.phase != record.Phase_PHASE_LINGERING {
			return
		}
		r := s.response(m.id)
		if r == nil || r.request != m.short {
			return
		}
		for _, e := range n.r.GetEffects() {
			if a := e.GetResend(); a != nil && a.GetResponse() && a.GetMessageId() == m.id {
				return
			}
		}
		n.violation(s, []uint64{r.of.step}, "a repeat of request %d stays without its answer", m.id)
	},
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		d := e.GetDiscarded()
		if d != nil && s != nil && s.ended == 0 && d.GetFrom() != record.Phase_PHASE_LINGERING &&
			(d.GetCause() == record.Cause_CAUSE_PEER_ASKED || d.GetCause() == record.Cause_CAUSE_BOTH_AT_ONCE) {
			n.violation(s, nil, "the peer's Delete is answered, and nobody stays to answer its repeats")
			return
		}
		if d == nil || s == nil || s.phaseAt == 0 || d.GetFrom() != record.Phase_PHASE_LINGERING || n.j.order.on || s.lastRun > s.phaseAt {
			return
		}
		if least := int64(orDefault(n.j.settings.GetLingerLeast(), uint64(30*second))); n.time-s.phaseAt < least {
			n.violation(s, nil, "it lingered %s, and the peer may repeat its request for %s", seconds(n.time-s.phaseAt), seconds(least))
		}
	},
}}

// DEL-15: PROTOCOL.md D-25: an INFORMATIONAL with the error, three sends at most, answered or given up.
var del15 = &Rule{ID: "DEL-15", hooks: hooks{
	after: func(n *now, s *ikeSA) {
		if s.role != initiator || !s.auth.bad || s.auth.step != n.step || !n.acted() {
			return
		}
		if s.endedNow && !n.j.order.on {
			n.warning(s, nil, "the peer's AUTH is refused, and the peer, which holds an SA now, is not told")
		}
	},
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		if e.GetDiscarded() == nil || s == nil || n.j.order.on {
			return
		}
		for _, r := range s.open {
			if r.refusal && r.sends < 3 && e.GetDiscarded().GetCause() != record.Cause_CAUSE_NOT_RECOVERED {
				n.warning(s, []uint64{r.of.step}, "the refusal, request %d, went out %d times and had no answer", r.id, r.sends)
			}
		}
	},
}}

// DEL-16: an answer to our Delete ends the SA whatever it carries (PROTOCOL.md D-04).
var del16 = &Rule{ID: "DEL-16", hooks: hooks{
	sent: func(n *now, s *ikeSA, m *message) {
		if !m.copy && m.response && m.protected && s.up() && m.failed(ike.NotifyInvalidSyntax) {
			s.closing.fatalNow = n.step
		}
	},
	after: func(n *now, s *ikeSA) {
		m := n.in
		ours := s.closing.fatalNow == n.step
		theirs := m != nil && m.response && m.protected && n.acted() && s.number == n.ev.GetIkeSa() && m.failed(ike.NotifyInvalidSyntax)
		switch {
		case !ours && !theirs:
		case s.deathsNow == 0 && s.alive() && s.phase != record.Phase_PHASE_HALF_OPEN:
			n.warning(s, nil, "INVALID_SYNTAX ends an SA on both ends, and it goes on")
		case ours && s.cause != record.Cause_CAUSE_DAMAGED:
			n.warning(s, nil, "INVALID_SYNTAX was the answer, and the SA ends as %s", causeName(s.cause))
		}
	},
}}
