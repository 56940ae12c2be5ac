package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Closing an IKE SA (RFC 7296, section 1.4.1): one INFORMATIONAL exchange whose request carries a Delete for the IKE SA.
// Its Child SAs go with it and get no Delete of their own.

// closeAsked: the operator wants an IKE SA or one of its children closed.
func (t *step) closeAsked(ev *record.CloseAsked) {
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ok {
		t.answer(t.ev.GetIkeSa(), ev.GetTicket(), "it is gone already")
		return
	}
	if ev.GetChildSa() != 0 {
		t.closeChild(sa, ev.GetChildSa(), ev.GetTicket())
		return
	}
	if next, ok := t.sa(sa.Successor); ok && sa.Phase == Rekeyed {
		sa = next // what it has become is meant; its own end goes on (PROTOCOL.md, D-16)
	}
	t.closeIKESA(&sa, t.decided(), ev.GetTicket(), t.s.config.Settings.DiscardAfter)
}

// closeIKESA is the only way an IKE SA of ours comes to be deleted, whoever asked. It sends nothing: the Delete waits in
// the window, so it cannot overtake a request that is still unanswered.
func (t *step) closeIKESA(sa *IKESA, decided Because, ticket uint64, lastResort int64) {
	switch sa.Phase {
	case HalfOpen:
		t.closeHalfOpen(sa, decided, ticket, lastResort)
		return
	case Lingering, Deleting:
		// asked twice is asked once: the first cause stands
		t.answer(sa.Number, ticket, "")
		return
	}
	if sa.Window.Wants(wishDeleteIKE, 0) {
		t.answer(sa.Number, ticket, "")
		return
	}
	sa.Decided = decided
	t.dropWishes(sa)
	t.dropUnasked(sa)
	if !sa.closing() {
		t.setTimer(sa, discardTimer, lastResort) // last resort; retransmission gives up first (PROTOCOL.md, D-19)
	}
	t.want(sa, Waiting{Wish: wishDeleteIKE, Decided: decided, Ticket: ticket})
	t.put(*sa)
}

// closing reports whether somebody wanted the SA closed: the last resort of that is armed.
func (sa *IKESA) closing() bool {
	_, armed := sa.timer(discardTimer)
	return armed
}

// closeHalfOpen ends a set-up. Before IKE_AUTH was sent or seen the peer has no SA that a Delete could name; with our
// IKE_AUTH unanswered it may have one, so the answer is waited for (PROTOCOL.md, D-24).
func (t *step) closeHalfOpen(sa *IKESA, decided Because, ticket uint64, lastResort int64) {
	if sa.Initiator && (sa.SetUp.Stage == AuthSent || sa.SetUp.Stage == CheckingAuth) {
		if !sa.closing() {
			sa.Decided = decided
			t.setTimer(sa, discardTimer, lastResort)
		}
		t.answer(sa.Number, ticket, "")
		t.put(*sa)
		return
	}
	sa.Decided = decided
	t.answer(sa.Number, ticket, "")
	t.discard(*sa, Refused, "closed before IKE_AUTH")
}

// dropWishes takes the wishes that have not had their turn: the SA is being closed (PROTOCOL.md, D-02).
func (t *step) dropWishes(sa *IKESA) {
	for _, w := range sa.Window.Waiting {
		t.dropWish(sa, w, "the ike sa is being deleted")
		t.answer(sa.Number, w.Ticket, "the ike sa is being deleted")
	}
	sa.Window.Waiting = nil
}

// buildDeleteIKE runs when the Delete's turn has come, from the state of that moment.
func (t *step) buildDeleteIKE(sa *IKESA, w Waiting) message {
	sa.Decided = w.Decided
	t.changePhase(sa, Deleting)
	return informational(ike.Delete{Protocol: ike.ProtocolIKE})
}

// ikeDeleteAnswered ends that exchange. What the response carries does not matter: that it is authentic and has our
// message id is the whole of its meaning.
func (t *step) ikeDeleteAnswered(sa IKESA, id uint32) {
	request, _ := t.requestDone(&sa, id)
	t.answer(sa.Number, request.Wish.Ticket, "")
	sa.Decided = t.decided()
	if sa.Successor != 0 {
		t.discard(sa, Replaced, ikeName(sa.Successor))
		return
	}
	t.discard(sa, Acknowledged, "")
}

// serveDeleteIKE answers the peer's Delete of the IKE SA and lingers for its repeats (PROTOCOL.md, D-03). Where our own
// Delete is under way both ends asked at once: ours is forgotten (section 2.25.2).
func (t *step) serveDeleteIKE(sa IKESA, to Answering) {
	t.respond(&sa, to)
	if c, ok := sa.making(0); ok && c.Rival.there() {
		t.rivalStands(&sa, c) // the peer saw no collision, or won it (PROTOCOL.md, CR-6)
	}
	cause, detail := PeerAsked, "request "+decimal(to.ID)
	switch {
	case sa.Phase == Deleting:
		cause = BothAtOnce
	case sa.Successor != 0:
		cause, detail = Replaced, ikeName(sa.Successor)
	}
	t.linger(sa, cause, detail)
}
