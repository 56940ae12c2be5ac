package audit

import "github.com/ikejd/ikejd/proto/record"

// The kernel: what is installed is removed, once, in pairs; what it refuses is not up.

// KRN-01: also what it installed after the SA had gone.
var krn01 = &Rule{ID: "KRN-01", hooks: hooks{after: func(n *now, s *ikeSA) {
	if s.deathsNow == 0 && !s.endedNow && !(s.ended != 0 && n.ev.GetChildInstalled() != nil) {
		return
	}
	for i := range s.children {
		if c := &s.children[i]; c.hasIn || c.hasOut {
			n.violation(s, nil, "child%d, SPIs %08x and %08x, stays in the kernel", c.number, c.in, c.out)
		}
	}
}}}

// KRN-02: a removal that a crash left without its answer may be asked for again.
var krn02 = &Rule{ID: "KRN-02", hooks: hooks{
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		r := e.GetRemoveChild()
		if r == nil || s == nil {
			return
		}
		c := s.child(e.GetChildSa())
		switch {
		case c == nil:
			n.warning(s, nil, "child%d is removed, which is not known", e.GetChildSa())
		case n.ev.GetRecovered() != nil:
		case r.GetInboundSpi() != 0 && !c.hasIn && !c.reserved:
			n.warning(s, nil, "inbound SPI %08x of child%d is removed, and is not installed", r.GetInboundSpi(), c.number)
		case r.GetOutboundSpi() != 0 && !c.hasOut:
			n.warning(s, nil, "outbound SPI %08x of child%d is removed, and is not installed", r.GetOutboundSpi(), c.number)
		}
	},
	record: func(n *now) {
		if r := n.ev.GetChildRemoved(); r.GetRefusal() != "" {
			n.warning(n.a.table.find(n.ev.GetIkeSa()), []uint64{n.ev.GetBecause().GetStep()}, "the kernel refused to remove child%d: %q", r.GetChildSa(), r.GetRefusal())
		}
	},
}}

// KRN-03: one half is left only while our own Delete of the other waits for its answer (PROTOCOL.md D-08, D-13).
var krn03 = &Rule{ID: "KRN-03", hooks: hooks{idle: func(n *now, s *ikeSA) {
	for i := range s.children {
		c := &s.children[i]
		if c.hasIn != c.hasOut && s.alive() && c.halfSince != 0 && n.time-c.halfSince > minute && s.request(c.deleteID) == nil && n.once(s) {
			n.violation(s, nil, "child%d has had one half for %s", c.number, seconds(n.time-c.halfSince))
		}
	}
}}}

// KRN-07: the peer is told, in the answer or by a Delete; the child does not come up.
var krn07 = &Rule{ID: "KRN-07", hooks: hooks{after: func(n *now, s *ikeSA) {
	i := n.ev.GetChildInstalled()
	if i.GetRefusal() == "" || s.number != n.ev.GetIkeSa() || !s.alive() || !n.acted() {
		return
	}
	c := s.child(i.GetChildSa())
	if c == nil || c.phase == record.ChildPhase_CHILD_PHASE_REMOVED || c.deleted {
		return
	}
	if c.phase == record.ChildPhase_CHILD_PHASE_INSTALLED {
		n.violation(s, nil, "the kernel refused child%d, and it is called installed", c.number)
		return
	}
	for _, w := range s.wishes {
		if w.child == c.number && w.wish == record.Wish_WISH_DELETE_CHILD || w.wish == record.Wish_WISH_DELETE_IKE {
			return
		}
	}
	n.violation(s, nil, "the kernel refused child%d, and the peer is not told", c.number)
}}}
