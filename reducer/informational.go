package reducer

import "github.com/ikejd/ikejd/proto/ike"

// INFORMATIONAL exchanges (RFC 7296, section 1.4): deletes, notifies, or nothing at all, which asks whether we live. A
// request is always answered, whatever it says.

// serveInformational takes one: a Delete of the IKE SA wins over all else in the message (PROTOCOL.md, D-12).
func (t *step) serveInformational(sa IKESA, to Answering, payloads *ike.Payloads) {
	var spis []uint32
	closes := false
	for _, p := range payloads.All() {
		if p.Type != ike.PayloadDelete {
			continue
		}
		d, err := ike.ParseDelete(p.Body)
		switch {
		case err != nil:
			t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, err.Error()) // N-60, X-32
			return
		case d.Protocol == ike.ProtocolIKE:
			closes = true
		case d.Protocol == ike.ProtocolESP:
			spis = append(spis, d.SPIs...)
		}
	}
	first := !sa.Initiator && to.ID == 2 // after IKE_SA_INIT and IKE_AUTH
	switch n, refused := firstError(payloads); {
	case closes:
		t.serveDeleteIKE(sa, to)
	case refused && first && endsSA(n.Type):
		t.refusedByPeer(sa, to, n.Type) // D-25
	case len(spis) > 0:
		t.serveDeleteChild(sa, to, spis)
	default:
		t.respond(&sa, to)
		t.put(sa)
	}
}

// informationalAnswered ends a liveness check or a Delete of Child SAs.
func (t *step) informationalAnswered(sa IKESA, request Request, payloads *ike.Payloads, malformed error) {
	t.requestDone(&sa, request.ID)
	if malformed == nil {
		if n, ok := firstError(payloads); ok && n.Type == ike.NotifyInvalidSyntax {
			sa.Decided = t.decided()
			t.answer(sa.Number, request.Wish.Ticket, "")                                               // a child that was to go goes with the SA
			t.discard(sa, Damaged, "the peer answered INVALID_SYNTAX to request "+decimal(request.ID))
			return
		}
	}
	if request.Wish.Wish == wishDeleteChild {
		t.childDeleteAnswered(&sa, request.Wish) // D-07: whatever the response names, what we deleted is gone
	}
	t.pump(&sa)
	t.put(sa)
}
