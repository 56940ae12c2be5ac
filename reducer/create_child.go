package reducer

import (
	"iter"
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// CREATE_CHILD_SA (RFC 7296, section 1.3) makes one more Child SA, a Child SA in the place of another, or an IKE SA in the
// place of this one. Nothing is asked of the peer before our half is there: nonce, key exchange value, SPI.
//
//	create_child_ask.go     the exchange of ours
//	create_child_serve.go   the peer's
//	rekey_child.go, rekey_ike.go   what becomes of the old SA
//	nonce_rule.go           both ends rekey the same SA at once
//	temporary_failure.go    the peer says: not now

// CreationKind is what a CREATE_CHILD_SA exchange makes.
type CreationKind uint8

const (
	NewChild CreationKind = iota + 1
	RekeyedChild
	RekeyedIKE
)

func (k CreationKind) wish() Wish {
	return [...]Wish{NoWish, wishCreateChild, wishRekeyChild, wishRekeyIKE}[k]
}

// CreationStage is what such an exchange waits for.
//
//	ours:       Preparing (keyring, kernel) -> Queued (its turn) -> Asked (the peer) -> [Agreeing ->] [Completing ->] over
//	the peer's: Preparing (keyring) -> [Agreeing ->] [Completing ->] over
type CreationStage uint8

const (
	Preparing CreationStage = iota + 1
	Queued
	Asked
	AgreeingCreation
	Completing // the kernel installs the Child SA
)

// Creation is one CREATE_CHILD_SA exchange until it is complete.
type Creation struct {
	Kind      CreationKind
	Initiator bool // the exchange is ours
	Stage     CreationStage
	Child     uint64 // the Child SA it makes; 0: an IKE SA
	Replaces  uint64 // the Child SA that one takes the place of
	Wait      Ref    // the effect whose completion it waits for
	Wanted    Because
	Ticket    uint64

	KeyRef             uint64 // our half of the key exchange, then the new IKE SA's keys; 0: there is none
	Group              ike.Group
	Tried              []ike.Group // that the peer would not have
	Public, PeerPublic []byte
	Ni, Nr             []byte
	SPI                uint64 // ours of the new IKE SA
	PeerSPI            uint64 // the peer's, of the new IKE SA or of a Child SA of ours
	Suite              Suite  // of the new IKE SA
	Proposal           uint8  // the peer's that we chose

	Done         bool     // it waits only for our answer to the peer's rekey of the same SA, which decides whose stays
	Rival        Rival    // what the peer's own rekey of the same SA has made meanwhile
	ChildDeleted bool     // the peer deleted the Child SA to be replaced meanwhile
	Deleted      []uint32 // SPIs that it deleted and that we did not know (PROTOCOL.md, D-10)
}

// open reports whether the peer may know of it: what is only wanted collides with nothing (PROTOCOL.md, CR-1).
func (c *Creation) open() bool { return c.Stage >= Asked }

// creation is the exchange that waits for what this event completes.
func (t *step) creation() (IKESA, Creation, bool) {
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ok {
		return IKESA{}, Creation{}, false
	}
	if sa.Serving != nil && t.answers(sa.Serving.Wait) {
		return sa, *sa.Serving, true
	}
	for _, c := range sa.Making {
		if t.answers(c.Wait) {
			return sa, c, true
		}
	}
	return IKESA{}, Creation{}, false
}

// making is our exchange that makes that Child SA; 0: the IKE SA's own successor.
func (sa *IKESA) making(child uint64) (Creation, bool) {
	for _, c := range sa.Making {
		if c.Child == child {
			return c, true
		}
	}
	return Creation{}, false
}

// replacing is our exchange that replaces that Child SA and that the peer may know of.
func (sa *IKESA) replacing(child uint64) (Creation, bool) {
	for _, c := range sa.Making {
		if c.Kind == RekeyedChild && c.Replaces == child && c.open() {
			return c, true
		}
	}
	return Creation{}, false
}

// rekeying reports whether our request to rekey this IKE SA is open.
func (sa *IKESA) rekeying() bool {
	c, ok := sa.making(0)
	return ok && c.open()
}

// KeyRefs are the secrets that sa names: its own keys, and those of exchanges that are not complete.
func (sa *IKESA) KeyRefs() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		refs := []uint64{sa.KeyRef}
		for _, c := range sa.Making {
			refs = append(refs, c.KeyRef)
		}
		if sa.Serving != nil {
			refs = append(refs, sa.Serving.KeyRef)
		}
		for _, child := range sa.Children {
			refs = append(refs, child.ShareRef)
		}
		for _, ref := range refs {
			if ref != 0 && !yield(ref) {
				return
			}
		}
	}
}

