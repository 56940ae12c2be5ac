package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// A State as bytes: what a new segment of the journal begins with. Encoding and decoding give the same State, which every
// reducer test checks.

// Snapshot is s for the journal. The datagrams its windows may have to send again are beside the State; the engine adds
// them.
func (s State) Snapshot() *record.Snapshot {
	r := s.snapshotHead()
	r.IkeSas = make([]*record.IKESA, 0, s.sas.count)
	s.EachSA(0, func(sa *IKESA) bool {
		r.IkeSas = append(r.IkeSas, saTo(sa))
		return true
	})
	return r
}

// AppendSnapshot writes what Snapshot gives behind dst, an IKE SA at a time: as messages, all of a hundred thousand would
// take more memory than the State. Encodings of parts, one behind the other, are one of the whole (protobuf merges them).
func (s State) AppendSnapshot(dst []byte) (_ []byte, err error) {
	if dst, err = record.MarshalAppend(dst, s.snapshotHead()); err != nil {
		return dst, err
	}
	s.EachSA(0, func(sa *IKESA) bool {
		dst, err = record.MarshalAppend(dst, &record.Snapshot{IkeSas: []*record.IKESA{saTo(sa)}})
		return err == nil
	})
	return dst, err
}

// snapshotHead is all of it but the IKE SAs.
func (s State) snapshotHead() *record.Snapshot {
	r := &record.Snapshot{Schema: record.Schema, Step: s.step, Time: uint64(s.time), Run: s.run, NextIke: s.nextIKE,
		NextChild: s.nextChild, Config: configTo(s.config), Ending: endingTo(s.ending), HalfOpen: uint64(s.halfOpen), NextWait: s.nextWait}
	for _, w := range s.waits {
		r.Connections = append(r.Connections, &record.ConnectionState{Id: w.ID, Name: w.Name, Child: w.Child, Tries: w.Tries, Retry: armedTo(w.Timer)})
	}
	return r
}

// FromSnapshot is the State that r is a snapshot of.
func FromSnapshot(r *record.Snapshot) State {
	s := State{step: r.GetStep(), time: int64(r.GetTime()), run: r.GetRun(), nextIKE: r.GetNextIke(), nextChild: r.GetNextChild(),
		config: configFrom(r.GetConfig()), ending: endingFrom(r.GetEnding()), halfOpen: int(r.GetHalfOpen()), nextWait: r.GetNextWait()}
	for _, w := range r.GetConnections() {
		s.waits = append(s.waits, ConnectionWait{ID: w.GetId(), Name: w.GetName(), Child: w.GetChild(), Tries: w.GetTries(), Timer: armedFrom(w.GetRetry())})
	}
	for _, sa := range r.GetIkeSas() {
		s.sas = s.sas.put(sa.GetNumber(), saFrom(sa), s.step)
	}
	return s
}

func saTo(sa *IKESA) *record.IKESA {
	r := &record.IKESA{Number: sa.Number, Connection: sa.Connection, SpiI: sa.SPIi, SpiR: sa.SPIr, Initiator: sa.Initiator,
		Phase: record.Phase(sa.Phase), Cause: record.Cause(sa.Cause), Detail: sa.Detail, Because: becauseTo(sa.Decided),
		Path: PathRecord(sa.Path), LocalNat: sa.LocalNAT, RemoteNat: sa.RemoteNAT, Suite: suiteTo(sa.Suite), KeyRef: sa.KeyRef,
		LocalId: identityTo(sa.LocalID), RemoteId: identityTo(sa.RemoteID), Window: windowTo(&sa.Window), SetUp: setUpTo(sa.SetUp),
		Created: uint64(sa.Created), Established: uint64(sa.Established), LastHeard: uint64(sa.LastHeard), Rtt: uint64(sa.RTT),
		Ticket: sa.Ticket, CreatedStep: sa.CreatedStep, LingerGap: uint64(sa.LingerGap), LingerBegan: uint64(sa.LingerBegan),
		LowestNonce: sa.LowestNonce, Hinted: uint64(sa.Hinted),
		Serving: creationTo(sa.Serving), Successor: sa.Successor, Refusals: sa.Refusals, RefusedSince: uint64(sa.RefusedSince)}
	for i := range sa.Making {
		r.Making = append(r.Making, creationTo(&sa.Making[i]))
	}
	for i := range sa.Children {
		r.Children = append(r.Children, childTo(&sa.Children[i]))
	}
	for _, armed := range sa.Timers {
		r.Timers = append(r.Timers, armedTo(armed))
	}
	return r
}

