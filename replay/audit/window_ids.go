package audit

import "github.com/ikejd/ikejd/proto/ike"

// Message ids (RFC 7296, section 2.2): each direction counts from 0 by one, and an id is used for one content.

// WIN-05: what begins an SA of ours is IKE_SA_INIT 0; the first own request of a responder is 0 as well.
var win05 = &Rule{ID: "WIN-05", hooks: hooks{
	sent: func(n *now, s *ikeSA, m *message) {
		if !m.copy && !m.response && !s.sentAny && m.id != 0 {
			n.violation(s, nil, "the first request of ours has id %d", m.id)
		}
	},
	received: func(n *now, s *ikeSA) {
		if m := n.in; !m.repeat && !m.response && n.acted() && !s.heardIn && m.id != 0 {
			n.violation(s, nil, "the first request of the peer has id %d, and is taken", m.id)
		}
	},
}}

// WIN-06: IKE_SA_INIT may be sent again with a cookie or another group.
var win06 = &Rule{ID: "WIN-06", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	switch {
	case m.copy:
	case m.response:
		if r := s.response(m.id); r != nil && r.digest != m.digest {
			n.violation(s, []uint64{r.of.step}, "a second response %d, of other bytes", m.id)
		}
	case uint64(m.id) < s.nextOut:
		if old := s.request(m.id); old == nil || m.exchange != ike.IKE_SA_INIT && old.digest != m.digest {
			n.violation(s, nil, "id %d is used again for another request", m.id)
		}
	}
}}}

// WIN-07: PROTOCOL.md W-25 stops long before.
var win07 = &Rule{ID: "WIN-07", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	switch {
	case m.copy || m.response:
	case m.id == 0 && s.nextOut > 1<<31:
		n.violation(s, nil, "id 0 follows %d on the same SPIs", s.nextOut-1)
	case m.id > 1<<31 && n.once(s):
		n.warning(s, nil, "id %d: this SA is due to be rekeyed or closed", m.id)
	}
}}}

// WIN-12: also of one that names a living SA nothing is taken.
var win12 = &Rule{ID: "WIN-12", hooks: hooks{record: func(n *now) {
	if m := n.in; m != nil && !m.repeat && m.exchange == ike.IKE_SA_INIT && m.id != 0 && n.acted() {
		n.violation(n.a.table.find(n.ev.GetIkeSa()), nil, "an IKE_SA_INIT message with id %d is taken", m.id)
	}
}}}

// REC-01 is WIN-06 where a start of the daemon lies between the two uses.
var rec01 = &Rule{ID: "REC-01", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if !m.copy && !m.response && s.acrossRun && uint64(m.id) < s.nextOut && m.exchange != ike.IKE_SA_INIT {
		n.violation(s, []uint64{n.j.runStep}, "request %d was sent by the run before, and its id is used again", m.id)
	}
}}}
