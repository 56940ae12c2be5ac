package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What an effect does to an entry.

// sends is a message that leaves.
func (s *ikeSA) sends(n *now, m *message) {
	s.sentAt = n.time
	if m.protected {
		s.ivs[side(m.response)].use(m)
	}
	switch {
	case m.response && m.copy:
		if r := s.response(m.id); r != nil {
			r.went++
		}
	case m.response:
		s.answers(n, m)
	case m.copy:
		s.sendsAgain(n, m)
	default:
		s.requests(n, m)
	}
}

func side(response bool) int {
	if response {
		return 1
	}
	return 0
}

// answers is a response of ours.
func (s *ikeSA) answers(n *now, m *message) {
	r := response{id: m.id, exchange: m.exchange, request: s.asked.short, requestSize: s.asked.size, digest: m.digest, of: m.of, came: 1, went: 1, size: m.size}
	s.answered = without(s.answered, func(old *response) bool { return old.id == m.id })
	s.answered = bounded(s.answered, r, mostAnswered)
	if s.asked.there && s.asked.id == m.id {
		s.closing.peerAsked = s.closing.peerAsked || s.asked.ikeDelete
		s.asked = inbound{}
	}
	s.nextIn = max(s.nextIn, m.id+1)
	s.ownWindow = max(s.ownWindow, m.window)
	if m.exchange == ike.IKE_SA_INIT && m.spiR != 0 {
		s.spiR, s.aead, s.first = m.spiR, m.aead(), m.path
	}
	s.auth.ownSent = s.auth.ownSent || m.hasAuth
	s.auth.refusedByUs = s.auth.refusedByUs || m.failed(ike.NotifyAuthenticationFailed)
}

// sendsAgain is a copy of a request of ours.
func (s *ikeSA) sendsAgain(n *now, m *message) {
	r := s.request(m.id)
	if r == nil {
		return
	}
	gap := n.time - r.last
	if s.restarted(n, r, m) {
		gap = 0 // it belongs to the schedule before
	}
	r.gap, r.last, r.path, r.run, r.afterOrder = gap, n.time, m.path, uint32(n.j.run), n.j.order.on
	r.sends++
	s.path = m.path
}

// restarted reports whether a copy begins a schedule anew: the first in a run, after a shutdown order, on another path.
func (s *ikeSA) restarted(n *now, r *request, m *message) bool {
	return r.run != uint32(n.j.run) || r.afterOrder != n.j.order.on || r.path != m.path
}

// requests is a new request of ours, or IKE_SA_INIT again with a cookie or another group.
func (s *ikeSA) requests(n *now, m *message) {
	w := s.wishAt(m.serves)
	r := request{id: m.id, exchange: m.exchange, sends: 1, digest: m.digest, of: m.of, sent: n.time, last: n.time, ikeDelete: m.ikeDelete > 0,
		childDelete: len(m.spis) > 0, empty: m.empty(), path: m.path, run: uint32(n.j.run), afterOrder: n.j.order.on,
		refusal: m.exchange == ike.INFORMATIONAL && len(m.errors) > 0 && m.ikeDelete == 0}
	if w != nil {
		r.wish = w.wish
		for i := range s.wishes {
			if s.wishes[i].at == m.serves {
				break
			}
			s.wishes[i].passed = true
		}
	}
	if old := s.request(m.id); old != nil {
		r.wish = old.wish
	}
	s.wishes = without(s.wishes, func(w *wish) bool { return w.at == m.serves })
	s.open = without(s.open, func(old *request) bool { return old.id == m.id })
	s.open = bounded(s.open, r, mostOpen)
	s.usedWindow = max(s.usedWindow, len(s.open))
	s.sentAny, s.acrossRun = true, false
	s.nextOut = max(s.nextOut, uint64(m.id)+1)
	s.path = m.path
	s.ownWindow = max(s.ownWindow, m.window)
	if m.exchange == ike.IKE_SA_INIT {
		s.spiI = m.spiI
		if s.role == unknownRole {
			s.role = initiator
		}
		s.first = m.path
		s.init.sent(m)
	}
	s.auth.ownSent = s.auth.ownSent || m.hasAuth
	if m.ikeDelete > 0 && s.closing.deleteStep == 0 {
		s.closing.deleteStep, s.closing.deleteID = n.step, m.id
	}
	for _, spi := range m.spis {
		for i := range s.children {
			if c := &s.children[i]; c.in == spi {
				c.deleted, c.deleteID, c.answered = true, m.id, false
			}
		}
	}
}

