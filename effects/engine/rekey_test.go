package engine_test

import (
	"net/netip"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

func (n *node) rekey(ticket, sa, child uint64) {
	n.running().engine.Post(&record.Event{IkeSa: sa, Because: operator(), Kind: &record.Event_RekeyAsked{
		RekeyAsked: &record.RekeyAsked{ChildSa: child, Ticket: ticket}}})
}

// settled waits until n has one IKE SA with one Child SA, both in use and nothing under way.
func (n *node) settled() {
	n.t.Helper()
	n.wait("settled", func() bool {
		sas := n.sas()
		established := 0
		for _, sa := range sas {
			if sa.Phase == reducer.Lingering {
				continue
			}
			established++
			if sa.Phase != reducer.Established || len(sa.Children) != 1 || sa.Children[0].Phase != reducer.Installed ||
				len(sa.Window.InFlight)+len(sa.Making) > 0 || sa.Serving != nil {
				return false
			}
		}
		return established == 1 && n.children() == 1 && n.vault() == 1
	})
}

// same fails unless both ends have the same IKE SA with the same Child SA.
func same(a, b *node) {
	a.t.Helper()
	x, y := a.established(), b.established()
	if x.SPIi != y.SPIi || x.SPIr != y.SPIr || x.Children[0].InboundSPI != y.Children[0].OutboundSPI || x.Children[0].OutboundSPI != y.Children[0].InboundSPI {
		a.t.Errorf("the ends differ:\n%+v\n%+v", x, y)
	}
}

func (n *node) established() *reducer.IKESA {
	for _, sa := range n.sas() {
		if sa.Phase == reducer.Established {
			return sa
		}
	}
	n.t.Fatalf("%s has no established IKE SA", n.name)
	return nil
}

// TestRekey rekeys Child SA and IKE SA from both ends, with a key exchange of the Child SA's own and without, and kills a daemon
// between: the SAs are others each time, and work.
func TestRekey(t *testing.T) {
	t.Parallel()
	for _, groups := range [][]uint32{nil, {uint32(ike.GroupECP256), uint32(ike.GroupCurve25519)}} {
		a, b := pair(newWire(t), func(c *record.Config) { c.Connections[0].Children[0].Proposals[0].Groups = groups })
		up(a, b)
		ticket := uint64(10)
		for _, ofIKE := range []bool{false, true, false, true} {
			for _, n := range []*node{a, b} {
				a.settled()
				b.settled()
				before := *n.established()
				child := before.Children[0].Number
				if ofIKE {
					child = 0
				}
				n.rekey(ticket, before.Number, child)
				n.must(ticket)
				ticket++
				a.settled()
				b.settled()
				same(a, b)
				after := n.established()
				if ofIKE == (after.Number == before.Number) || !ofIKE && after.Children[0].Number == child {
					t.Errorf("%s: nothing was rekeyed: %v", n.name, ofIKE)
				}
				if !ofIKE && (after.Children[0].Suite.Group != ike.GroupNone) != (groups != nil) {
					t.Errorf("child rekeyed with %v", after.Children[0].Suite)
				}
			}
			a.kill()
			a.start("secret")
		}
		a.close(ticket, a.established().Number, 0)
		a.must(ticket)
		for _, n := range []*node{a, b} {
			n.wait("clean", func() bool { return n.children() == 0 && n.vault() == 0 })
		}
	}
}

// TestRekeyBoth: C-01 and C-09, both ends rekey at once; one SA is left, the same at both ends.
func TestRekeyBoth(t *testing.T) {
	t.Parallel()
	for round := range uint64(4) { // nonces decide who wins
		w := newWire(t)
		a, b := pair(w, nil)
		up(a, b)
		a.settled()
		b.settled()
		child := round%2 == 0
		held := func(_, _ netip.AddrPort, h ike.Header) bool {
			return h.Exchange == ike.CREATE_CHILD_SA && !h.Response()
		}
		w.setLose(held)
		for _, n := range []*node{a, b} {
			sa := n.established()
			if child {
				n.rekey(20, sa.Number, sa.Children[0].Number)
			} else {
				n.rekey(20, sa.Number, 0)
			}
		}
		for _, n := range []*node{a, b} {
			n.wait("asked", func() bool { return len(n.established().Window.InFlight) == 1 })
		}
		w.setLose(nil)
		for _, n := range []*node{a, b} {
			n.must(20)
			n.settled()
		}
		same(a, b)
	}
}
