package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// A CREATE_CHILD_SA exchange in a snapshot, and back.

func creationTo(c *Creation) *record.Creation {
	if c == nil {
		return nil
	}
	r := &record.Creation{Kind: uint32(c.Kind), Initiator: c.Initiator, Stage: uint32(c.Stage), ChildSa: c.Child, Replaces: c.Replaces,
		AskedStep: c.Wait.Step, AskedIndex: c.Wait.Index, KeyRef: c.KeyRef, Group: uint32(c.Group), Tried: numbers32(c.Tried),
		Public: c.Public, PeerPublic: c.PeerPublic, Ni: c.Ni, Nr: c.Nr, Spi: c.SPI, PeerSpi: c.PeerSPI, Suite: suiteTo(c.Suite),
		Proposal: uint32(c.Proposal), Wanted: becauseTo(c.Wanted), Ticket: c.Ticket, ChildDeleted: c.ChildDeleted, Deleted: c.Deleted, Done: c.Done}
	if c.Rival.there() {
		r.Rival = &record.Rival{Sa: c.Rival.SA, Ni: c.Rival.Ni, Nr: c.Rival.Nr}
	}
	return r
}

func creationFrom(r *record.Creation) *Creation {
	if r == nil {
		return nil
	}
	return &Creation{Kind: CreationKind(r.GetKind()), Initiator: r.GetInitiator(), Stage: CreationStage(r.GetStage()), Child: r.GetChildSa(),
		Replaces: r.GetReplaces(), Wait: Ref{r.GetAskedStep(), r.GetAskedIndex()}, KeyRef: r.GetKeyRef(), Group: ike.Group(r.GetGroup()),
		Tried: numbers16[ike.Group](r.GetTried()), Public: r.GetPublic(), PeerPublic: r.GetPeerPublic(), Ni: r.GetNi(), Nr: r.GetNr(),
		SPI: r.GetSpi(), PeerSPI: r.GetPeerSpi(), Suite: suiteFrom(r.GetSuite()), Proposal: uint8(r.GetProposal()),
		Wanted: becauseOf(r.GetWanted()), Ticket: r.GetTicket(), ChildDeleted: r.GetChildDeleted(), Deleted: r.GetDeleted(), Done: r.GetDone(),
		Rival: Rival{r.GetRival().GetSa(), r.GetRival().GetNi(), r.GetRival().GetNr()}}
}
