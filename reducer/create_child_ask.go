package reducer

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
)

// CREATE_CHILD_SA as initiator (RFC 7296, sections 1.3.1 to 1.3.3).

// wantChild begins to make a Child SA; replaces is the one whose place it is to take, or 0.
func (t *step) wantChild(sa *IKESA, config ChildConfig, replaces uint64, ticket uint64) {
	c := Creation{Kind: NewChild, Initiator: true, Replaces: replaces, Group: firstGroup(config.Proposals), Wanted: t.decided(),
		Ticket: ticket, Child: t.offerChild(sa, config)}
	if replaces != 0 {
		c.Kind = RekeyedChild
	}
	t.prepare(sa, &c)
	sa.keep(c)
}

// firstGroup is the key exchange that a Child SA begins with: none if there may be none.
func firstGroup(proposals []Proposal) ike.Group {
	if groups := proposals[0].groups(); len(groups) > 0 && !slices.Contains(groups, ike.GroupNone) {
		return groups[0]
	}
	return ike.GroupNone
}

// queueWhenReady wants the request sent once nothing it needs is missing.
func (t *step) queueWhenReady(sa *IKESA, c Creation) {
	i := sa.place(c.Child)
	if c.Ni == nil || c.Stage != Preparing || c.Child != 0 && sa.Children[i].InboundSPI == 0 {
		return
	}
	if sa.Window.Wants(wishDeleteIKE, 0) {
		t.failCreation(sa, c, "the ike sa is being deleted")
		return
	}
	c.Stage = Queued
	sa.keep(c)
	t.want(sa, Waiting{Wish: c.Kind.wish(), Child: c.Child, Decided: c.Wanted})
}

// buildCreateChild is HDR, SK {[N(REKEY_SA),] [N(USE_TRANSPORT_MODE),] SA, Ni, [KEi,] TSi, TSr}. There is nothing to build
// when the Child SA to be replaced has gone, or been replaced, meanwhile.
func (t *step) buildCreateChild(sa *IKESA, w Waiting) (message, bool) {
	c, ok := sa.making(w.Child)
	if !ok || sa.Phase != Established {
		t.dropWish(sa, w, "nobody wants it any more")
		if ok {
			t.failCreation(sa, c, "the ike sa is "+sa.Phase.String())
		}
		return message{}, false
	}
	if c.Kind == RekeyedIKE {
		return t.buildRekeyIKE(sa, c), true
	}
	var bodies []ike.Body
	if c.Kind == RekeyedChild {
		old := sa.childOf(c.Replaces)
		if old == nil || old.Phase != Installed {
			t.dropWish(sa, w, "the child to be rekeyed is gone already")
			t.failCreation(sa, c, "")
			return message{}, false
		}
		bodies = append(bodies, ike.ChildNotify(ike.NotifyRekeySA, old.Protocol, old.InboundSPI))
	}
	c.Stage = Asked
	sa.keep(c)
	child := sa.childOf(c.Child)
	connection, _ := t.connection(sa.Connection)
	config, _ := connection.child(child.Name)
	suites := offer(config.Proposals, child.Protocol, spiOctets(child.InboundSPI))
	return message{ike.CREATE_CHILD_SA, append(bodies, child.payloads(suites, c.ours()...)...)}, true
}

// createChildAnswered takes the response to one. What it cannot use fails that exchange alone (PROTOCOL.md, X-36).
func (t *step) createChildAnswered(sa IKESA, request Request, payloads *ike.Payloads, malformed error) {
	t.requestDone(&sa, request.ID)
	c, ok := sa.making(request.Wish.Child)
	if !ok {
		panic("response to a create_child_sa request of nothing")
	}
	_, critical := ike.UnknownCritical(payloads)
	n, refused := firstError(payloads)
	closing := sa.Phase != Established || sa.Window.Wants(wishDeleteIKE, 0)
	switch {
	case closing && c.Kind != RekeyedIKE:
		t.failCreation(&sa, c, "the ike sa is being deleted")
	case malformed != nil || critical:
		t.answerUseless(&sa, c, "the peer's answer is malformed")
	case refused && n.Type == ike.NotifyInvalidSyntax:
		sa.Decided = t.decided()
		t.discard(sa, Damaged, "the peer answered INVALID_SYNTAX to request "+decimal(request.ID))
		return
	case refused:
		t.creationRefused(&sa, c, n)
	case c.Kind == RekeyedIKE:
		t.rekeyIKEAnswered(&sa, c, payloads)
	default:
		t.childAnswered(&sa, c, payloads)
	}
	t.pump(&sa)
	t.put(sa)
}

// answerUseless: the peer has made what we cannot use. The Delete of a Child SA clears its half; for an IKE SA that it may
// have moved to, only the end of this one helps.
func (t *step) answerUseless(sa *IKESA, c Creation, problem string) {
	if c.Kind == RekeyedIKE {
		t.failCreation(sa, c, problem)
		t.want(sa, Waiting{Wish: wishDeleteIKE, Decided: t.decided()})
		return
	}
	sa.over(c)
	t.destroyShare(sa, c.KeyRef)
	t.answer(sa.Number, c.Ticket, problem)
	t.wantChildDeleted(sa, c.Child)
	t.rekeyFailed(sa, c)
}

