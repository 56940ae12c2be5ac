package audit

import "github.com/ikejd/ikejd/proto/ike"

// Addresses (RFC 7296, section 2.23).

// NAT-01: copies are RTX-02's.
var nat01 = &Rule{ID: "NAT-01", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if !m.copy && m.response && s.asked.there && s.asked.id == m.id && m.path != s.asked.path {
		n.violation(s, []uint64{s.asked.step}, "request %d came from %v to %v, its answer goes from %v to %v", m.id,
			s.asked.path.remote, s.asked.path.local, m.path.local, m.path.remote)
	}
}}}

// NAT-02: a peer whose IKE port is not 500 has no other that we know of (PROTOCOL.md W-23).
var nat02 = &Rule{ID: "NAT-02", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if s.role == initiator && s.nat && !m.response && m.protected && s.first.remote.port == 500 && m.path.remote.port == 500 {
		n.violation(s, nil, "a NAT was detected, and request %d goes to port 500", m.id)
	}
}}}

// NAT-03: beside the newest fresh request of the peer only the move to port 4500 changes where requests go.
var nat03 = &Rule{ID: "NAT-03", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.response || !s.sentAny && !s.heardIn || m.path == s.path || m.path == s.fresh || !s.path.remote.known() {
		return
	}
	if s.nat && m.exchange == ike.IKE_AUTH && m.path.remote.addr == s.path.remote.addr {
		return
	}
	n.violation(s, nil, "request %d goes to %v; the SA was at %v, and the newest request came from %v", m.id, m.path.remote, s.path.remote, s.fresh.remote)
}}}
