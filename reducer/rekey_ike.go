package reducer

import (
	"encoding/binary"

	"github.com/ikejd/ikejd/proto/ike"
)

// An IKE SA in the place of another (RFC 7296, sections 1.3.2, 2.8 and 2.18): new SPIs and keys, ids from 0 again; the Child SAs
// move to it as they are. Who began the exchange deletes the old one, as the last request on it.

// rekeyIKE wants this IKE SA replaced; once, however often it is asked for.
func (t *step) rekeyIKE(sa *IKESA, ticket uint64) {
	connection, known := t.connection(sa.Connection)
	if _, already := sa.making(0); already {
		t.answer(sa.Number, ticket, "")
		return
	}
	if !known || sa.Phase != Established || sa.Window.Wants(wishDeleteIKE, 0) || t.s.ending != nil {
		t.answer(sa.Number, ticket, ikeName(sa.Number)+" is "+sa.Phase.String()+" and not rekeyed")
		return
	}
	group := sa.Suite.Group
	if len(connection.Proposals) > 0 && !t.offersGroup(sa, Creation{Kind: RekeyedIKE}, group) {
		group = connection.Proposals[0].Groups[0]
	}
	c := Creation{Kind: RekeyedIKE, Initiator: true, Group: group, Wanted: t.decided(), Ticket: ticket}
	t.prepare(sa, &c)
	sa.keep(c)
}

// buildRekeyIKE is HDR, SK {SA, Ni, KEi}, the SA's proposals with the new SPI.
func (t *step) buildRekeyIKE(sa *IKESA, c Creation) message {
	c.Stage = Asked
	sa.keep(c)
	connection, _ := t.connection(sa.Connection)
	return message{ike.CREATE_CHILD_SA, append([]ike.Body{offer(connection.Proposals, ike.ProtocolIKE, ikeSPI(c.SPI))}, c.ours()...)}
}

func ikeSPI(spi uint64) []byte { return binary.BigEndian.AppendUint64(nil, spi) }

// rekeyIKEAnswered takes the peer's choice and has the new keys made.
func (t *step) rekeyIKEAnswered(sa *IKESA, c Creation, payloads *ike.Payloads) {
	connection, _ := t.connection(sa.Connection)
	answer, public, nonce, problem := initBodies(payloads)
	var suite Suite
	var proposal ike.Proposal
	ok := false
	if problem == "" && answer.CheckChoice(8) == nil {
		suite, proposal, ok = chosen(answer, connection.Proposals, ike.ProtocolIKE)
	}
	switch {
	case problem != "":
	case !ok:
		problem = "the peer chose what was not offered"
	case public.Group != c.Group || suite.Group != c.Group:
		problem = "the peer's key exchange value is not of the group it chose"
	case binary.BigEndian.Uint64(proposal.SPI) == 0:
		problem = "the peer's answer has no SPI"
	case len(nonce.Data) < halfKey(suite.PRF):
		problem = "the peer's nonce is shorter than half the PRF's key" // section 2.10
	}
	if problem != "" {
		t.answerUseless(sa, c, problem)
		return
	}
	c.Suite, c.PeerSPI, c.Nr, c.PeerPublic = suite, binary.BigEndian.Uint64(proposal.SPI), nonce.Data, public.Data
	t.agreeCreation(sa, c)
}

// serveRekeyIKE chooses for the peer's rekey.
func (t *step) serveRekeyIKE(sa *IKESA, asked creationAsked) {
	connection, _ := t.connection(sa.Connection)
	suite, proposal, ok := choose(asked.offer, connection.Proposals, ike.ProtocolIKE)
	c := Creation{Kind: RekeyedIKE, Group: suite.Group, Suite: suite, Proposal: proposal.Number, Ni: asked.nonce.Data, PeerPublic: asked.public}
	switch {
	case !ok || len(asked.nonce.Data) < halfKey(suite.PRF) || binary.BigEndian.Uint64(proposal.SPI) == 0:
		t.refuseCreation(sa, Creation{}, ike.Notify{Type: ike.NotifyNoProposalChosen})
		return
	case suite.Group != asked.group:
		t.refuseCreation(sa, Creation{}, ike.InvalidKEPayload(suite.Group))
		return
	}
	c.PeerSPI = binary.BigEndian.Uint64(proposal.SPI)
	t.prepare(sa, &c)
	sa.keep(c)
}

// ikeRekeyed: there are keys for the new IKE SA, so it is there.
func (t *step) ikeRekeyed(sa *IKESA, c Creation) {
	if c.Done = sa.undecided(&c); c.Done {
		c.Stage = Completing
		sa.keep(c)
		return
	}
	next := t.successor(sa, c)
	defer t.closeNew(next.Number)
	sa.over(c)
	if !c.Initiator {
		t.respond(sa, *sa.Window.Answering, append([]ike.Body{choice(c.Suite, ike.ProtocolIKE, c.Proposal, ikeSPI(c.SPI))}, c.ours()...)...)
		if ours, both := sa.making(0); both && ours.open() {
			ours.Rival = Rival{next.Number, c.Ni, c.Nr}
			sa.keep(ours)
			t.decide(sa)
			return
		}
		t.moveTo(sa, next.Number, true)
		return
	}
	t.answer(sa.Number, c.Ticket, "")
	if rival, ok := t.sa(c.Rival.SA); ok && rival.Phase == Established && c.lost(sa) {
		t.moveTo(sa, c.Rival.SA, true)
		t.closeIKESA(&next, t.decided(), 0, t.s.config.Settings.DiscardAfter) // we began it, we close it (CR-4)
		return
	}
	t.moveTo(sa, next.Number, false)
	if c.Rival.there() {
		if rival, ok := t.sa(c.Rival.SA); ok {
			t.setTimer(&rival, lifeTimer, rekeyWait) // the peer closes what it began; CR-16
			t.put(rival)
		}
	}
}

