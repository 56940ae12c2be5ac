package audit

import (
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// The window (RFC 7296, section 2.3) and what answers what (sections 2.1, 2.2, 3.1).

// WIN-01: request X may go only when all up to X-N are answered; N is what the peer said by SET_WINDOW_SIZE, 1 before.
var win01 = &Rule{ID: "WIN-01", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || m.response || s.request(m.id) != nil || len(s.open) == 0 {
		return
	}
	if oldest := s.open[0].id; m.id >= oldest+s.window {
		n.violation(s, []uint64{s.open[0].of.step}, "%d, %s open", m.id, s.openIDs())
	}
}}}

// openIDs is the ids in flight: `11`, `4, 5`.
func (s *ikeSA) openIDs() string {
	var ids []string
	for _, r := range s.open {
		ids = append(ids, strconv.FormatUint(uint64(r.id), 10))
	}
	return strings.Join(ids, ", ")
}

// WIN-02: a response that was dropped is worth a note only where nothing of that id was ever asked.
var win02 = &Rule{ID: "WIN-02", hooks: hooks{received: func(n *now, s *ikeSA) {
	m := n.in
	if m.repeat || !m.response {
		return
	}
	if !n.acted() {
		if uint64(m.id) >= s.nextOut && m.exchange != ike.IKE_SA_INIT {
			n.note(s, nil, "a response %d came, and no such request was sent", m.id)
		}
		return
	}
	switch r := s.request(m.id); {
	case r == nil && m.exchange == ike.IKE_SA_INIT && m.spiR != s.spiR && s.auth.step == 0:
		// another responder's, kept in case the first one is not the peer (PROTOCOL.md W-21)
	case r == nil:
		n.violation(s, nil, "response %d is accepted, and %s is open", m.id, orNone(s.openIDs()))
	case r.exchange != m.exchange:
		n.violation(s, []uint64{r.of.step}, "response %d %v is accepted as the answer to %v", m.id, m.exchange, r.exchange)
	case m.spiI != s.spiI || m.exchange != ike.IKE_SA_INIT && m.spiR != s.spiR:
		n.violation(s, []uint64{r.of.step}, "response %d is accepted with the SPIs of another SA", m.id)
	}
}}}

func orNone(list string) string {
	if list == "" {
		return "none"
	}
	return list
}

// WIN-03: the request of an id we have answered is WIN-04's.
var win03 = &Rule{ID: "WIN-03", hooks: hooks{received: func(n *now, s *ikeSA) {
	m := n.in
	if m.repeat || m.response || !n.acted() || !s.heardIn || m.exchange == ike.IKE_SA_INIT || s.response(m.id) != nil {
		return
	}
	if m.id < s.nextIn || m.id >= s.nextIn+s.ownWindow {
		n.violation(s, nil, "request %d is taken, where %d is expected", m.id, s.nextIn)
	}
}}}

// WIN-04: what was answered, or is being answered, is not processed again; a repeat is known by its bytes.
var win04 = &Rule{ID: "WIN-04", hooks: hooks{
	received: func(n *now, s *ikeSA) {
		m := n.in
		r := s.response(m.id)
		switch {
		case m.response || !n.acted() || m.exchange == ike.IKE_SA_INIT:
		case m.repeat && r == nil:
			n.violation(s, nil, "a repeat of request %d is served, which was not answered", m.id)
		case m.repeat && r.request != m.short:
			n.violation(s, []uint64{r.of.step}, "a repeat of request %d is served, and its bytes are others", m.id)
		case m.repeat:
		case r != nil:
			n.violation(s, []uint64{r.of.step}, "request %d is processed again", m.id)
		case s.asked.there && s.asked.id == m.id:
			n.violation(s, []uint64{s.asked.step}, "request %d is processed again while it is being answered", m.id)
		}
	},
	sent: func(n *now, s *ikeSA, m *message) {
		if r := s.response(m.id); r != nil && m.response && !m.copy && r.digest != m.digest {
			n.violation(s, []uint64{r.of.step}, "the repeat of request %d gets another answer", m.id)
		}
	},
}}