func saFrom(r *record.IKESA) *IKESA {
	sa := &IKESA{Number: r.GetNumber(), Connection: r.GetConnection(), SPIi: r.GetSpiI(), SPIr: r.GetSpiR(), Initiator: r.GetInitiator(),
		Phase: Phase(r.GetPhase()), Cause: Cause(r.GetCause()), Detail: r.GetDetail(), Decided: becauseOf(r.GetBecause()),
		Path: pathOf(r.GetPath()), LocalNAT: r.GetLocalNat(), RemoteNAT: r.GetRemoteNat(), Suite: suiteFrom(r.GetSuite()), KeyRef: r.GetKeyRef(),
		LocalID: identityFrom(r.GetLocalId()), RemoteID: identityFrom(r.GetRemoteId()), Window: windowFrom(r.GetWindow()), SetUp: setUpFrom(r.GetSetUp()),
		Created: int64(r.GetCreated()), Established: int64(r.GetEstablished()), LastHeard: int64(r.GetLastHeard()), RTT: int64(r.GetRtt()),
		Ticket: r.GetTicket(), CreatedStep: r.GetCreatedStep(), LingerGap: int64(r.GetLingerGap()), LingerBegan: int64(r.GetLingerBegan()),
		LowestNonce: r.GetLowestNonce(), Hinted: int64(r.GetHinted()),
		Serving: creationFrom(r.GetServing()), Successor: r.GetSuccessor(), Refusals: r.GetRefusals(), RefusedSince: int64(r.GetRefusedSince())}
	for _, c := range r.GetMaking() {
		sa.Making = append(sa.Making, *creationFrom(c))
	}
	for _, child := range r.GetChildren() {
		sa.Children = append(sa.Children, childFrom(child))
	}
	for _, armed := range r.GetTimers() {
		sa.Timers = append(sa.Timers, armedFrom(armed))
	}
	return sa
}

func childTo(c *ChildSA) *record.ChildSA {
	return &record.ChildSA{Number: c.Number, Name: c.Name, Phase: record.ChildPhase(c.Phase), Protocol: uint32(c.Protocol),
		InboundSpi: c.InboundSPI, OutboundSpi: c.OutboundSPI, Suite: suiteTo(c.Suite), Initiator: c.Initiator,
		TransportMode: c.TransportMode, LocalTs: selectorsTo(c.LocalTS), RemoteTs: selectorsTo(c.RemoteTS),
		Installed: uint64(c.Installed), OutboundGone: c.OutboundGone, CreatedStep: c.CreatedStep, Ticket: c.Ticket,
		AskedStep: c.Asked.Step, AskedIndex: c.Asked.Index, Path: PathRecord(c.Path), Ni: c.Ni, Nr: c.Nr,
		ShareRef: c.ShareRef, PeerPublic: c.PeerPublic, Timer: armedTo(c.Timer), LifeEnds: uint64(c.LifeEnds), ReplacedBy: c.ReplacedBy, Refusals: c.Refusals,
		RefusedSince: uint64(c.RefusedSince)}
}

func childFrom(r *record.ChildSA) ChildSA {
	return ChildSA{Number: r.GetNumber(), Name: r.GetName(), Phase: ChildPhase(r.GetPhase()), Protocol: ike.ProtocolID(r.GetProtocol()),
		InboundSPI: r.GetInboundSpi(), OutboundSPI: r.GetOutboundSpi(), Suite: suiteFrom(r.GetSuite()), Initiator: r.GetInitiator(),
		TransportMode: r.GetTransportMode(), LocalTS: selectorsFrom(r.GetLocalTs()), RemoteTS: selectorsFrom(r.GetRemoteTs()),
		Installed: int64(r.GetInstalled()), OutboundGone: r.GetOutboundGone(), CreatedStep: r.GetCreatedStep(), Ticket: r.GetTicket(),
		Asked: Ref{r.GetAskedStep(), r.GetAskedIndex()}, Path: pathOf(r.GetPath()), Ni: r.GetNi(), Nr: r.GetNr(),
		ShareRef: r.GetShareRef(), PeerPublic: r.GetPeerPublic(), Timer: armedFrom(r.GetTimer()), LifeEnds: int64(r.GetLifeEnds()), ReplacedBy: r.GetReplacedBy(), Refusals: r.GetRefusals(),
		RefusedSince: int64(r.GetRefusedSince())}
}