// agrees on keys with a responder; with another one than before all that is protected begins anew (PROTOCOL.md W-21).
func (s *ikeSA) agrees(spiR uint64) {
	if s.role == initiator && s.agreed != 0 && s.agreed != spiR {
		s.spiR, s.nextOut, s.ivs[0] = spiR, 1, ivState{}
		s.auth = authState{} // what the responder before said of it does not matter
		s.open = without(s.open, func(r *request) bool { return r.exchange != ike.IKE_SA_INIT })
	}
	s.agreed = spiR
}

func (s *ikeSA) effect(n *now, e *record.Effect) {
	switch k := e.GetKind().(type) {
	case *record.Effect_SetTimer:
		s.arm(n, k.SetTimer)
	case *record.Effect_CancelTimer:
		if k.CancelTimer.GetTimer() == record.Timer_TIMER_RETRANSMIT {
			if r := s.request(k.CancelTimer.GetMessageId()); r != nil {
				r.timer = armed{}
			}
		} else if t := int(k.CancelTimer.GetTimer()); t >= 0 && t < timerKinds {
			s.timers[t] = armed{}
		}
	case *record.Effect_MakeKeyShare:
		s.ask(n, askShare, e.GetChildSa())
	case *record.Effect_Agree:
		if k.Agree.GetOldRef() == 0 && e.GetChildSa() == 0 {
			s.hold(n, k.Agree.GetKeyRef())
			s.agrees(k.Agree.GetSpiR())
		} else {
			s.rekeys(k.Agree)
		}
		s.ask(n, askAgree, e.GetChildSa())
	case *record.Effect_MakeAuth:
		s.ask(n, askMake, 0)
	case *record.Effect_CheckAuth:
		s.ask(n, askCheck, 0)
	case *record.Effect_AllocateSpi:
		s.ask(n, askSPI, e.GetChildSa())
	case *record.Effect_InstallChild:
		s.ask(n, askInstall, e.GetChildSa())
		if c := s.child(e.GetChildSa()); c != nil {
			c.in, c.out = max(c.in, k.InstallChild.GetInboundSpi()), k.InstallChild.GetOutboundSpi()
		}
	case *record.Effect_RemoveChild:
		s.ask(n, askRemove, e.GetChildSa())
		s.removes(n, e.GetChildSa(), k.RemoveChild)
	case *record.Effect_DestroyKeys:
		s.destroys(n, k.DestroyKeys.GetKeyRef())
	case *record.Effect_Wanted:
		s.wishes = keep(s, s.wishes, wish{wish: k.Wanted.GetWish(), child: e.GetChildSa(), at: ref{n.step, n.index},
			decided: k.Wanted.GetDecided().GetStep(), time: n.time}, mostWishes)
	case *record.Effect_Dropped:
		if at := refOf(e.GetBecause()); at.step != 0 {
			s.wishes = without(s.wishes, func(w *wish) bool { return w.at == at })
		}
	case *record.Effect_Changed:
		if e.GetChildSa() != 0 {
			s.childChanged(n, e.GetChildSa(), k.Changed)
		} else {
			s.succeeds(n, k.Changed)
			s.changed(n, k.Changed)
		}
	case *record.Effect_Discarded:
		s.ended, s.endStep, s.endedNow, s.cause = n.time, n.step, true, k.Discarded.GetCause()
		s.open, s.asked = s.open[:0], inbound{}
	}
}

