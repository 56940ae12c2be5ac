package reducer

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// IKE_SA_INIT as initiator (RFC 7296, sections 1.2 and 2.6): our offer, key exchange value and nonce; the responder
// chooses, asks for a cookie, or names another group. Nothing is protected yet, so whatever comes may be forged.

// keyShareMade brings SPI, nonce and key exchange value: the request can be built.
func (t *step) keyShareMade(ev *record.KeyShareMade) {
	sa, ok := t.settingUp(WaitShare)
	if !ok {
		t.destroy(ev.GetFresh().GetKeyRef())
		return
	}
	if ev.GetFailure() != "" {
		t.failSetUp(sa, Refused, ev.GetFailure())
		return
	}
	if t.shuttingDown() { // its turn to be closed had not come yet, and nothing new is begun (PROTOCOL.md, D-23)
		t.destroy(ev.GetFresh().GetKeyRef())
		t.closeForShutdown(&sa)
		return
	}
	fresh := ev.GetFresh()
	again := sa.KeyRef != 0
	if again { // another group: SPI and nonce stay, the old secret goes
		t.order(Effect{Kind: EffectDestroyKeys, SA: sa.Number, KeyRef: sa.KeyRef})
	} else {
		sa.SPIi, sa.SetUp.Ni = fresh.GetSpi(), fresh.GetNonce()
	}
	sa.KeyRef, sa.SetUp.Public, sa.SetUp.Stage = fresh.GetKeyRef(), fresh.GetPublic(), InitSent
	if again {
		t.recordAgain(&sa, 0, t.buildInit(&sa))
	} else {
		t.want(&sa, Waiting{Wish: wishInit, Decided: sa.SetUp.Wanted})
	}
	t.put(sa)
}

// buildInit is HDR, [N(COOKIE)], SAi1, KEi, Ni and the two hashes of section 2.23.
func (t *step) buildInit(sa *IKESA) message {
	c, _ := t.connection(sa.Connection)
	var bodies []ike.Body
	if len(sa.SetUp.Cookie) > 0 {
		bodies = append(bodies, ike.Notify{Type: ike.NotifyCookie, Data: sa.SetUp.Cookie})
	}
	source, destination := natPayloads(sa.SPIi, 0, sa.Path, c.Encap)
	return message{ike.IKE_SA_INIT, append(bodies, offer(c.Proposals, ike.ProtocolIKE, nil),
		ike.KeyExchange{Group: sa.SetUp.Group, Data: sa.SetUp.Public}, ike.Nonce{Data: sa.SetUp.Ni}, source, destination)}
}

// initAnswered handles an IKE_SA_INIT response.
func (t *step) initAnswered(sa IKESA, h ike.Header, payloads *ike.Payloads) {
	if !sa.TakesInit(h.SPIr) {
		t.drop("ike_sa_init was answered before") // section 2.4, PROTOCOL.md W-21
		return
	}
	setUp := *sa.SetUp
	sa.SetUp = &setUp
	if setUp.Stage != InitSent {
		t.keepCandidate(sa, h, payloads)
		return
	}
	if cookie, ok := notified(payloads, ike.NotifyCookie); ok {
		t.cookieAsked(sa, cookie)
		return
	}
	if group, ok := notified(payloads, ike.NotifyInvalidKEPayload); ok {
		t.groupRefused(sa, group)
		return
	}
	if n, ok := firstError(payloads); ok {
		t.refusedInTheClear(sa, n.Type)
		return
	}
	t.initChosen(sa, h, payloads)
}

// cookieAsked sends the same request with the cookie in front (section 2.6).
func (t *step) cookieAsked(sa IKESA, n ike.Notify) {
	if ike.CheckCookie(n.Data) != nil {
		t.drop("cookie is not 1 to 64 octets")
		return
	}
	if !t.anotherRound(&sa) {
		return
	}
	sa.SetUp.Cookie = n.Data
	t.recordAgain(&sa, 0, t.buildInit(&sa))
	t.put(sa)
}

// groupRefused starts again with the group the responder names, if we offered it and have not sent it (PROTOCOL.md, X-28).
func (t *step) groupRefused(sa IKESA, n ike.Notify) {
	group, err := ike.ParseInvalidKE(n.Data)
	c, _ := t.connection(sa.Connection)
	offered := slices.ContainsFunc(c.Proposals, func(p Proposal) bool { return slices.Contains(p.Groups, group) })
	if err != nil || !offered || group == sa.SetUp.Group || slices.Contains(sa.SetUp.Tried, group) {
		t.drop("group not offered, or sent already")
		return
	}
	if !t.anotherRound(&sa) {
		return
	}
	sa.SetUp.Tried = with(sa.SetUp.Tried, sa.SetUp.Group)
	sa.SetUp.Group, sa.SetUp.Stage = group, WaitShare
	t.askShare(&sa)
	t.put(sa)
}

// anotherRound counts the COOKIE and INVALID_KE_PAYLOAD answers we follow, before we wait for a real one (PROTOCOL.md, K-09).
func (t *step) anotherRound(sa *IKESA) bool {
	if uint32(sa.SetUp.Rounds) >= t.s.config.Settings.SetUpRounds {
		t.drop("too many rounds")
		return false
	}
	sa.SetUp.Rounds++
	return true
}

