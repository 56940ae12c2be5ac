package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Rules that compare the journal with a capture.

// ORD-02: a copy is matched with the step that ordered it by its octets, the earliest that may be meant.
var ord02 = &Rule{ID: "ORD-02", Needs: Wire, Limits: "Messages that the capture does not have are passed over; AUD-02 counts them.",
	hooks: hooks{captured: func(n *now, m *captured) {
		if m.overtakes != 0 {
			n.violation(m.sa, []uint64{m.sends.step, m.overtakes}, "%s %d of step %d leaves after what step %d sent", direction(m.header.Response()),
				m.header.MessageID, m.sends.step, m.overtakes)
		}
	}}}

// unrecorded is a protected message of an SA on the wire that no record has: ORD-01 where nothing with its id is recorded,
// JRN-08 where something else is.
func (m *captured) unrecorded() (is, other bool) {
	h := &m.header
	if !m.Out || m.Unreachable || !m.message || m.sends != nil || m.sa == nil || h.Exchange == ike.IKE_SA_INIT {
		return false, false
	}
	if h.Response() {
		r := m.sa.response(h.MessageID)
		if r == nil {
			return h.MessageID >= m.sa.nextIn, false
		}
		return r.digest.short() != m.short, true
	}
	r := m.sa.request(h.MessageID)
	if r == nil {
		return uint64(h.MessageID) >= m.sa.nextOut, false
	}
	return r.digest.short() != m.short, true
}

// perSource is how many clear answers an address may get a minute: K-11 has the daemon's own pace, which is slower.
const perSource = 10 * 60

// DOS-07 looks at what the host answers in the clear to requests on SPIs it does not know.
var dos07 = &Rule{ID: "DOS-07", Needs: Wire, hooks: hooks{captured: func(n *now, m *captured) {
	h := &m.header
	if !m.Out || m.Unreachable || !m.message || !h.Response() || h.NextPayload != ike.PayloadNotify || h.Exchange == ike.IKE_SA_INIT {
		return
	}
	if ike.ParsePayloads(h.NextPayload, m.Datagram[ike.HeaderLen:], &n.a.payloads) != nil || len(n.a.payloads.All()) != 1 {
		return
	}
	nt, err := ike.ParseNotify(n.a.payloads.All()[0].Body)
	if err != nil || nt.Type != ike.NotifyInvalidIKESPI {
		return
	}
	f := n.a.capture.answers.of(m.Remote.Addr().Unmap(), m.Time)
	if f.out++; f.out > perSource && !f.told {
		f.told = true
		n.warning(nil, nil, "%d answers of INVALID_IKE_SPI to %v within %s", f.out, m.Remote.Addr().Unmap(), seconds(m.Time-f.since))
	}
}}}

const (
	idleBefore = 5 * second // RFC 3948, section 4: a keepalive is for when nothing else was sent; its interval is 20 s by default
	overdue    = 10 * second
)

// NAT-05: our keepalives, and what theirs are taken for.
var nat05 = &Rule{ID: "NAT-05", Needs: Wire, hooks: hooks{
	captured: func(n *now, m *captured) {
		if !m.keepalive || !m.Out {
			return
		}
		t := n.a.capture.peer(endpoint{m.Remote.Addr().As16(), m.Remote.Port()})
		if t.out != 0 && m.Time-t.out < idleBefore && !t.told {
			t.told = true
			n.note(nil, nil, "a keepalive goes to %v %s after another datagram", m.Remote, seconds(m.Time-t.out))
		}
	},
	idle: func(n *now, s *ikeSA) {
		live := s.timers[record.Timer_TIMER_LIVENESS]
		if !s.up() || !live.on || n.time < live.deadline+overdue || len(s.open) > 0 {
			return
		}
		if t := n.a.capture.byPeer[s.fresh.remote]; t != nil && t.keepalive > s.heard && n.once(s) {
			n.note(s, []uint64{live.at.step}, "the liveness check is %s late, and only keepalives have come for %s", seconds(n.time-live.deadline), seconds(n.time-s.heard))
		}
	},
}}

// SHU-09: the answer to a request that was open when the run ended as it was ordered to.
var shu09 = &Rule{ID: "SHU-09", Needs: Wire, hooks: hooks{captured: func(n *now, m *captured) {
	s := m.sa
	if !m.Unreachable || !m.Out || !m.message || s == nil || !m.header.Response() || n.j.order.keep || !n.j.order.on && !n.j.ended {
		return
	}
	if r := s.request(m.header.MessageID); r != nil {
		n.warning(s, []uint64{r.of.step, n.j.step}, "the response to request %d met a closed port %s after the last record", r.id, seconds(m.Time-n.j.time))
	}
}}}

// AUD-02: at the end, what the journal has and the capture lacks.
var aud02 = &Rule{ID: "AUD-02", Needs: Wire, hooks: hooks{end: func(n *now) {
	c := &n.a.capture
	if c.frames == 0 {
		n.inconclusive(nil, "frames of this journal's sockets and time", "the capture has none")
		return
	}
	for i := range c.expected {
		if !c.expected[i].there {
			c.lost(c.expected[i])
		}
	}
	inMissing := uint64(0)
	for _, e := range c.awaited {
		if c.within(e) {
			inMissing++
		}
	}
	switch {
	case c.overflown:
		n.inconclusive(nil, "a capture that keeps up with the journal", "more than %d datagrams were under way at a time", mostExpected)
	case c.outMissing+inMissing > 0:
		n.note(nil, nil, "the capture lacks %d of %d datagrams that were sent, and %d of %d that came", c.outMissing, c.out, inMissing, c.in)
	}
}}}