// WIN-08: who began the SA sets the I flag in all it sends, and the other never.
var win08 = &Rule{ID: "WIN-08", hooks: hooks{
	sent: func(n *now, s *ikeSA, m *message) {
		if !m.copy && s.role != unknownRole && m.fromInitiator != (s.role == initiator) {
			n.violation(s, nil, "%s %d has the I flag of the other end", direction(m.response), m.id)
		}
	},
	received: func(n *now, s *ikeSA) {
		m := n.in
		if !m.repeat && n.acted() && s.role != unknownRole && m.fromInitiator == (s.role == initiator) && !(m.exchange == ike.IKE_SA_INIT && !m.response) {
			n.violation(s, nil, "%s %d is accepted with our own I flag", direction(m.response), m.id)
		}
	},
}}

// WIN-09: what is open at the end of its SA is listed there, and nothing else; and an answer that never came is no cause.
var win09 = &Rule{ID: "WIN-09", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	d := e.GetDiscarded()
	if d == nil || s == nil || s.ended != 0 {
		return
	}
	listed := map[uint32]bool{}
	for _, o := range d.GetUnfinished() {
		if listed[o.GetMessageId()] = true; s.request(o.GetMessageId()) == nil && d.GetFrom() != record.Phase_PHASE_HALF_OPEN {
			n.violation(s, nil, "request %d is listed as unanswered, and is not open", o.GetMessageId())
		}
	}
	for _, r := range s.open {
		if !listed[r.id] {
			n.violation(s, []uint64{r.of.step}, "request %d has no end: the SA is discarded without a word of it", r.id)
		}
		if r.ikeDelete && d.GetCause() == record.Cause_CAUSE_ACKNOWLEDGED {
			n.violation(s, []uint64{r.of.step}, "the end is called acknowledged, and the Delete, request %d, was not answered", r.id)
		}
	}
}}}

// WIN-10: what we announced does not shrink; nor does what the peer granted, once we have used it.
var win10 = &Rule{ID: "WIN-10", hooks: hooks{
	sent: func(n *now, s *ikeSA, m *message) {
		if !m.copy && m.window > 0 && m.window < s.ownWindow {
			n.violation(s, nil, "we announce a window of %d after one of %d", m.window, s.ownWindow)
		}
	},
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		if w := e.GetWanted(); w == nil || s == nil || e.GetBecause().GetEdge() != record.Edge_EDGE_BEHIND {
			return
		}
		if len(s.open) > 0 && len(s.open) < s.usedWindow && s.nextOut < uint64(s.open[0].id)+uint64(s.window) {
			n.violation(s, []uint64{s.open[0].of.step}, "a wish waits behind request %d, and the peer takes %d at a time", s.open[0].id, s.window)
		}
	},
}}

// JRN-08, the journal's half: a recorded datagram is the message its effect says, of its own SA.
var jrn08 = &Rule{ID: "JRN-08", Limits: "That what left is what was recorded shows only in a capture; here each recorded datagram is compared with the message it is said to be.",
	hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
		if m.copy || !m.protected || m.size == 0 {
			return
		}
		h, err := ike.ParseHeader(m.datagram)
		switch {
		case err != nil:
			n.violation(s, nil, "the datagram of %s %d is no IKE message", direction(m.response), m.id)
		case h.MessageID != m.id || h.Exchange != m.exchange || h.Response() != m.response || h.Initiator() != m.fromInitiator:
			n.violation(s, nil, "the datagram of %s %d is %s %d %v", direction(m.response), m.id, direction(h.Response()), h.MessageID, h.Exchange)
		case s.spiI != 0 && h.SPIi != s.spiI || s.spiR != 0 && h.SPIr != s.spiR:
			n.violation(s, nil, "the datagram of %s %d has the SPIs of another SA", direction(m.response), m.id)
		}
	}, captured: func(n *now, m *captured) {
		if is, other := m.unrecorded(); is && other {
			n.violation(m.sa, nil, "%s %d on the wire is other octets than those recorded", direction(m.header.Response()), m.header.MessageID)
		}
	}}}