func (s *ikeSA) arm(n *now, t *record.SetTimer) {
	a := armed{on: true, deadline: int64(t.GetDeadline()), at: ref{n.step, n.index}}
	if t.GetTimer() == record.Timer_TIMER_RETRANSMIT {
		if r := s.request(t.GetMessageId()); r != nil {
			r.timer = a
		}
	} else if i := int(t.GetTimer()); i >= 0 && i < timerKinds {
		s.timers[i] = a
	}
}

func (s *ikeSA) ask(n *now, kind askKind, child uint64) {
	s.askedAgain |= 1 << kind
	s.asks = keep(s, s.asks, ask{at: ref{n.step, n.index}, kind: kind, child: child}, mostAsks)
}

func (s *ikeSA) removes(n *now, number uint64, r *record.RemoveChild) {
	c := s.child(number)
	if c == nil {
		return
	}
	if r.GetInboundSpi() != 0 {
		c.hasIn, c.reserved, c.earlyIn = false, false, true
		n.j.freeChildSPI(r.GetInboundSpi(), number)
	}
	if r.GetOutboundSpi() != 0 {
		c.hasOut, c.earlyOut = false, true
	}
	c.removed = !c.hasIn && !c.hasOut
	if c.hasIn != c.hasOut && c.halfSince == 0 {
		c.halfSince = n.time
	}
}

func (s *ikeSA) destroys(n *now, ref uint64) {
	if s.keyRef == ref {
		s.keyRef = 0
	}
	s.destroyed = bounded(s.destroyed, ref, 4)
	if n.j.keys[ref] == s.number {
		delete(n.j.keys, ref)
	}
}

func (s *ikeSA) changed(n *now, c *record.Changed) {
	s.phase, s.cause = c.GetTo(), c.GetCause()
	if s.phase != record.Phase_PHASE_DISCARDED { // what asks since when wants the last phase of its life
		s.phaseAt, s.phaseStep = n.time, n.step
	}
	switch c.GetTo() {
	case record.Phase_PHASE_ESTABLISHED:
		s.established = n.time
		s.peer = identityOf(c)
	case record.Phase_PHASE_LINGERING:
		s.deathsNow++
		s.open, s.wishes = s.open[:0], s.wishes[:0]
	case record.Phase_PHASE_DISCARDED:
		s.deathsNow++
	}
}

func (s *ikeSA) childChanged(n *now, number uint64, change *record.Changed) {
	if from := n.a.table.find(change.GetPredecessor()); from != nil {
		s.inherits(from, number)
	}
	c := s.child(number)
	if c == nil {
		s.children = keep(s, s.children, child{number: number}, mostChildren)
		c = &s.children[len(s.children)-1]
	}
	c.phase = change.GetChildTo()
	c.replaced = c.phase == record.ChildPhase_CHILD_PHASE_REKEYED || c.replaced && c.phase == record.ChildPhase_CHILD_PHASE_REMOVED
	if change.GetInboundSpi() != 0 {
		c.in = change.GetInboundSpi()
	}
	if change.GetOutboundSpi() != 0 {
		c.out = change.GetOutboundSpi()
	}
	if c.phase == record.ChildPhase_CHILD_PHASE_REMOVED {
		s.children = without(s.children, func(o *child) bool {
			return o.phase == record.ChildPhase_CHILD_PHASE_REMOVED && !o.hasIn && !o.hasOut && len(s.children) > mostChildren/2
		})
	}
}

// settle ends what is true only while one record is judged.
func (s *ikeSA) settle() {
	s.endedNow, s.bornNow, s.deathsNow = false, false, 0
	for i := range s.children {
		c := &s.children[i]
		c.earlyIn, c.earlyOut, c.peerNow = false, false, false
		if c.hasIn == c.hasOut {
			c.halfSince = 0
		}
	}
}
