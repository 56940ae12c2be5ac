package audit

import (
	"github.com/ikejd/ikejd/proto/record"
)

// Order and durability, of messages: what leaves was recorded, ids rise, a response goes before what it causes.

// ORD-01, the journal's own claim: a message stands with its datagram in the record that sends it, and a copy names such
// a record. That nothing left before it was durable only a capture shows.
var ord01 = &Rule{ID: "ORD-01", Limits: "Whether a message left before its record was durable shows only in a capture taken at the same host.",
	hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
		switch {
		case !m.copy && m.protected && m.size == 0:
			n.violation(s, nil, "%s %d is sent, and its record has no datagram", direction(m.response), m.id)
		case m.copy && !m.response && uint64(m.id) >= s.nextOut, m.copy && m.response && m.id >= s.nextIn:
			n.violation(s, []uint64{m.of.step}, "%s %d is sent again, and was never recorded", direction(m.response), m.id)
		}
	}, captured: func(n *now, m *captured) {
		if is, other := m.unrecorded(); is && !other {
			n.violation(m.sa, nil, "%s %d is on the wire, and no record has it", direction(m.header.Response()), m.header.MessageID)
		}
	}}}

func direction(response bool) string {
	if response {
		return "response"
	}
	return "request"
}

// ORD-03: the first of an SA is WIN-05's.
var ord03 = &Rule{ID: "ORD-03", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if !m.copy && !m.response && s.sentAny && uint64(m.id) > s.nextOut {
		n.violation(s, nil, "request %d follows %d", m.id, s.nextOut-1)
	}
}}}

// ORD-06: IKE_SA_INIT makes its SA in the step that answers it.
var ord06 = &Rule{ID: "ORD-06", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || !m.response || s.response(m.id) != nil {
		return
	}
	switch {
	case !s.asked.there:
		n.violation(s, nil, "response %d %v, and no request waits for one", m.id, m.exchange)
	case s.asked.id != m.id || s.asked.exchange != m.exchange:
		n.violation(s, []uint64{s.asked.step}, "response %d %v, where request %d %v waits for one", m.id, m.exchange, s.asked.id, s.asked.exchange)
	}
}}}

// ORD-08: a wish decided by the step that took the peer's request must not leave before that request is answered.
var ord08 = &Rule{ID: "ORD-08", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || m.response || !s.asked.there {
		return
	}
	if w := s.wishAt(m.serves); w != nil && (w.at.step == s.asked.step || w.decided == s.asked.step) {
		n.warning(s, []uint64{s.asked.step}, "request %d came of the peer's request %d and leaves before the response to it", m.id, s.asked.id)
	}
}}}

// ORD-07: within a run and over its end, as DESIGN has it.
var ord07 = &Rule{ID: "ORD-07", hooks: hooks{record: func(n *now) {
	if n.time < n.j.time {
		n.violation(nil, []uint64{n.j.step}, "it is %s earlier than at the step before", seconds(n.j.time-n.time))
	}
}}}

// ORD-05: each completion closes one ask, of its own kind.
var ord05 = &Rule{ID: "ORD-05", hooks: hooks{record: func(n *now) {
	b := n.ev.GetBecause()
	kind, child, is := completes(n.ev)
	if !is || kind == askLocate && b.GetEdge() != record.Edge_EDGE_ANSWERS {
		return
	}
	s := n.a.table.find(n.ev.GetIkeSa())
	at := refOf(b)
	if b.GetEdge() != record.Edge_EDGE_ANSWERS {
		n.violation(s, nil, "a completion of %v that names no effect it answers", kind)
		return
	}
	open := n.j.asks
	if s != nil {
		open = s.asks
	}
	for _, a := range open {
		if a.at != at {
			continue
		}
		if a.kind != kind || a.child != child && kind >= askSPI && kind < askLocate {
			n.violation(s, []uint64{at.step}, "a completion of %v answers %v", kind, a.kind)
		}
		return
	}
	switch {
	case at.step != 0 && at.step < n.j.first:
		// asked before this audit began
	case s == nil && kind != askLocate:
		n.inconclusive(nil, "what this SA asked for, forgotten since it ended", "a completion of %v of an SA that is not known (any more)", kind)
	default:
		n.violation(s, []uint64{at.step}, "a completion of %v: step %d did not ask, or was answered before", kind, at.step)
	}
}}}

// completes is which ask an event answers.
func completes(ev *record.Event) (kind askKind, child uint64, is bool) {
	switch k := ev.GetKind().(type) {
	case *record.Event_KeyShareMade:
		return askShare, 0, true
	case *record.Event_Agreed:
		return askAgree, 0, true
	case *record.Event_AuthMade:
		return askMake, 0, true
	case *record.Event_Authenticated:
		return askCheck, 0, true
	case *record.Event_SpiAllocated:
		return askSPI, k.SpiAllocated.GetChildSa(), true
	case *record.Event_ChildInstalled:
		return askInstall, k.ChildInstalled.GetChildSa(), true
	case *record.Event_ChildRemoved:
		return askRemove, k.ChildRemoved.GetChildSa(), true
	case *record.Event_InitiateAsked:
		return askLocate, 0, true
	}
	return 0, 0, false
}
