package reducer

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// IKE_SA_INIT as responder (RFC 7296, section 1.2): anybody may ask, so nothing is computed for the asker but a key
// exchange value that the keyring had made before this event, and what is kept is small and short-lived.

// serveInit answers an IKE_SA_INIT request with our choice, with the group we would rather have, or with a refusal; or
// not at all. The secret made for it is destroyed where it is not needed.
func (t *step) serveInit(ev *record.DatagramReceived, h ike.Header, payloads *ike.Payloads) {
	fresh := ev.GetFresh()
	path := pathOf(ev.GetPath())
	refuse := func(notify ike.NotifyType, data []byte) {
		t.order(Effect{Kind: EffectRefuse, SPIi: h.SPIi, Exchange: h.Exchange, MessageID: h.MessageID, Notify: notify,
			Data: data, Path: path})
	}
	drop := func(cause string) {
		t.drop(cause)
		t.destroy(fresh.GetKeyRef())
	}
	offered, public, nonce, problem := initBodies(payloads)
	switch {
	case t.s.ending != nil:
		drop("shutting down")
		return
	case problem != "":
		drop(problem)
		return
	case offered.CheckOffer(0) != nil:
		drop("malformed offer")
		return
	case t.isOurs(h.SPIi, nonce):
		drop("our own request came back") // PROTOCOL.md, N-37
		return
	}
	if critical, ok := ike.UnknownCritical(payloads); ok {
		drop("unknown critical payload")
		refuse(ike.NotifyUnsupportedCriticalPayload, []byte{byte(critical)})
		return
	}
	connection, suite, proposal, ok := t.chooseConnection(path, offered)
	switch {
	case !ok:
		drop("no acceptable proposal")
		refuse(ike.NotifyNoProposalChosen, nil)
		return
	case suite.Group != public.Group:
		drop("key exchange value of another group")
		refuse(ike.NotifyInvalidKEPayload, []byte{byte(suite.Group >> 8), byte(suite.Group)})
		return
	case len(public.Data) != publicLength(public.Group):
		drop("key exchange value of a wrong length") // PROTOCOL.md, X-55
		return
	case len(nonce.Data) < halfKey(suite.PRF):
		drop("nonce shorter than half the PRF's key") // section 2.10
		refuse(ike.NotifyNoProposalChosen, nil)
		return
	case fresh.GetKeyRef() == 0 || ike.Group(fresh.GetGroup()) != suite.Group:
		panic("ike_sa_init request without a key share of its group")
	}
	sa := IKESA{Number: t.s.nextIKE, Connection: connection.Name, SPIi: h.SPIi, SPIr: fresh.GetSpi(), Path: path, Suite: suite,
		KeyRef: fresh.GetKeyRef(), Window: Window{PeerSize: 1}, Created: t.now, CreatedStep: t.s.step, Decided: t.decided(),
		SetUp: &SetUp{Stage: InitAnswered, Request: ev.GetDatagram(), Ni: nonce.Data, Nr: fresh.GetNonce(),
			Public: fresh.GetPublic(), PeerPublic: public.Data, Group: suite.Group, Proposal: proposal.Number}}
	t.s.nextIKE++
	t.s.halfOpen++
	detectNAT(&sa, h, payloads, path)
	t.changePhase(&sa, HalfOpen)
	_, traverses := notified(payloads, ike.NotifyNATDetectionSourceIP)
	t.answerInit(&sa, connection, h.MessageID, ev.GetDigest(), traverses)
	t.setTimer(&sa, halfOpenTimer, t.halfOpenLife())
	t.put(sa)
}

// answerInit is HDR, SAr1, KEr, Nr and, for a peer that sent its own, the two hashes of section 2.23: to another they say
// nothing, and the answer would be longer than PROTOCOL.md, K-03, allows.
func (t *step) answerInit(sa *IKESA, c Connection, id uint32, digest uint64, traverses bool) {
	bodies := []ike.Body{choice(sa.Suite, ike.ProtocolIKE, sa.SetUp.Proposal, nil),
		ike.KeyExchange{Group: sa.SetUp.Group, Data: sa.SetUp.Public}, ike.Nonce{Data: sa.SetUp.Nr}}
	if traverses {
		source, destination := natPayloads(sa.SPIi, sa.SPIr, sa.Path, c.Encap)
		bodies = append(bodies, source, destination)
	}
	t.respond(sa, Answering{ID: id, Exchange: ike.IKE_SA_INIT, Request: digest, Path: sa.Path}, bodies...)
}

// chooseConnection is the first connection for that path whose proposals meet the offer. Which it is in truth, IKE_AUTH
// decides by the identities.
func (t *step) chooseConnection(path Path, offered ike.SA) (Connection, Suite, ike.Proposal, bool) {
	for _, c := range t.s.config.Connections {
		if !c.serves(path) {
			continue
		}
		if suite, proposal, ok := choose(offered, c.Proposals, ike.ProtocolIKE); ok {
			return c, suite, proposal, true
		}
	}
	return Connection{}, Suite{}, ike.Proposal{}, false
}

// isOurs reports whether a request is one we sent ourselves: the peer reflects it to open an SA of us with us. The door
// names the SA of ours with that SPIi.
func (t *step) isOurs(spii uint64, nonce ike.Nonce) bool {
	sa, ok := t.sa(t.ev.GetIkeSa())
	return ok && sa.Initiator && sa.SPIi == spii && sa.SetUp != nil && slices.Equal(sa.SetUp.Ni, nonce.Data)
}

// halfKey is half the key size of a PRF in octets, the least a nonce may have.
func halfKey(prf uint16) int {
	switch prf {
	case ike.PRFHMACSHA2_384:
		return 24
	case ike.PRFHMACSHA2_512:
		return 32
	}
	return 16
}
