package reducer

import (
	"net/netip"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// The outside of a node in a walk: a door that finds SAs, a keyring whose answers are good, a kernel that remembers.

// path is how the node reaches the other.
func (n *walker) path() Path {
	west, east := netip.MustParseAddrPort("192.0.2.1:500"), netip.MustParseAddrPort("203.0.113.9:500")
	if n.name == 0xa0 {
		return Path{west, east}
	}
	return Path{east, west}
}

// others are the SAs with the other node, but that one: both nodes have one identity each.
func (n *walker) others(but uint64) []uint64 {
	var all []uint64
	n.s.EachSA(0, func(sa *IKESA) bool {
		if sa.Number != but && sa.RemoteID.Type != 0 && sa.Phase != Lingering {
			all = append(all, sa.Number)
		}
		return true
	})
	return all
}

// find is the SA a message belongs to, by its SPIs and the role of its sender.
func (n *walker) find(h ike.Header) *IKESA {
	var found *IKESA
	n.s.EachSA(0, func(sa *IKESA) bool {
		ours := sa.SPIi == h.SPIi && sa.Initiator != h.Initiator()
		if h.Exchange == ike.IKE_SA_INIT {
			ours = ours && sa.Initiator
		} else {
			ours = ours && sa.SPIr == h.SPIr
		}
		if ours {
			found = sa
		}
		return found == nil
	})
	return found
}

// door makes an event of a packet, or turns it away.
func (n *walker) door(p packet) *record.Event {
	whole := append(p.h.Append(nil), p.body...)
	digest := Digest(whole)
	d := &record.DatagramReceived{Path: PathRecord(p.path), Datagram: whole, Digest: digest}
	ev := &record.Event{Because: root(record.Root_ROOT_PEER), Kind: &record.Event_DatagramReceived{DatagramReceived: d}}
	if p.h.Exchange == ike.IKE_SA_INIT && !p.h.Response() {
		if number, again := n.inits[digest]; again {
			if sa := n.s.SA(number); sa != nil && sa.Phase == HalfOpen {
				return n.repeated(sa, p, digest)
			}
			return nil
		}
		n.inits[digest] = n.s.nextIKE
		d.Fresh = n.freshFor(p.first, p.body)
		return ev
	}
	sa := n.find(p.h)
	if sa == nil {
		return nil
	}
	ev.IkeSa = sa.Number
	if p.h.Exchange != ike.IKE_SA_INIT {
		d.FirstPayload, d.Opened = uint32(p.first), p.body
	}
	if p.h.Response() {
		request, ok := sa.Window.Open(p.h.MessageID)
		if !ok {
			return nil
		}
		ev.Because = &record.Because{Edge: record.Edge_EDGE_REPLIES, Step: request.Recorded.Step, Index: request.Recorded.Index}
		return ev
	}
	if _, answered := sa.Window.Recorded(p.h.MessageID); answered {
		return n.repeated(sa, p, digest)
	}
	if sa.KeyRef == 0 {
		return nil // lingering: nothing can be opened any more
	}
	return ev
}

func (n *walker) repeated(sa *IKESA, p packet, digest uint64) *record.Event {
	r, ok := sa.Window.Recorded(p.h.MessageID)
	if !ok || r.Request != digest {
		return nil
	}
	return &record.Event{IkeSa: sa.Number, Because: &record.Because{Edge: record.Edge_EDGE_SERVES, Step: r.Recorded.Step, Index: r.Recorded.Index, Root: record.Root_ROOT_PEER},
		Kind: &record.Event_RepeatReceived{RepeatReceived: &record.RepeatReceived{Path: PathRecord(p.path), MessageId: p.h.MessageID, Digest: digest}}}
}

// done is the answer to an ask; with a refusal, that it cannot be done.
func (n *walker) done(a ask, refusal string) *record.Event {
	e := &a.effect
	switch e.Kind {
	case EffectMakeKeyShare:
		made := &record.KeyShareMade{Failure: refusal}
		if refusal == "" {
			made.Fresh = n.fresh(e.Group)
		}
		return a.completion(&record.Event{Kind: &record.Event_KeyShareMade{KeyShareMade: made}})
	case EffectAgree:
		return a.completion(&record.Event{Kind: &record.Event_Agreed{Agreed: &record.Agreed{Failure: refusal}}})
	case EffectMakeAuth:
		return a.completion(&record.Event{Kind: &record.Event_AuthMade{AuthMade: &record.AuthMade{Method: 2, Auth: []byte{n.name}, Failure: refusal}}})
	case EffectCheckAuth:
		verdict := &record.Authenticated{Good: refusal == "", Reason: refusal, Others: n.others(e.SA)}
		if !e.Initiator && verdict.Good {
			verdict.Method, verdict.Auth = 2, []byte{n.name}
		}
		return a.completion(&record.Event{Kind: &record.Event_Authenticated{Authenticated: verdict}})
	case EffectAllocateSPI:
		allocated := n.allocated(e, refusal)
		if refusal == "" {
			n.reserved[allocated.GetSpi()] = true
		}
		return a.completion(&record.Event{Kind: &record.Event_SpiAllocated{SpiAllocated: allocated}})
	case EffectInstallChild:
		ev := n.installed(e, refusal)
		delete(n.reserved, e.Install.InboundSPI) // taken, or given back with the refusal
		if done := ev.GetChildInstalled(); refusal == "" {
			n.kernel[e.Child] = pair{done.GetInboundSpi(), done.GetOutboundSpi()}
		}
		return a.completion(ev)
	}
	n.t.Fatalf("nobody can answer %v", e.Kind)
	return nil
}

// reconcile is what an engine does when it takes over: what the kernel has and the State does not know goes.
func (n *walker) reconcile() {
	known, spis := map[uint64]bool{}, map[uint32]bool{}
	n.s.EachSA(0, func(sa *IKESA) bool {
		for _, c := range sa.Children {
			known[c.Number], spis[c.InboundSPI] = true, true
		}
		return true
	})
	for spi := range n.reserved {
		if !spis[spi] {
			delete(n.reserved, spi) // the kernel lets go of it in time
		}
	}
	for number := range n.kernel {
		if !known[number] {
			delete(n.kernel, number)
		}
	}
}

// agree: after the quiet both ends have the same SAs with the same children, and nothing else.
func (w *walk) agree() {
	type end struct{ inbound, outbound uint32 }
	sas := [2]map[[2]uint64]map[end]bool{{}, {}}
	for i, n := range w.nodes {
		installed := 0
		n.s.EachSA(0, func(sa *IKESA) bool {
			if sa.Phase != Established || len(sa.Window.InFlight)+len(sa.Window.Waiting)+len(sa.Making) > 0 || sa.Serving != nil {
				w.t.Fatalf("node %d: ike%d is still %v, with %v in flight", i, sa.Number, sa.Phase, sa.Window.InFlight)
			}
			children := map[end]bool{}
			for _, c := range sa.Children {
				if n.kernel[c.Number] != (pair{c.InboundSPI, c.OutboundSPI}) || c.Phase != Installed {
					w.t.Fatalf("node %d: child%d is %v, the kernel has %x", i, c.Number, c.Phase, n.kernel[c.Number])
				}
				installed++
				e := end{c.InboundSPI, c.OutboundSPI}
				if i == 1 {
					e = end{c.OutboundSPI, c.InboundSPI}
				}
				children[e] = true
			}
			sas[i][[2]uint64{sa.SPIi, sa.SPIr}] = children
			return true
		})
		if installed != len(n.kernel) {
			w.t.Fatalf("node %d: the kernel has %x, the State %d children", i, n.kernel, installed)
		}
		if len(n.reserved) > 0 {
			w.t.Fatalf("node %d: SPIs %v are reserved and used by nobody", i, n.reserved)
		}
		for key := range n.timers {
			if key.kind != livenessTimer && key.kind != rekeyTimer && key.kind != lifeTimer {
				w.t.Fatalf("node %d: ike%d %v is still armed", i, key.sa, key.kind)
			}
		}
		if len(n.asks) > 0 {
			w.t.Fatalf("node %d: %d asks are open", i, len(n.asks))
		}
	}
	for spis, children := range sas[0] {
		theirs, ok := sas[1][spis]
		if !ok || len(theirs) != len(children) {
			w.t.Fatalf("%x: one end has children %v, the other %v (%v)", spis, children, theirs, ok)
		}
		for e := range children {
			if !theirs[e] {
				w.t.Fatalf("%x: child %x is there at one end only", spis, e)
			}
		}
	}
	if len(sas[0]) != len(sas[1]) {
		w.t.Fatalf("one end has %d SAs, the other %d", len(sas[0]), len(sas[1]))
	}
}
