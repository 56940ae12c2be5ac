package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
)

// CREATE_CHILD_SA as responder (RFC 7296, sections 1.3.1 to 1.3.3). What is answered depends on what is open at this moment
// (section 2.25), and the answer goes when we can receive on what it promises.

// creationAsked is the peer's request, read.
type creationAsked struct {
	offer  ike.SA
	nonce  ike.Nonce
	public []byte
	group  ike.Group
	rekey  *ike.Notify // REKEY_SA
}

const (
	errCreationForm  = ike.Malformed("CREATE_CHILD_SA without SA or Nonce")
	errCreationMixed = ike.Malformed("CREATE_CHILD_SA that is about an IKE SA and a Child SA at once")
	errTwoRekeys     = ike.Malformed("two REKEY_SA notifies")
)

// serveCreateChild takes the peer's request.
func (t *step) serveCreateChild(sa IKESA, to Answering, payloads *ike.Payloads) {
	asked, err := readCreation(payloads)
	if err != nil {
		t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, err.Error()) // X-32, N-59
		return
	}
	sa.Window.Answering = &to
	ofIKE := asked.offer.Proposals[0].Protocol == ike.ProtocolIKE
	if sa.Phase != Established || t.s.ending != nil || ofIKE && sa.childrenMoving() || !ofIKE && sa.rekeying() {
		t.refuseCreation(&sa, Creation{}, ike.Notify{Type: ike.NotifyTemporaryFailure}) // CR-10, CR-11, CR-12, D-23
		t.put(sa)
		return
	}
	switch {
	case ofIKE:
		t.serveRekeyIKE(&sa, asked)
	case asked.rekey != nil:
		_, spi, err := asked.rekey.ChildSPI()
		if err != nil {
			t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, err.Error())
			return
		}
		t.serveRekeyChild(&sa, asked, spi, payloads)
	default:
		c, _ := t.connection(sa.Connection)
		t.serveChild(&sa, asked, Creation{Kind: NewChild}, c.Children, payloads)
	}
	t.put(sa)
}

func readCreation(payloads *ike.Payloads) (asked creationAsked, err error) {
	saPayload, ok1 := payloads.First(ike.PayloadSA)
	noncePayload, ok2 := payloads.First(ike.PayloadNonce)
	if !ok1 || !ok2 {
		return asked, errCreationForm
	}
	if asked.offer, err = ike.ParseSA(saPayload.Body); err != nil {
		return asked, err
	}
	if err = asked.offer.CheckOffer(8); err != nil {
		return asked, err
	}
	if asked.nonce, err = ike.ParseNonce(noncePayload.Body); err != nil {
		return asked, err
	}
	if p, ok := payloads.First(ike.PayloadKE); ok {
		ke, err := ike.ParseKeyExchange(p.Body)
		if err != nil {
			return asked, err
		}
		asked.public, asked.group = ke.Data, ke.Group
	}
	for n := range notifies(payloads) {
		if n.Type != ike.NotifyRekeySA {
			continue
		}
		if asked.rekey != nil {
			return asked, errTwoRekeys
		}
		asked.rekey = &n
	}
	ofIKE := asked.offer.Proposals[0].Protocol == ike.ProtocolIKE
	_, selects := payloads.First(ike.PayloadTSi)
	if ofIKE == selects || ofIKE && asked.rekey != nil {
		return asked, errCreationMixed
	}
	if ofIKE {
		return asked, nil
	}
	return asked, childForm(payloads)
}

// childrenMoving reports whether an operation of ours on a Child SA is open (PROTOCOL.md, CR-11).
func (sa *IKESA) childrenMoving() bool {
	for _, request := range sa.Window.InFlight {
		if request.Wish.Wish == wishDeleteChild {
			return true
		}
	}
	for _, c := range sa.Making {
		if c.Kind != RekeyedIKE && c.open() {
			return true
		}
	}
	for _, child := range sa.Children {
		if child.Phase == Installing && child.OutboundSPI != 0 && child.Asked != (Ref{}) {
			return true // the kernel's answer names this IKE SA
		}
	}
	return false
}

// serveRekeyChild finds the Child SA that is to be replaced: the peer names the SPI it receives on, which is the one we send to.
func (t *step) serveRekeyChild(sa *IKESA, asked creationAsked, spi uint32, payloads *ike.Payloads) {
	for _, old := range sa.Children {
		switch {
		case !old.sendsTo(spi):
			continue
		case old.Phase != Installed:
			t.refuseCreation(sa, Creation{}, ike.Notify{Type: ike.NotifyTemporaryFailure}) // C-12, C-64
			return
		}
		c, _ := t.connection(sa.Connection)
		config, ok := c.child(old.Name)
		if !ok {
			t.refuseCreation(sa, Creation{}, ike.Notify{Type: ike.NotifyNoAdditionalSAs})
			return
		}
		t.serveChild(sa, asked, Creation{Kind: RekeyedChild, Replaces: old.Number}, []ChildConfig{config}, payloads)
		return
	}
	if sa.childrenMoving() { // it may be what an answer under way tells us of: NF would have the peer forget it
		t.refuseCreation(sa, Creation{}, ike.Notify{Type: ike.NotifyTemporaryFailure})
		return
	}
	t.refuseCreation(sa, Creation{}, ike.ChildNotify(ike.NotifyChildSANotFound, asked.rekey.Protocol, spi))
}

// serveChild chooses, and has nonce and key exchange value made.
func (t *step) serveChild(sa *IKESA, asked creationAsked, c Creation, configs []ChildConfig, payloads *ike.Payloads) {
	child, proposal, refusal := t.chooseChild(sa, configs, payloads, true)
	switch {
	case refusal != 0:
		t.refuseCreation(sa, c, ike.Notify{Type: refusal})
		return
	case child.Suite.Group != asked.group:
		t.refuseCreation(sa, c, ike.InvalidKEPayload(child.Suite.Group))
		return
	}
	t.changeChild(sa, &child, Installing)
	sa.Children = with(sa.Children, child)
	c.Child, c.Group, c.Ni, c.PeerPublic, c.Proposal = child.Number, asked.group, asked.nonce.Data, asked.public, proposal
	t.prepare(sa, &c)
	sa.keep(c)
}

// refuseCreation answers with an error notify alone.
func (t *step) refuseCreation(sa *IKESA, c Creation, why ike.Notify) {
	sa.over(c)
	t.destroyShare(sa, c.KeyRef)
	if i := sa.place(c.Child); c.Child != 0 && i >= 0 {
		t.failChild(sa, i, "refused to the peer: "+why.Type.String())
	}
	t.respond(sa, *sa.Window.Answering, why)
	t.decide(sa)
}

// childServed answers now that the kernel has the Child SA: HDR, SK {[N(USE_TRANSPORT_MODE),] SA, Nr, [KEr,] TSi, TSr}.
func (t *step) childServed(sa *IKESA, c Creation) {
	child := sa.childOf(c.Child)
	suites := choice(child.Suite, child.Protocol, c.Proposal, spiOctets(child.InboundSPI))
	t.respond(sa, *sa.Window.Answering, child.payloads(suites, c.ours()...)...)
	sa.over(c)
	if c.Kind == RekeyedChild {
		t.childReplacedByPeer(sa, c)
	}
}