// ComingSPIs are ours of the IKE SAs that are being made in the place of sa.
func (sa *IKESA) ComingSPIs() []uint64 {
	var spis []uint64
	if c, ok := sa.making(0); ok && c.SPI != 0 {
		spis = append(spis, c.SPI)
	}
	if c := sa.Serving; c != nil && c.Kind == RekeyedIKE && c.SPI != 0 {
		spis = append(spis, c.SPI)
	}
	return spis
}

// keep puts c back where it belongs.
func (sa *IKESA) keep(c Creation) {
	if !c.Initiator {
		sa.Serving = &c
		return
	}
	for i := range sa.Making {
		if sa.Making[i].Child == c.Child {
			sa.Making = replaced(sa.Making, i, c)
			return
		}
	}
	sa.Making = with(sa.Making, c)
}

// over takes c out of sa.
func (sa *IKESA) over(c Creation) {
	if !c.Initiator {
		sa.Serving = nil
		return
	}
	for i := range sa.Making {
		if sa.Making[i].Child == c.Child {
			sa.Making = without(sa.Making, i)
			return
		}
	}
}

// ours is our half of the exchange: Nonce, and KE where there is a key exchange.
func (c *Creation) ours() []ike.Body {
	nonce := c.Ni
	if !c.Initiator {
		nonce = c.Nr
	}
	if c.Group == ike.GroupNone {
		return []ike.Body{ike.Nonce{Data: nonce}}
	}
	return []ike.Body{ike.Nonce{Data: nonce}, ike.KeyExchange{Group: c.Group, Data: c.Public}}
}

// prepare asks the keyring for nonce, key exchange value and SPI.
func (t *step) prepare(sa *IKESA, c *Creation) {
	c.Stage = Preparing
	c.Wait = t.order(Effect{Kind: EffectMakeKeyShare, SA: sa.Number, Child: c.Child, Group: c.Group})
}

// prepared brings them.
func (t *step) prepared(sa IKESA, c Creation, ev *record.KeyShareMade) {
	fresh := ev.GetFresh()
	c.Wait = Ref{}
	c.KeyRef, c.Public, c.SPI = fresh.GetKeyRef(), fresh.GetPublic(), fresh.GetSpi()
	if c.Initiator {
		c.Ni = fresh.GetNonce()
	} else {
		c.Nr = fresh.GetNonce()
	}
	switch {
	case ev.GetFailure() != "" && c.Initiator:
		t.failCreation(&sa, c, ev.GetFailure())
	case ev.GetFailure() != "":
		t.refuseCreation(&sa, c, ike.Notify{Type: ike.NotifyTemporaryFailure})
	case c.Initiator:
		sa.keep(c)
		t.queueWhenReady(&sa, c)
	case c.Group == ike.GroupNone:
		t.complete(&sa, c)
	default:
		t.agreeCreation(&sa, c)
	}
	t.pump(&sa)
	t.put(sa)
}