// refusedInTheClear remembers an error that anybody could have sent, and waits for a better answer (section 2.21.1;
// PROTOCOL.md, X-27).
func (t *step) refusedInTheClear(sa IKESA, refusal ike.NotifyType) {
	if sa.SetUp.Refusal == 0 {
		t.setTimer(&sa, refusalTimer, t.s.config.Settings.RefusalWait)
	}
	sa.SetUp.Refusal = refusal
	t.put(sa)
}

// initChosen takes the responder's choice, and has the keys agreed.
func (t *step) initChosen(sa IKESA, h ike.Header, payloads *ike.Payloads) {
	c, problem := t.readChoice(sa, h, payloads)
	if problem != "" {
		t.drop(problem)
		return
	}
	c.Path = sa.Path
	c.take(&sa)
	t.agree(&sa, Agreeing)
	t.put(sa)
}

// readChoice is what a response chooses of our offer, or what is wrong with it.
func (t *step) readChoice(sa IKESA, h ike.Header, payloads *ike.Payloads) (candidate, string) {
	c, _ := t.connection(sa.Connection)
	suite, public, nonce, problem := initBodies(payloads)
	if problem != "" {
		return candidate{}, problem
	}
	if suite.CheckChoice(0) != nil {
		return candidate{}, "choice is not one proposal"
	}
	choice, _, ok := chosen(suite, c.Proposals, ike.ProtocolIKE)
	switch {
	case !ok:
		return candidate{}, "the responder chose what was not offered"
	case public.Group != sa.SetUp.Group || choice.Group != sa.SetUp.Group:
		return candidate{}, "key exchange value of another group"
	case len(nonce.Data) < halfKey(choice.PRF):
		return candidate{}, "nonce shorter than half the PRF's key" // section 2.10
	case h.SPIr == 0:
		return candidate{}, "response without a responder SPI"
	}
	d := t.ev.GetDatagramReceived()
	detectNAT(&sa, h, payloads, pathOf(d.GetPath()))
	return candidate{SPIr: h.SPIr, Response: d.GetDatagram(), Nr: nonce.Data, PeerPublic: public.Data, Suite: choice,
		Path: pathOf(d.GetPath()), LocalNAT: sa.LocalNAT, RemoteNAT: sa.RemoteNAT}, ""
}

// initBodies are the three payloads every IKE_SA_INIT message must have, and what is wrong with them.
func initBodies(payloads *ike.Payloads) (ike.SA, ike.KeyExchange, ike.Nonce, string) {
	var sa ike.SA
	var ke ike.KeyExchange
	var nonce ike.Nonce
	saPayload, ok1 := payloads.First(ike.PayloadSA)
	kePayload, ok2 := payloads.First(ike.PayloadKE)
	noncePayload, ok3 := payloads.First(ike.PayloadNonce)
	if !ok1 || !ok2 || !ok3 {
		return sa, ke, nonce, "SA, KE or Nonce is missing"
	}
	sa, err := ike.ParseSA(saPayload.Body)
	if err == nil {
		ke, err = ike.ParseKeyExchange(kePayload.Body)
	}
	if err == nil {
		nonce, err = ike.ParseNonce(noncePayload.Body)
	}
	if err != nil {
		return sa, ke, nonce, err.Error()
	}
	return sa, ke, nonce, ""
}

// agree asks the keyring for the SA's keys (section 2.14).
func (t *step) agree(sa *IKESA, next Stage) {
	sa.SetUp.Stage = next
	sa.SetUp.Asked = t.order(Effect{Kind: EffectAgree, SA: sa.Number, KeyRef: sa.KeyRef, Initiator: sa.Initiator,
		SPIi: sa.SPIi, SPIr: sa.SPIr, Keys: sa.keyWork()})
}

func (sa *IKESA) keyWork() *KeyWork {
	s := sa.SetUp
	return &KeyWork{Suite: sa.Suite, Request: s.Request, Response: s.Response, Ni: s.Ni, Nr: s.Nr, PeerPublic: s.PeerPublic,
		LocalID: sa.LocalID, RemoteID: sa.RemoteID}
}

// agreed: there are keys, and the set-up goes on with IKE_AUTH; or the peer's value was bad, and a better response may
// still come (PROTOCOL.md, X-55).
func (t *step) agreed(ev *record.Agreed) {
	sa, ok := t.settingUp(Agreeing)
	if !ok {
		return
	}
	if ev.GetFailure() != "" && t.tryAnother(sa) {
		return
	}
	if _, open := sa.Window.inFlight(0); ev.GetFailure() != "" && !open {
		t.failSetUp(sa, Refused, "none of several responders proved to be the peer")
		return
	}
	if ev.GetFailure() != "" {
		sa.SetUp.Stage, sa.SPIr, sa.SetUp.Nr, sa.SetUp.PeerPublic, sa.SetUp.Response = InitSent, 0, nil, nil, nil
		t.drop("key exchange value refused: " + ev.GetFailure())
		t.put(sa)
		return
	}
	t.cancelTimer(&sa, refusalTimer)
	sa.SetUp.Refusal = 0
	t.requestDone(&sa, 0)
	t.float(&sa)
	t.prepareAuth(&sa)
	t.put(sa)
}