// closeNew closes an IKE SA that a rekeying made although a shutdown was ordered meanwhile: nobody else would (PROTOCOL.md, D-23).
func (t *step) closeNew(number uint64) {
	sa, ok := t.sa(number)
	if ok && t.shuttingDown() && sa.Phase == Established && !sa.Window.Wants(wishDeleteIKE, 0) {
		t.closeForShutdown(&sa)
	}
}

// successor is the new IKE SA. Who it is with, where that is and how far we trust it does not change.
func (t *step) successor(sa *IKESA, c Creation) IKESA {
	next := IKESA{Number: t.s.nextIKE, Connection: sa.Connection, Initiator: c.Initiator, Path: sa.Path, LocalNAT: sa.LocalNAT,
		RemoteNAT: sa.RemoteNAT, Suite: c.Suite, KeyRef: c.KeyRef, LocalID: sa.LocalID, RemoteID: sa.RemoteID, RTT: sa.RTT,
		Window: Window{PeerSize: 1}, Created: t.now, CreatedStep: t.s.step, Established: t.now, LastHeard: t.now, Decided: t.decided()}
	next.SPIi, next.SPIr = c.spis()
	t.s.nextIKE++
	t.changePhase(&next, Established)
	t.effects[len(t.effects)-1].Change.Predecessor = sa.Number
	t.armLife(&next)
	t.put(next)
	return next
}

// moveTo gives sa's place to the IKE SA of that number: its Child SAs, and what is still wanted of them. Who began the exchange
// deletes the old one; a peer that does not is not waited for longer than rekeyWait (PROTOCOL.md, D-17).
func (t *step) moveTo(sa *IKESA, number uint64, peerDeletes bool) {
	next, ok := t.sa(number)
	if !ok {
		return // it has ended meanwhile, and its Child SAs go with the old one
	}
	sa.Successor = number
	again := t.forgetUnasked(sa)
	for _, child := range sa.Children {
		t.moveChild(sa, &next, child)
	}
	sa.Children = nil
	closing, wanted := t.moveWishes(sa, &next)
	for _, c := range again {
		t.wantChild(&next, c.config, c.replaces, c.ticket)
	}
	sa.Decided = t.decided()
	lastResort, _ := sa.timer(discardTimer)
	for len(sa.Timers) > 0 {
		t.cancelTimer(sa, sa.Timers[0].Kind)
	}
	if sa.Phase == Established {
		t.changePhase(sa, Rekeyed)
	}
	if peerDeletes {
		t.setTimer(sa, lifeTimer, rekeyWait)
	} else {
		left := t.s.config.Settings.DiscardAfter
		if closing {
			left = lastResort.Deadline - t.now
		}
		t.setTimer(sa, discardTimer, left)
		t.want(sa, Waiting{Wish: wishDeleteIKE, Decided: t.decided()})
	}
	t.put(next)
	if closing { // somebody wanted this SA closed: that means what it has become (PROTOCOL.md, D-16)
		t.closeIKESA(&next, wanted.Decided, wanted.Ticket, lastResort.Deadline-t.now)
	}
}

// moveChild moves one Child SA; the kernel has it as before.
func (t *step) moveChild(sa, next *IKESA, child ChildSA) {
	t.order(Effect{Kind: EffectChanged, SA: next.Number, Child: child.Number, Because: t.decided(), Change: &Change{
		ChildFrom: child.Phase, ChildTo: child.Phase, Connection: child.Name, Predecessor: sa.Number,
		InboundSPI: child.InboundSPI, OutboundSPI: child.OutboundSPI}})
	armed := child.Timer
	t.stopChildTimer(sa, &child)
	if armed.Kind != noTimer {
		t.setChildTimer(next, &child, armed.Kind, armed.Deadline)
	}
	next.Children = with(next.Children, child)
}

// moveWishes takes what still waits to the successor; a Delete of the IKE SA is for the caller to ask for there.
func (t *step) moveWishes(sa, next *IKESA) (closing bool, wanted Waiting) {
	waiting := sa.Window.Waiting
	sa.Window.Waiting = nil
	for _, w := range waiting {
		t.dropWish(sa, w, "the ike sa is rekeyed")
		switch w.Wish {
		case wishDeleteIKE:
			closing, wanted = true, w
		case wishDeleteChild:
			t.want(next, Waiting{Wish: w.Wish, Child: w.Child, Decided: w.Decided, Ticket: w.Ticket})
		}
	}
	return closing, wanted
}

// wantedChild is a Child SA that is to be asked for.
type wantedChild struct {
	config   ChildConfig
	replaces uint64
	ticket   uint64
}

// forgetUnasked gives up the exchanges that the peer does not know of, and says what they were for: they are for another IKE SA now,
// and begin again there.
func (t *step) forgetUnasked(sa *IKESA) (again []wantedChild) {
	connection, _ := t.connection(sa.Connection)
	making := sa.Making
	for _, c := range making {
		if c.open() {
			continue
		}
		ticket := c.Ticket
		c.Ticket = 0
		var config ChildConfig
		known := false
		if child := sa.childOf(c.Child); child != nil {
			config, known = connection.child(child.Name)
		}
		t.failCreation(sa, c, "the ike sa is rekeyed")
		if known {
			again = append(again, wantedChild{config, c.Replaces, ticket})
		} else {
			t.answer(sa.Number, ticket, "")
		}
	}
	return again
}