// agreeCreation has the key exchange done: for a Child SA its own (section 2.17), for an IKE SA all its keys (section 2.18).
func (t *step) agreeCreation(sa *IKESA, c Creation) {
	c.Stage = AgreeingCreation
	e := Effect{Kind: EffectAgree, SA: sa.Number, Child: c.Child, KeyRef: c.KeyRef, Initiator: c.Initiator,
		Keys: &KeyWork{Suite: Suite{Group: c.Group}, Ni: c.Ni, Nr: c.Nr, PeerPublic: c.PeerPublic}}
	if c.Kind == RekeyedIKE {
		e.SPIi, e.SPIr = c.spis()
		e.Keys.Suite, e.Keys.OldRef = c.Suite, sa.KeyRef
	}
	c.Wait = t.order(e)
	sa.keep(c)
}

// spis are those of the new IKE SA: its original initiator is who began this exchange (section 2.2).
func (c *Creation) spis() (spii, spir uint64) {
	if c.Initiator {
		return c.SPI, c.PeerSPI
	}
	return c.PeerSPI, c.SPI
}

// creationAgreed: there is a secret; or the peer's value was bad, which ends the IKE SA (PROTOCOL.md, X-55).
func (t *step) creationAgreed(sa IKESA, c Creation, ev *record.Agreed) {
	c.Wait = Ref{}
	switch {
	case ev.GetFailure() == "":
		t.complete(&sa, c)
		t.pump(&sa)
		t.put(sa)
	case c.Initiator:
		t.failCreation(&sa, c, ev.GetFailure())
		t.closeIKESA(&sa, t.decided(), 0, t.s.config.Settings.DiscardAfter)
	default:
		to := *sa.Window.Answering
		t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, "key exchange value refused: "+ev.GetFailure())
	}
}

// complete has what both ends agreed on made: in the kernel, or in the State.
func (t *step) complete(sa *IKESA, c Creation) {
	if c.Kind == RekeyedIKE {
		t.ikeRekeyed(sa, c)
		return
	}
	i := sa.place(c.Child)
	child := sa.Children[i]
	if c.Initiator {
		child.OutboundSPI = uint32(c.PeerSPI)
		if slices.Contains(c.Deleted, child.OutboundSPI) {
			t.deadOnArrival(sa, c)
			return
		}
	}
	c.Stage = Completing
	if c.Group != ike.GroupNone {
		child.ShareRef, child.PeerPublic, c.KeyRef = c.KeyRef, c.PeerPublic, 0
	}
	t.install(sa, &child, c.Ni, c.Nr)
	sa.Children = replaced(sa.Children, i, child)
	sa.keep(c)
}

// place is where among sa's children one is; -1 when it is not there.
func (sa *IKESA) place(child uint64) int {
	for i := range sa.Children {
		if sa.Children[i].Number == child {
			return i
		}
	}
	return -1
}

// failCreation ends an exchange of ours that makes nothing. A Child SA of it that the peer may have made is deleted there;
// one that the peer knows nothing of is forgotten.
func (t *step) failCreation(sa *IKESA, c Creation, problem string) {
	sa.over(c)
	t.destroyShare(sa, c.KeyRef)
	if i := sa.place(c.Child); c.Child != 0 && i >= 0 {
		t.failChild(sa, i, problem)
	}
	t.answer(sa.Number, c.Ticket, problem)
}

// dropUnasked forgets the exchanges that the peer knows nothing of: the IKE SA is being closed (PROTOCOL.md, D-02).
func (t *step) dropUnasked(sa *IKESA) {
	making := sa.Making
	for _, c := range making {
		if !c.open() {
			t.failCreation(sa, c, "the ike sa is being deleted")
		}
	}
}

// dropCreations ends every exchange of sa: it is at its end itself.
func (t *step) dropCreations(sa *IKESA, problem string) {
	for _, c := range sa.Making {
		t.destroyShare(sa, c.KeyRef)
		t.answer(sa.Number, c.Ticket, problem)
	}
	if sa.Serving != nil {
		t.destroyShare(sa, sa.Serving.KeyRef)
	}
	sa.Making, sa.Serving = nil, nil
}
