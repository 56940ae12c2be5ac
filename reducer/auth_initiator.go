package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// IKE_AUTH as initiator (RFC 7296, sections 1.2 and 2.15): who we are, the proof of it over our IKE_SA_INIT request, and
// what we want the first Child SA to be. The response proves the peer.

// prepareAuth asks the keyring for our AUTH and the kernel for the SPI we want to receive on; the request is built when
// both are there.
func (t *step) prepareAuth(sa *IKESA) {
	sa.SetUp.Stage = MakingAuth
	t.askAuth(sa)
	c, _ := t.connection(sa.Connection)
	if child, ok := c.child(sa.SetUp.Child); ok && len(sa.Children) == 0 {
		t.offerChild(sa, child)
	}
}

func (t *step) askAuth(sa *IKESA) {
	sa.SetUp.Asked = t.order(Effect{Kind: EffectMakeAuth, SA: sa.Number, KeyRef: sa.KeyRef, Initiator: true, Keys: sa.keyWork()})
}

// authMade brings our AUTH.
func (t *step) authMade(ev *record.AuthMade) {
	sa, ok := t.settingUp(MakingAuth)
	if !ok {
		return
	}
	if ev.GetFailure() != "" {
		t.failSetUp(sa, Refused, ev.GetFailure())
		return
	}
	sa.SetUp.Auth, sa.SetUp.AuthMethod = ev.GetAuth(), ike.AuthMethod(ev.GetMethod())
	sa.SetUp.FirstContact = sa.SetUp.FirstContact && !ev.GetMet()
	t.authReady(&sa)
	t.put(sa)
}

// authReady wants the request sent once nothing it needs is missing.
func (t *step) authReady(sa *IKESA) {
	if sa.SetUp.Auth == nil || len(sa.Children) > 0 && sa.Children[0].InboundSPI == 0 {
		return
	}
	t.want(sa, Waiting{Wish: wishAuth, Decided: sa.SetUp.Wanted})
}

// buildAuth is HDR, SK {IDi, [N(INITIAL_CONTACT),] [IDr,] AUTH, [N(USE_TRANSPORT_MODE),] SAi2, TSi, TSr}.
func (t *step) buildAuth(sa *IKESA) message {
	sa.SetUp.Stage = AuthSent
	bodies := []ike.Body{sa.LocalID.payload(true)}
	if sa.SetUp.FirstContact {
		bodies = append(bodies, ike.Notify{Type: ike.NotifyInitialContact})
	}
	if sa.RemoteID.Type != 0 {
		bodies = append(bodies, sa.RemoteID.payload(false))
	}
	bodies = append(bodies, ike.Auth{Method: sa.SetUp.AuthMethod, Data: sa.SetUp.Auth})
	return message{ike.IKE_AUTH, append(bodies, t.childOffer(sa)...)}
}

// authAnswered reads the IKE_AUTH response. Without an AUTH in it the peer refused us; with one it is checked first and
// all else after.
func (t *step) authAnswered(sa IKESA, payloads *ike.Payloads) {
	setUp := *sa.SetUp
	sa.SetUp = &setUp
	t.requestDone(&sa, sa.Window.NextOut-1)
	idPayload, hasID := payloads.First(ike.PayloadIDr)
	authPayload, hasAuth := payloads.First(ike.PayloadAUTH)
	if !hasID || !hasAuth {
		if n, ok := firstError(payloads); ok {
			if t.tryAnother(sa) {
				return
			}
			t.failSetUp(sa, Refused, "the peer answered "+n.Type.String())
			return
		}
		t.refuseAuth(sa, ike.NotifyInvalidSyntax, "the peer's IKE_AUTH response has no IDr or no AUTH") // PROTOCOL.md, X-35
		return
	}
	id, err := ike.ParseIdentification(ike.PayloadIDr, idPayload.Body)
	auth, err2 := ike.ParseAuth(authPayload.Body)
	if err != nil || err2 != nil {
		t.refuseAuth(sa, ike.NotifyInvalidSyntax, "malformed IDr or AUTH") // PROTOCOL.md, X-35
		return
	}
	c, _ := t.connection(sa.Connection)
	sa.RemoteID = identityOf(id)
	if !c.RemoteID.allows(sa.RemoteID) {
		sa.SetUp.Failure = "the peer calls itself " + quoted(sa.RemoteID.Data) + ", which the connection does not expect"
	}
	_, sa.SetUp.PeersFirst = notified(payloads, ike.NotifyInitialContact)
	t.keepOffer(&sa, payloads)
	t.checkAuth(&sa, auth)
	t.put(sa)
}

// checkAuth asks whether the peer's AUTH is good.
func (t *step) checkAuth(sa *IKESA, auth ike.Auth) {
	sa.SetUp.Stage, sa.SetUp.PeerMethod, sa.SetUp.PeerAuth = CheckingAuth, auth.Method, auth.Data
	t.askCheck(sa)
}

func (t *step) askCheck(sa *IKESA) {
	work := sa.keyWork()
	work.Method, work.Auth = sa.SetUp.PeerMethod, sa.SetUp.PeerAuth
	sa.SetUp.Asked = t.order(Effect{Kind: EffectCheckAuth, SA: sa.Number, KeyRef: sa.KeyRef, Initiator: sa.Initiator, Keys: work})
}

// authenticated: the verdict on the peer's AUTH.
func (t *step) authenticated(ev *record.Authenticated) {
	sa, ok := t.settingUp(CheckingAuth)
	if !ok {
		return
	}
	reason := sa.SetUp.Failure
	if !ev.GetGood() {
		reason = ev.GetReason()
	}
	switch {
	case sa.Initiator && reason != "":
		t.refuseAuth(sa, ike.NotifyAuthenticationFailed, reason)
	case sa.Initiator:
		t.initiatorUp(sa)
	case reason != "":
		t.authRefused(sa, reason)
	default:
		t.peerProved(sa, ev)
	}
}

// initiatorUp: both ends are proved. The IKE SA is up; its first Child SA follows when the kernel has it. An SA that was to
// be closed meanwhile is closed now that the peer has one (PROTOCOL.md, D-24), and gets no child; nor does one that lost to the
// peer's own (C-41).
func (t *step) initiatorUp(sa IKESA) {
	lastResort, closing := sa.timer(discardTimer)
	decided := sa.Decided
	t.establish(&sa)
	redundant := t.onlyOne(&sa) == redundantSA // we asked for this one, so `keep` does not refuse it
	if !closing && !t.shuttingDown() && !redundant {
		t.firstChildAnswered(&sa, sa.offered())
		sa.SetUp = nil
		t.put(sa)
		return
	}
	t.dropChildren(&sa)
	sa.SetUp = nil
	switch {
	case closing:
		t.closeIKESA(&sa, decided, 0, lastResort.Deadline-t.now)
	case redundant:
		t.reportUp(&sa, "") // the connection is up, by the other one
		t.closeIKESA(&sa, t.decided(), 0, t.s.config.Settings.DiscardAfter)
	default:
		t.closeForShutdown(&sa)
	}
}