// creationRefused takes an error notify in the answer.
func (t *step) creationRefused(sa *IKESA, c Creation, n ike.Notify) {
	problem := "the peer refused: " + n.Type.String()
	switch {
	case c.Rival.there():
		t.rivalStands(sa, c) // the peer's own rekey has made ours needless (PROTOCOL.md, CR-8)
	case n.Type == ike.NotifyInvalidKEPayload:
		t.groupRefusedAgain(sa, c, n)
	case n.Type == ike.NotifyTemporaryFailure && c.Kind != NewChild:
		t.temporaryFailure(sa, c)
	case n.Type == ike.NotifyChildSANotFound && c.Kind == RekeyedChild:
		t.childNotFound(sa, c, n)
	default:
		t.failCreation(sa, c, problem)
		t.rekeyFailed(sa, c)
	}
}

// groupRefusedAgain starts again with the group the peer names, if we offered it and have not sent it (PROTOCOL.md, X-28). It
// is a new exchange, with a nonce of its own.
func (t *step) groupRefusedAgain(sa *IKESA, c Creation, n ike.Notify) {
	group, err := ike.ParseInvalidKE(n.Data)
	if err != nil || group == c.Group || slices.Contains(c.Tried, group) || !t.offersGroup(sa, c, group) {
		t.failCreation(sa, c, "the peer wants a key exchange that was not offered, or was sent already")
		t.rekeyFailed(sa, c)
		return
	}
	t.destroyShare(sa, c.KeyRef)
	c.Tried, c.Group, c.KeyRef, c.Ni = with(c.Tried, c.Group), group, 0, nil
	t.prepare(sa, &c)
	sa.keep(c)
}

func (t *step) offersGroup(sa *IKESA, c Creation, group ike.Group) bool {
	connection, _ := t.connection(sa.Connection)
	proposals := connection.Proposals
	if c.Kind != RekeyedIKE {
		config, _ := connection.child(sa.childOf(c.Child).Name)
		proposals = config.Proposals
	}
	return slices.ContainsFunc(proposals, func(p Proposal) bool { return slices.Contains(p.groups(), group) })
}

// childAnswered takes the peer's choice for a Child SA. A Delete of it that overtook the answer means that it is dead already
// (PROTOCOL.md, D-10).
func (t *step) childAnswered(sa *IKESA, c Creation, payloads *ike.Payloads) {
	i := sa.place(c.Child)
	child := sa.Children[i]
	connection, _ := t.connection(sa.Connection)
	config, _ := connection.child(child.Name)
	problem := chosenChild(&child, config, config.Proposals, payloads)
	nonce, hasNonce := payloads.First(ike.PayloadNonce)
	public, group := keyExchange(payloads)
	switch {
	case problem != "":
	case !hasNonce:
		problem = "the peer's answer has no nonce"
	case group != child.Suite.Group || group != c.Group:
		problem = "the peer's key exchange value is not of the group it chose"
	}
	if problem != "" {
		t.answerUseless(sa, c, problem)
		return
	}
	peer, err := ike.ParseNonce(nonce.Body)
	if err != nil {
		t.answerUseless(sa, c, err.Error())
		return
	}
	c.Nr, c.PeerPublic, c.PeerSPI = peer.Data, public, uint64(child.OutboundSPI)
	child.OutboundSPI = 0 // until it is installed: what the kernel does not have is not the child's
	sa.Children = replaced(sa.Children, i, child)
	switch {
	case sa.place(c.Rival.SA) >= 0 && c.lost(sa):
		t.childRekeyLost(sa, c)
	case c.Group != ike.GroupNone:
		t.agreeCreation(sa, c)
	default:
		t.complete(sa, c)
	}
}

// keyExchange is the peer's KE payload; no payload is no key exchange.
func keyExchange(payloads *ike.Payloads) ([]byte, ike.Group) {
	p, ok := payloads.First(ike.PayloadKE)
	if !ok {
		return nil, ike.GroupNone
	}
	ke, err := ike.ParseKeyExchange(p.Body)
	if err != nil {
		return nil, ike.GroupNone
	}
	return ke.Data, ke.Group
}

// deadOnArrival: the peer made the Child SA and has deleted it again; what it was to replace goes all the same.
func (t *step) deadOnArrival(sa *IKESA, c Creation) {
	sa.over(c)
	t.destroyShare(sa, c.KeyRef)
	t.failChild(sa, sa.place(c.Child), "the peer deleted it before we had its answer")
	t.answer(sa.Number, c.Ticket, "the peer made the child and deleted it")
	t.wantChildDeleted(sa, c.Replaces)
}
