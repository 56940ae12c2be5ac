package audit

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Closing Child SAs (RFC 7296, sections 1.4.1 and 3.11): each end names the SPIs it receives on, once.

// childDeleteState is what the answer to the peer's Delete must name.
type childDeleteState struct {
	expected []uint32
}

// DEL-06: SPIs we chose, that live, and that were not announced before.
var del06 = &Rule{ID: "DEL-06", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || m.response || m.exchange != ike.INFORMATIONAL {
		return
	}
	if !m.readable {
		n.violation(s, nil, "request %d of ours cannot be read: protocol, SPI size and SPIs of a Delete must fit", m.id)
	}
	for i, spi := range m.spis {
		c := s.inbound(spi)
		switch {
		case slices.Contains(m.spis[:i], spi):
			n.violation(s, nil, "request %d names SPI %08x twice", m.id, spi)
		case c == nil && s.outbound(spi) != nil:
			n.violation(s, nil, "request %d names SPI %08x, which the peer receives on", m.id, spi)
		case c == nil:
			n.violation(s, nil, "request %d names SPI %08x, which is none of this SA", m.id, spi)
		case c.deleted:
			n.violation(s, nil, "request %d names SPI %08x, which request %d has named", m.id, spi, c.deleteID)
		case c.removed:
			n.violation(s, nil, "request %d names SPI %08x, which is removed", m.id, spi)
		}
	}
}}}

func (s *ikeSA) inbound(spi uint32) *child {
	for i := range s.children {
		if s.children[i].in == spi {
			return &s.children[i]
		}
	}
	return nil
}

func (s *ikeSA) outbound(spi uint32) *child {
	for i := range s.children {
		if s.children[i].out == spi {
			return &s.children[i]
		}
	}
	return nil
}

// DEL-07: the pairs that were asked for, less those we have asked for ourselves.
var del07 = &Rule{ID: "DEL-07", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || !m.response || m.exchange != ike.INFORMATIONAL || !s.asked.there || s.asked.id != m.id || s.asked.ikeDelete || len(m.errors) > 0 {
		return
	}
	for _, spi := range m.spis {
		if !slices.Contains(s.deletes.expected, spi) {
			n.violation(s, []uint64{s.asked.step}, "response %d names SPI %08x, which was not asked for, or is in a Delete of ours", m.id, spi)
		}
	}
	for _, spi := range s.deletes.expected {
		if !slices.Contains(m.spis, spi) {
			n.violation(s, []uint64{s.asked.step}, "response %d does not name SPI %08x, whose pair was asked for", m.id, spi)
		}
	}
}}}

// DEL-08: who asked keeps receiving until the answer; who is asked stops sending at once.
var del08 = &Rule{ID: "DEL-08", hooks: hooks{after: func(n *now, s *ikeSA) {
	over := s.deathsNow > 0 || s.endedNow || !s.up()
	for i := range s.children {
		c := &s.children[i]
		switch {
		case over || c.refused, c.replaced, n.in != nil && n.in.failed(ike.NotifyChildSANotFound):
		case c.earlyIn && c.earlyOut && c.hasEnded(), c.earlyIn && (c.answered || c.peerDeleted && !c.deleted):
		case c.earlyIn && c.deleted:
			n.violation(s, nil, "SPI %08x is removed before the peer has answered its Delete, request %d", c.in, c.deleteID)
		case c.earlyIn && c.wasInstalled():
			n.violation(s, nil, "SPI %08x is removed, and neither end has asked for it", c.in)
		}
		if c.peerNow && c.hasOut && !over {
			n.violation(s, nil, "the peer has deleted SPI %08x, and we go on sending on it", c.out)
		}
	}
}}}

// hasEnded reports whether either end's Delete for the child is done.
func (c *child) hasEnded() bool { return c.answered || c.peerDeleted && !c.deleted }

// wasInstalled reports whether both SPIs are known: before that there is a reserved SPI at most.
func (c *child) wasInstalled() bool { return c.in != 0 && c.out != 0 }

// COL-02: an answer without a Delete is what the RFC wants where Deletes crossed; it ends nothing but the child.
var col02 = &Rule{ID: "COL-02", hooks: hooks{after: func(n *now, s *ikeSA) {
	m := n.in
	if m == nil || m.repeat || !m.response || !n.acted() || s.number != n.ev.GetIkeSa() || !s.done.childDelete || s.done.step != n.step {
		return
	}
	if s.deathsNow > 0 && s.cause != record.Cause_CAUSE_DAMAGED {
		n.violation(s, nil, "the answer to a Child SA's Delete, response %d, ends the IKE SA", m.id)
	}
	for i := range s.children {
		if c := &s.children[i]; c.deleted && c.deleteID == m.id && (c.hasIn || c.hasOut) && s.alive() {
			n.violation(s, nil, "response %d ends the exchange that deleted SPI %08x, and the kernel keeps it", m.id, c.in)
		}
	}
}}}
