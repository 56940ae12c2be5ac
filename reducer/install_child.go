package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// A Child SA and the kernel: we answer IKE_AUTH only when we can receive (RFC 7296, section 2.8), and a child that the
// kernel refuses is deleted at the peer or refused to it (section 2.21.2; PROTOCOL.md, D-26).

// install asks the kernel for both halves of the child.
func (t *step) install(sa *IKESA, child *ChildSA, ni, nr []byte) {
	child.Ni, child.Nr, child.Path = ni, nr, sa.Path
	child.Asked = t.order(Effect{Kind: EffectInstallChild, SA: sa.Number, Child: child.Number, KeyRef: sa.KeyRef,
		Initiator: child.Initiator, Protocol: child.Protocol, Path: sa.Path, Install: &Installation{Name: child.Name,
			Ni: ni, Nr: nr, Suite: child.Suite, InboundSPI: child.InboundSPI, OutboundSPI: child.OutboundSPI,
			Encapsulated: sa.LocalNAT || sa.RemoteNAT, TransportMode: child.TransportMode,
			LocalTS: child.LocalTS, RemoteTS: child.RemoteTS, ShareRef: child.ShareRef, PeerPublic: child.PeerPublic}})
}

// childInstalled: the kernel has both halves, or refused. As responder the answer to IKE_AUTH can go now.
func (t *step) childInstalled(ev *record.ChildInstalled) {
	sa, i, ok := t.child(ev.GetChildSa())
	if !ok || !t.answers(sa.Children[i].Asked) {
		t.installedTooLate(ev)
		return
	}
	if sa.SetUp != nil {
		setUp := *sa.SetUp
		sa.SetUp = &setUp
	}
	child := sa.Children[i]
	t.destroyShare(&sa, child.ShareRef)
	child.Asked, child.Ni, child.Nr, child.ShareRef, child.PeerPublic = Ref{}, nil, nil, 0, nil
	ticket := child.Ticket
	child.Ticket = 0
	if refusal := ev.GetRefusal(); refusal != "" {
		sa.Children = replaced(sa.Children, i, child)
		t.installRefused(&sa, i, refusal)
		t.answer(sa.Number, ticket, "the kernel refused the child: "+refusal)
	} else {
		child.InboundSPI, child.Installed = ev.GetInboundSpi(), t.now
		if child.Phase == Installing {
			t.changeChild(&sa, &child, Installed)
			t.armChildLife(&sa, &child)
		}
		sa.Children = replaced(sa.Children, i, child)
		t.answer(sa.Number, ticket, "")
	}
	if sa.SetUp != nil && sa.SetUp.Stage == InstallingChild {
		t.answerAuth(&sa)
	}
	t.creationInstalled(&sa, ev.GetChildSa(), ev.GetRefusal())
	t.pump(&sa)
	t.put(sa)
}

// allocatedTooLate gives back an SPI whose child had gone.
func (t *step) allocatedTooLate(ev *record.SPIAllocated) {
	t.drop("nobody waits for this any more")
	if ev.GetFailure() == "" && ev.GetPath() != nil {
		t.order(Effect{Kind: EffectRemoveChild, SA: t.ev.GetIkeSa(), Child: ev.GetChildSa(), Protocol: ike.ProtocolESP,
			Path: pathOf(ev.GetPath()), Install: &Installation{InboundSPI: ev.GetSpi()}})
	}
}

// installedTooLate takes out of the kernel what came after its SA had gone.
func (t *step) installedTooLate(ev *record.ChildInstalled) {
	t.drop("nobody waits for this any more")
	if ev.GetRefusal() == "" {
		t.order(Effect{Kind: EffectRemoveChild, SA: t.ev.GetIkeSa(), Child: ev.GetChildSa(), Protocol: ike.ProtocolESP,
			Path: pathOf(ev.GetPath()), Install: &Installation{InboundSPI: ev.GetInboundSpi(), OutboundSPI: ev.GetOutboundSpi()}})
	}
}

// creationInstalled goes on with the exchange whose Child SA the kernel has, or has refused.
func (t *step) creationInstalled(sa *IKESA, child uint64, refusal string) {
	if c := sa.Serving; c != nil && c.Child == child {
		if refusal != "" {
			t.refuseCreation(sa, *c, ike.Notify{Type: ike.NotifyNoProposalChosen})
			return
		}
		t.childServed(sa, *c)
		return
	}
	c, ours := sa.making(child)
	switch {
	case !ours:
	case refusal == "":
		t.childMade(sa, c)
	default: // the peer is asked to delete it already (PROTOCOL.md, C-86)
		sa.over(c)
		t.answer(sa.Number, c.Ticket, "the kernel refused the child: "+refusal)
		t.rekeyFailed(sa, c)
	}
}

// installRefused: as initiator the peer has its half already, and is asked to delete it; as responder our answer says no.
func (t *step) installRefused(sa *IKESA, i int, refusal string) {
	child := sa.Children[i]
	if sa.Serving != nil && sa.Serving.Child == child.Number {
		return // the answer to the peer says no
	}
	if sa.SetUp != nil {
		sa.SetUp.ChildRefusal = ike.NotifyNoProposalChosen
		t.failChild(sa, i, refusal)
		return
	}
	if sa.Phase != Established || sa.Window.Wants(wishDeleteIKE, 0) {
		t.failChild(sa, i, refusal) // the peer's half goes with its IKE SA (PROTOCOL.md, D-02)
		return
	}
	t.want(sa, Waiting{Wish: wishDeleteChild, Child: child.Number, Decided: t.decided()})
}

// failChild takes a child away that never was installed.
func (t *step) failChild(sa *IKESA, i int, detail string) {
	child := sa.Children[i]
	t.release(sa, child)
	t.destroyShare(sa, child.ShareRef)
	t.changeChild(sa, &child, Removed)
	t.effects[len(t.effects)-1].Change.Detail = detail
	sa.Children = without(sa.Children, i)
}