func setUpTo(s *SetUp) *record.SetUp {
	if s == nil {
		return nil
	}
	var candidates []*record.Candidate
	for _, c := range s.Candidates {
		candidates = append(candidates, &record.Candidate{SpiR: c.SPIr, Response: c.Response, Nr: c.Nr, PeerPublic: c.PeerPublic,
			Suite: suiteTo(c.Suite), Path: PathRecord(c.Path), LocalNat: c.LocalNAT, RemoteNat: c.RemoteNAT})
	}
	return &record.SetUp{Candidates: candidates, TriedSpis: s.TriedSPIs, Stage: uint32(s.Stage), Request: s.Request, Response: s.Response, Ni: s.Ni, Nr: s.Nr, Public: s.Public,
		PeerPublic: s.PeerPublic, Group: uint32(s.Group), Tried: numbers32(s.Tried), Cookie: s.Cookie, Rounds: uint32(s.Rounds),
		Refusal: uint32(s.Refusal), AskedStep: s.Asked.Step, AskedIndex: s.Asked.Index, Child: s.Child, Auth: s.Auth,
		AuthMethod: uint32(s.AuthMethod), Failure: s.Failure, Offer: s.Offer, OfferFirst: uint32(s.OfferFirst),
		FirstContact: s.FirstContact, PeersFirst: s.PeersFirst, Met: s.Met, ChildRefusal: uint32(s.ChildRefusal), Proposal: uint32(s.Proposal),
		Wanted: becauseTo(s.Wanted), PeerAuth: s.PeerAuth, PeerMethod: uint32(s.PeerMethod)}
}

func setUpFrom(r *record.SetUp) *SetUp {
	if r == nil {
		return nil
	}
	var candidates []candidate
	for _, c := range r.GetCandidates() {
		candidates = append(candidates, candidate{SPIr: c.GetSpiR(), Response: c.GetResponse(), Nr: c.GetNr(), PeerPublic: c.GetPeerPublic(),
			Suite: suiteFrom(c.GetSuite()), Path: pathOf(c.GetPath()), LocalNAT: c.GetLocalNat(), RemoteNAT: c.GetRemoteNat()})
	}
	return &SetUp{Candidates: candidates, TriedSPIs: r.GetTriedSpis(), Stage: Stage(r.GetStage()), Request: r.GetRequest(), Response: r.GetResponse(), Ni: r.GetNi(), Nr: r.GetNr(),
		Public: r.GetPublic(), PeerPublic: r.GetPeerPublic(), Group: ike.Group(r.GetGroup()), Tried: numbers16[ike.Group](r.GetTried()),
		Cookie: r.GetCookie(), Rounds: uint8(r.GetRounds()), Refusal: ike.NotifyType(r.GetRefusal()),
		Asked: Ref{r.GetAskedStep(), r.GetAskedIndex()}, Child: r.GetChild(), Auth: r.GetAuth(), AuthMethod: ike.AuthMethod(r.GetAuthMethod()),
		Failure: r.GetFailure(), Offer: r.GetOffer(), OfferFirst: ike.PayloadType(r.GetOfferFirst()), FirstContact: r.GetFirstContact(),
		PeersFirst: r.GetPeersFirst(), Met: r.GetMet(), ChildRefusal: ike.NotifyType(r.GetChildRefusal()), Proposal: uint8(r.GetProposal()),
		Wanted: becauseOf(r.GetWanted()), PeerAuth: r.GetPeerAuth(), PeerMethod: ike.AuthMethod(r.GetPeerMethod())}
}
