package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What an event does to an entry.

func (s *ikeSA) event(n *now) {
	if m := n.in; m != nil {
		s.receives(n, m)
	}
	switch k := n.ev.GetKind().(type) {
	case *record.Event_TimerFired:
		s.fired(n, k.TimerFired)
	case *record.Event_KeyShareMade:
		if ref := k.KeyShareMade.GetFresh().GetKeyRef(); ref != 0 && n.acted() && s.established == 0 {
			s.hold(n, ref)
		}
	case *record.Event_Agreed:
		if r := s.request(0); r != nil && r.exchange == ike.IKE_SA_INIT && n.acted() && k.Agreed.GetFailure() == "" {
			s.finish(n, r)
		}
	case *record.Event_Authenticated:
		if n.acted() {
			s.auth.good, s.auth.bad = k.Authenticated.GetGood(), !k.Authenticated.GetGood()
			s.auth.step = n.step
		}
	case *record.Event_SpiAllocated:
		if c := s.child(k.SpiAllocated.GetChildSa()); c != nil && k.SpiAllocated.GetSpi() != 0 {
			c.in, c.reserved = k.SpiAllocated.GetSpi(), true
		}
	case *record.Event_ChildInstalled:
		s.installed(n, k.ChildInstalled)
	}
	if at := refOf(n.ev.GetBecause()); n.ev.GetBecause().GetEdge() == record.Edge_EDGE_ANSWERS {
		s.asks = without(s.asks, func(a *ask) bool { return a.at == at })
	}
}

// receives is a datagram or a repeat.
func (s *ikeSA) receives(n *now, m *message) {
	if m.repeat {
		if r := s.response(m.id); r != nil && r.request == m.short {
			r.came++
		}
		return
	}
	if !n.acted() || m.exchange == ike.IKE_SA_INIT && !m.response {
		return
	}
	if m.protected {
		s.heard = n.time
	}
	if m.window > s.window {
		s.window = m.window
	}
	if m.response {
		s.answeredBy(n, m)
		return
	}
	s.takes(n, m)
	s.heardIn, s.heardRequest, s.fresh = true, n.time, m.path
	deleted := m.spis
	if m.exchange != ike.INFORMATIONAL {
		deleted = nil
	}
	children := s.children
	if s.successor != nil {
		children = s.successor.children // which has them all
	}
	for _, spi := range deleted {
		for i := range children {
			if c := &children[i]; c.out == spi && c.out != 0 && !c.removed && !c.peerDeleted && m.ikeDelete == 0 {
				c.peerDeleted, c.peerNow = true, true
				if !c.deleted && len(s.deletes.expected) < mostChildren {
					s.deletes.expected = append(s.deletes.expected, c.in)
				}
			}
		}
	}
}

// takes is a request of the peer that is being answered.
func (s *ikeSA) takes(n *now, m *message) {
	s.deletes.expected = s.deletes.expected[:0]
	s.asked = inbound{there: true, id: m.id, exchange: m.exchange, short: m.short, size: m.size, step: n.step, path: m.path,
		ikeDelete: m.ikeDelete > 0 && m.exchange == ike.INFORMATIONAL, spis: len(m.spis) > 0} // a Delete elsewhere deletes nothing (B-22)
	s.fresh = m.path
}

// answeredBy ends a request of ours. IKE_SA_INIT is over only when keys are agreed on the responder's choice: COOKIE, errors
// and a response that may be forged leave it open (PROTOCOL.md W-21).
func (s *ikeSA) answeredBy(n *now, m *message) {
	r := s.request(m.id)
	if r == nil || r.exchange != m.exchange {
		return
	}
	if m.exchange == ike.IKE_SA_INIT {
		if s.init.answered(m); m.hasSA && s.agreed == 0 {
			s.spiR, s.aead = m.spiR, m.aead()
			s.nat = m.natSource[1] > 0 && m.natSource[0] == 0 || m.natHere[1] > 0 && m.natHere[0] == 0
		}
		return
	}
	s.finish(n, r)
}

// finish takes an answered request out of the window.
func (s *ikeSA) finish(n *now, r *request) {
	s.done = finished{there: true, childDelete: r.childDelete, id: r.id, at: n.time, rtt: n.time - r.last, step: n.step, sends: r.sends,
		ikeDelete: r.ikeDelete, refusal: r.refusal}
	for i := range s.children {
		if c := &s.children[i]; c.deleted && c.deleteID == s.done.id {
			c.answered = true
		}
	}
	s.open = without(s.open, func(o *request) bool { return o.id == s.done.id })
}

func (s *ikeSA) fired(n *now, f *record.TimerFired) {
	at := refOf(n.ev.GetBecause())
	if f.GetTimer() == record.Timer_TIMER_RETRANSMIT {
		if r := s.request(f.GetMessageId()); r != nil && r.timer.at == at {
			r.timer = armed{}
		}
		return
	}
	if t := int(f.GetTimer()); t >= 0 && t < timerKinds && s.timers[t].at == at {
		s.timers[t] = armed{}
	}
}

func (s *ikeSA) installed(n *now, i *record.ChildInstalled) {
	c := s.child(i.GetChildSa())
	if c == nil {
		return
	}
	c.reserved = false
	if i.GetRefusal() != "" {
		c.refused = true
		return
	}
	c.hasIn, c.hasOut = true, true
	if i.GetInboundSpi() != 0 {
		c.in = i.GetInboundSpi()
	}
	if i.GetOutboundSpi() != 0 {
		c.out = i.GetOutboundSpi()
	}
	n.j.useChildSPI(c.in, c.number)
}

// hold makes ref the SA's key.
func (s *ikeSA) hold(n *now, ref uint64) {
	s.keyRef = ref
	if _, taken := n.j.keys[ref]; !taken {
		n.j.keys[ref] = s.number
	}
}

// recovered is the start of a run that takes this SA over: its timers and what it waited for ended with the run before.
func (s *ikeSA) recovered(n *now) {
	s.acrossRun, s.lastRun = true, n.time
	s.closing.shortened = false // the shutdown that did it has ended with its run
	s.lostAsks, s.askedAgain = 0, 0
	for _, a := range s.asks {
		if c := s.child(a.child); a.kind != askRemove && a.child != 0 && (c == nil || c.phase == record.ChildPhase_CHILD_PHASE_REMOVED) {
			continue // nobody wants it any more
		}
		if a.child == 0 && s.established != 0 && s.phase != record.Phase_PHASE_ESTABLISHED {
			continue // it is at its end and not rekeyed any more
		}
		s.lostAsks |= 1 << a.kind
	}
	s.asks = s.asks[:0]
	s.timers = [timerKinds]armed{}
	for i := range s.open {
		s.open[i].timer = armed{}
	}
}
