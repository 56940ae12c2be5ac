package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// An audit that begins in the middle of a journal begins with a snapshot: its SAs are taken as they stand.

// seed makes the entry of an SA of a snapshot.
func (t *table) seed(sa *record.IKESA, time int64) {
	s := t.insert(sa.GetNumber(), time)
	t.highest = max(t.highest, sa.GetNumber())
	w := sa.GetWindow()
	s.role = responder
	if sa.GetInitiator() {
		s.role = initiator
	}
	s.spiI, s.spiR, s.phase, s.phaseAt, s.cause = sa.GetSpiI(), sa.GetSpiR(), sa.GetPhase(), time, sa.GetCause()
	s.born, s.established, s.heard, s.heardRequest = int64(sa.GetCreated()), int64(sa.GetEstablished()), int64(sa.GetLastHeard()), int64(sa.GetLastHeard())
	s.window, s.ownWindow = max(w.GetPeerSize(), 1), max(w.GetSize(), 1)
	s.nextOut, s.nextIn, s.sentAny, s.heardIn = uint64(w.GetNextOut()), w.GetNextIn(), w.GetNextOut() > 0, w.GetNextIn() > 0
	s.keyRef, s.nat = sa.GetKeyRef(), sa.GetLocalNat() || sa.GetRemoteNat()
	s.path = pathOf(sa.GetPath())
	s.fresh, s.first = s.path, s.path
	s.auth.good, s.auth.ownSent = s.phase >= record.Phase_PHASE_ESTABLISHED, s.phase >= record.Phase_PHASE_ESTABLISHED
	s.aead = isAEAD(uint16(sa.GetSuite().GetEncr()))
	s.seedWindow(w)
	for _, c := range sa.GetChildren() {
		s.seedChild(c)
	}
	for _, armedTimer := range sa.GetTimers() {
		if i := int(armedTimer.GetTimer()); i >= 0 && i < timerKinds {
			s.timers[i] = armedOf(armedTimer)
		}
	}
	if u := sa.GetSetUp(); u != nil {
		s.auth.ownSent = s.auth.ownSent || s.role == initiator && len(s.open) > 0 && s.open[0].exchange == ike.IKE_AUTH || u.GetFailure() != ""
		s.partial = true // what the set-up waits for is not all in a snapshot
	}
}

func (s *ikeSA) seedWindow(w *record.WindowState) {
	for _, o := range w.GetInFlight() {
		r := request{id: o.GetMessageId(), exchange: ike.ExchangeType(o.GetExchange()), wish: o.GetWish().GetWish(), sends: o.GetSends(),
			of: ref{o.GetStep(), o.GetIndex()}, sent: int64(o.GetFirstSent()), last: int64(o.GetLastSent()), timer: armedOf(o.GetTimer()), path: s.path}
		r.ikeDelete = r.wish == record.Wish_WISH_DELETE_IKE
		r.childDelete = r.wish == record.Wish_WISH_DELETE_CHILD
		r.empty = r.wish == record.Wish_WISH_LIVENESS
		r.refusal = r.wish == record.Wish_WISH_REFUSE_AUTH
		if r.ikeDelete {
			s.closing.deleteStep, s.closing.deleteID = r.of.step, r.id
		}
		s.open = bounded(s.open, r, mostOpen)
	}
	for _, o := range w.GetWaiting() {
		s.wishes = keep(s, s.wishes, wish{wish: o.GetWish(), child: o.GetChildSa(), at: ref{o.GetStep(), o.GetIndex()},
			decided: o.GetDecided().GetStep()}, mostWishes)
	}
	for _, o := range w.GetAnswered() {
		s.answered = bounded(s.answered, response{id: o.GetMessageId(), request: o.GetRequest(), of: ref{o.GetStep(), o.GetIndex()},
			came: o.GetSends(), went: o.GetSends()}, mostAnswered)
	}
	if a := w.GetAnswering(); a != nil {
		s.asked = inbound{there: true, id: a.GetMessageId(), exchange: ike.ExchangeType(a.GetExchange()), short: a.GetRequest(), path: pathOf(a.GetPath())}
	}
}

func (s *ikeSA) seedChild(c *record.ChildSA) {
	k := child{number: c.GetNumber(), in: c.GetInboundSpi(), out: c.GetOutboundSpi(), phase: c.GetPhase(), peerDeleted: c.GetOutboundGone()}
	k.hasIn, k.hasOut = c.GetInstalled() != 0, c.GetInstalled() != 0 && !c.GetOutboundGone()
	k.deleted = k.phase == record.ChildPhase_CHILD_PHASE_DELETING
	k.reserved = !k.hasIn && k.in != 0
	s.children = keep(s, s.children, k, mostChildren)
	if at := (ref{c.GetAskedStep(), c.GetAskedIndex()}); at.step != 0 {
		kind := askInstall
		if c.GetInboundSpi() == 0 && c.GetInitiator() {
			kind = askSPI
		}
		s.asks = keep(s, s.asks, ask{at: at, kind: kind, child: k.number}, mostAsks)
	}
}

// seedDatagram is a datagram that a window may have to send again.
func (s *ikeSA) seedDatagram(d *record.SentDatagram) {
	at := ref{d.GetStep(), d.GetIndex()}
	for i := range s.open {
		if s.open[i].of == at {
			s.open[i].digest = digestOf(d.GetDatagram())
		}
	}
	for i := range s.answered {
		if s.answered[i].of == at {
			s.answered[i].digest, s.answered[i].size = digestOf(d.GetDatagram()), len(d.GetDatagram())
		}
	}
}

func armedOf(t *record.ArmedTimer) armed {
	return armed{on: t.GetTimer() != record.Timer_TIMER_NONE, deadline: int64(t.GetDeadline()), at: ref{t.GetStep(), t.GetIndex()}}
}
