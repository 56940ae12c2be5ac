package reducer

import "github.com/ikejd/ikejd/proto/ike"

// Refusing a responder that has already let us in (RFC 7296, section 2.21.2): its AUTH, identity or message is bad, but
// it holds an SA. It is told in an INFORMATIONAL request of its own, sent three times at most; there is no Delete.

// refuseAuth tells the peer and forgets the SA when it has answered, or not (PROTOCOL.md, D-25).
func (t *step) refuseAuth(sa IKESA, notify ike.NotifyType, reason string) {
	if t.tryAnother(sa) {
		return // who was refused was not the peer, and gets no word of ours
	}
	setUp := *sa.SetUp
	setUp.Failure, setUp.Refusal, setUp.Stage = reason, notify, AuthSent // nothing is asked of the keyring any more
	sa.SetUp = &setUp
	sa.Cause, sa.Detail, sa.Decided = Refused, reason, t.decided()
	t.dropChildren(&sa)
	t.answer(sa.Number, sa.Ticket, reason)
	sa.Ticket = 0
	t.want(&sa, Waiting{Wish: wishRefuseAuth, Decided: t.decided()})
	t.put(sa)
}

// buildRefuseAuth is IN {N(AUTHENTICATION_FAILED)}, or what else the peer's message deserves.
func (t *step) buildRefuseAuth(sa *IKESA) message {
	return informational(ike.Notify{Type: sa.SetUp.Refusal})
}

// refusedByPeer: the first request after IKE_AUTH says that the peer did not accept ours. The SA is gone there; here it
// lingers for repeats of that request.
func (t *step) refusedByPeer(sa IKESA, to Answering, notify ike.NotifyType) {
	t.respond(&sa, to)
	t.linger(sa, Refused, "the peer did not accept us: "+notify.String())
}

// endsSA reports whether a notify in a protected request ends the SA at its sender (section 2.21.2).
func endsSA(n ike.NotifyType) bool {
	switch n {
	case ike.NotifyAuthenticationFailed, ike.NotifyInvalidSyntax, ike.NotifyUnsupportedCriticalPayload:
		return true
	}
	return false
}
