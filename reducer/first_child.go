package reducer

import (
	"encoding/binary"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// The first Child SA (RFC 7296, section 1.2): its offer and answer travel in IKE_AUTH, its keys come of the nonces of
// IKE_SA_INIT (section 2.17). If it cannot be made the IKE SA stays (section 2.21.2).

// offerChild reserves the SPI we will receive on, for a Child SA that we are going to ask for.
func (t *step) offerChild(sa *IKESA, c ChildConfig) uint64 {
	child := ChildSA{Number: t.s.nextChild, Name: c.Name, Protocol: ike.ProtocolESP, Initiator: true, CreatedStep: t.s.step,
		TransportMode: c.TransportMode,
		LocalTS:       meant(c.LocalTS, sa.Path.Local.Addr()), RemoteTS: meant(c.RemoteTS, sa.Path.Remote.Addr())}
	t.s.nextChild++
	t.changeChild(sa, &child, Installing)
	child.Asked = t.order(Effect{Kind: EffectAllocateSPI, SA: sa.Number, Child: child.Number, Protocol: child.Protocol})
	sa.Children = with(sa.Children, child)
	return child.Number
}

// spiAllocated brings the SPI, or the kernel's refusal: an IKE SA is then set up without a Child SA.
func (t *step) spiAllocated(ev *record.SPIAllocated) {
	sa, i, ok := t.child(ev.GetChildSa())
	if !ok || !t.answers(sa.Children[i].Asked) {
		t.allocatedTooLate(ev)
		return
	}
	making, isMaking := sa.making(ev.GetChildSa())
	child := sa.Children[i]
	child.Asked = Ref{}
	child.InboundSPI = ev.GetSpi()
	if ev.GetFailure() == "" {
		sa.Children = replaced(sa.Children, i, child)
	}
	switch {
	case isMaking && ev.GetFailure() != "":
		t.failCreation(&sa, making, ev.GetFailure())
		t.rekeyFailed(&sa, making)
	case isMaking:
		t.queueWhenReady(&sa, making)
	case sa.SetUp == nil:
		t.allocatedTooLate(ev)
		return
	default:
		setUp := *sa.SetUp
		sa.SetUp = &setUp
		if ev.GetFailure() != "" {
			t.failChild(&sa, i, ev.GetFailure())
		}
		t.authReady(&sa)
	}
	t.put(sa)
}

// childOffer is [N(USE_TRANSPORT_MODE),] SAi2, TSi, TSr.
func (t *step) childOffer(sa *IKESA) []ike.Body {
	if len(sa.Children) == 0 {
		return nil
	}
	child := sa.Children[0]
	c, _ := t.connection(sa.Connection)
	config, _ := c.child(child.Name)
	return child.payloads(offer(firstChildProposals(config.Proposals), child.Protocol, spiOctets(child.InboundSPI)))
}

// payloads are what an exchange says of the child, with what stands between: [N(USE_TRANSPORT_MODE),] SA, ..., TSi, TSr.
func (c *ChildSA) payloads(suites ike.SA, between ...ike.Body) (bodies []ike.Body) {
	if c.TransportMode {
		bodies = append(bodies, ike.Notify{Type: ike.NotifyUseTransportMode})
	}
	i, r := c.LocalTS, c.RemoteTS
	if !c.Initiator {
		i, r = r, i
	}
	bodies = append(append(bodies, suites), between...)
	return append(bodies, ike.TrafficSelectors{Initiator: true, Selectors: i}, ike.TrafficSelectors{Selectors: r})
}

// keepOffer keeps the peer's payloads, of either role, until its AUTH is found good: nothing of them is looked at before.
func (t *step) keepOffer(sa *IKESA, payloads *ike.Payloads) {
	ev := t.ev.GetDatagramReceived()
	sa.SetUp.Offer, sa.SetUp.OfferFirst = ev.GetOpened(), ike.PayloadType(ev.GetFirstPayload())
}

// offered are those payloads again.
func (sa *IKESA) offered() *ike.Payloads {
	var payloads ike.Payloads
	if err := ike.ParsePayloads(sa.SetUp.OfferFirst, sa.SetUp.Offer, &payloads); err != nil {
		panic("kept payloads no longer parse: " + err.Error())
	}
	return &payloads
}

// firstChildAsked starts to install the Child SA the peer asks for; false when there will be none, and the answer says
// why.
func (t *step) firstChildAsked(sa *IKESA) bool {
	payloads := sa.offered()
	if _, asks := payloads.First(ike.PayloadSA); !asks {
		return false
	}
	c, _ := t.connection(sa.Connection)
	child, proposal, refusal := t.chooseChild(sa, c.Children, payloads, false)
	if refusal != 0 {
		sa.SetUp.ChildRefusal = refusal
		return false
	}
	sa.SetUp.Proposal, sa.SetUp.Stage = proposal, InstallingChild
	t.changeChild(sa, &child, Installing)
	t.install(sa, &child, sa.SetUp.Ni, sa.SetUp.Nr)
	sa.Children = with(sa.Children, child)
	return true
}

// chooseChild is the Child SA we make of the peer's offer, by the first of configs that fits, and the number of the proposal; or the
// notify that says why there is none. In IKE_AUTH there is no key exchange of the Child SA's own.
func (t *step) chooseChild(sa *IKESA, configs []ChildConfig, payloads *ike.Payloads, exchanges bool) (ChildSA, uint8, ike.NotifyType) {
	asked, tsi, tsr, refusal := childBodies(payloads)
	if refusal != 0 {
		return ChildSA{}, 0, refusal
	}
	_, transport := notified(payloads, ike.NotifyUseTransportMode)
	refusal = ike.NotifyNoProposalChosen
	for _, config := range configs {
		ours := config.Proposals
		if !exchanges {
			ours, asked = firstChildProposals(ours), withoutGroups(asked)
		}
		suite, proposal, ok := choose(asked, ours, ike.ProtocolESP)
		if !ok {
			continue
		}
		remote := narrowed(tsi.Selectors, meant(config.RemoteTS, sa.Path.Remote.Addr()))
		local := narrowed(tsr.Selectors, meant(config.LocalTS, sa.Path.Local.Addr()))
		if len(remote) == 0 || len(local) == 0 {
			refusal = ike.NotifyTSUnacceptable
			continue
		}
		if config.TransportMode && !transport {
			continue // the mode this configuration insists on was not asked for: NO_PROPOSAL_CHOSEN (PROTOCOL.md, X-44)
		}
		child := ChildSA{Number: t.s.nextChild, Name: config.Name, Protocol: proposal.Protocol, Suite: suite,
			OutboundSPI: binary.BigEndian.Uint32(proposal.SPI), TransportMode: config.TransportMode && transport,
			LocalTS: local, RemoteTS: remote, CreatedStep: t.s.step}
		t.s.nextChild++
		return child, proposal.Number, 0
	}
	return ChildSA{}, 0, refusal
}

// childBodies are SA, TSi and TSr of an offer or an answer; no SA at all is no child wanted.
func childBodies(payloads *ike.Payloads) (sa ike.SA, tsi, tsr ike.TrafficSelectors, refusal ike.NotifyType) {
	saPayload, ok := payloads.First(ike.PayloadSA)
	if !ok {
		return sa, tsi, tsr, 0
	}
	i, ok1 := payloads.First(ike.PayloadTSi)
	r, ok2 := payloads.First(ike.PayloadTSr)
	if !ok1 || !ok2 {
		return sa, tsi, tsr, ike.NotifyTSUnacceptable
	}
	sa, err := ike.ParseSA(saPayload.Body)
	if err != nil {
		return ike.SA{}, tsi, tsr, ike.NotifyNoProposalChosen
	}
	tsi, err1 := ike.ParseTrafficSelectors(ike.PayloadTSi, i.Body)
	tsr, err2 := ike.ParseTrafficSelectors(ike.PayloadTSr, r.Body)
	if err1 != nil || err2 != nil {
		return ike.SA{}, tsi, tsr, ike.NotifyTSUnacceptable
	}
	return sa, tsi, tsr, 0
}

// childForm is what is malformed in the offer of a child, if anything.
func childForm(payloads *ike.Payloads) error {
	for _, p := range payloads.All() {
		var err error
		switch p.Type {
		case ike.PayloadSA:
			var offered ike.SA
			if offered, err = ike.ParseSA(p.Body); err == nil {
				err = offered.CheckOffer(0)
			}
		case ike.PayloadTSi, ike.PayloadTSr:
			_, err = ike.ParseTrafficSelectors(p.Type, p.Body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// childAnswer is what our IKE_AUTH response says of the child.
func (t *step) childAnswer(sa *IKESA) []ike.Body {
	if len(sa.Children) == 0 {
		if sa.SetUp.ChildRefusal == 0 {
			return nil
		}
		return []ike.Body{ike.Notify{Type: sa.SetUp.ChildRefusal}}
	}
	child := sa.Children[0]
	return child.payloads(choice(child.Suite, child.Protocol, sa.SetUp.Proposal, spiOctets(child.InboundSPI)))
}

// firstChildAnswered takes the responder's answer about the child. An answer we cannot use is a local failure: the IKE SA
// stays, and the peer's half is deleted (PROTOCOL.md, D-26).
func (t *step) firstChildAnswered(sa *IKESA, payloads *ike.Payloads) {
	if len(sa.Children) == 0 {
		t.reportUp(sa, "")
		return
	}
	child := sa.Children[0]
	c, _ := t.connection(sa.Connection)
	config, _ := c.child(child.Name)
	if _, made := payloads.First(ike.PayloadSA); !made {
		problem := "the peer made no child"
		if n, ok := firstError(payloads); ok {
			problem = "the peer refused the child: " + n.Type.String()
		}
		t.failChild(sa, 0, problem)
		t.reportUp(sa, problem)
		return
	}
	if problem := chosenChild(&child, config, firstChildProposals(config.Proposals), payloads); problem != "" {
		t.reportUp(sa, problem)
		t.want(sa, Waiting{Wish: wishDeleteChild, Child: child.Number, Decided: t.decided()})
		return
	}
	child.Ticket, sa.Ticket = sa.Ticket, 0
	t.install(sa, &child, sa.SetUp.Ni, sa.SetUp.Nr)
	sa.Children = replaced(sa.Children, 0, child)
}

// chosenChild takes the peer's choice into child, or says what is wrong with it.
func chosenChild(child *ChildSA, config ChildConfig, ours []Proposal, payloads *ike.Payloads) string {
	answer, tsi, tsr, malformed := childBodies(payloads)
	_, transport := notified(payloads, ike.NotifyUseTransportMode)
	if malformed != 0 || len(answer.Proposals) == 0 {
		return "the peer's answer about the child is malformed"
	}
	suite, proposal, ok := chosen(answer, ours, child.Protocol)
	switch {
	case !ok || len(answer.Proposals) != 1:
		return "the peer chose a child proposal that was not offered"
	case !allCovered(tsi.Selectors, child.LocalTS) || !allCovered(tsr.Selectors, child.RemoteTS):
		return "the peer's selectors are wider than asked for"
	case config.TransportMode != transport:
		return "the peer chose another mode"
	}
	child.Suite, child.OutboundSPI = suite, binary.BigEndian.Uint32(proposal.SPI)
	child.LocalTS, child.RemoteTS = tsi.Selectors, tsr.Selectors
	return ""
}

// reportUp tells the operator who initiated how it went, when no child is to come.
func (t *step) reportUp(sa *IKESA, problem string) {
	t.answer(sa.Number, sa.Ticket, problem)
	sa.Ticket = 0
}

// child is the SA this event is about and the place of one of its children.
func (t *step) child(number uint64) (IKESA, int, bool) {
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ok {
		return IKESA{}, 0, false
	}
	if i := sa.place(number); i >= 0 {
		return sa, i, true
	}
	return IKESA{}, 0, false
}

func replaced[T any](s []T, i int, v T) []T {
	all := append([]T(nil), s...)
	all[i] = v
	return all
}

func spiOctets(spi uint32) []byte { return binary.BigEndian.AppendUint32(nil, spi) }
