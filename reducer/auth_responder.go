package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// IKE_AUTH as responder (RFC 7296, sections 1.2, 2.15 and 2.21.2): find the connection by the identities, have the AUTH
// checked, install the Child SA, answer. Every failure has the same answer; the reason stays here.

// serveAuth takes an IKE_AUTH request with good ICV.
func (t *step) serveAuth(sa IKESA, to Answering, payloads *ike.Payloads) {
	setUp := *sa.SetUp
	sa.SetUp = &setUp
	sa.Window.Answering = &to
	idPayload, hasID := payloads.First(ike.PayloadIDi)
	if !hasID {
		t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, "IKE_AUTH without IDi") // PROTOCOL.md, X-63
		return
	}
	id, err := ike.ParseIdentification(ike.PayloadIDi, idPayload.Body)
	if err != nil {
		t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, err.Error())
		return
	}
	var local Identity
	if p, ok := payloads.First(ike.PayloadIDr); ok {
		asked, err := ike.ParseIdentification(ike.PayloadIDr, p.Body)
		if err != nil {
			t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, err.Error())
			return
		}
		local = identityOf(asked)
	}
	var auth ike.Auth
	if p, ok := payloads.First(ike.PayloadAUTH); ok {
		if auth, err = ike.ParseAuth(p.Body); err != nil {
			t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, err.Error())
			return
		}
	}
	if err := childForm(payloads); err != nil {
		t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, err.Error()) // X-31; what they say is looked at when AUTH is good
		return
	}
	sa.RemoteID = identityOf(id)
	connection, known := t.identify(&sa, sa.RemoteID, local)
	if known {
		sa.Connection, sa.LocalID = connection.Name, connection.ownIdentity(sa.Path)
	} else {
		// The check goes on all the same: whoever asks learns neither from the answer nor from its time what we know.
		sa.LocalID = local
		sa.SetUp.Failure = "no connection for " + quoted(sa.RemoteID.Data)
		if local.Type != 0 {
			sa.SetUp.Failure += " that asks for " + quoted(local.Data)
		}
	}
	_, sa.SetUp.PeersFirst = notified(payloads, ike.NotifyInitialContact)
	sa.Path = to.Path
	t.keepOffer(&sa, payloads)
	t.checkAuth(&sa, auth)
	t.put(sa)
}

// authRefused answers AUTHENTICATION_FAILED alone, the same for every reason (PROTOCOL.md, X-40).
func (t *step) authRefused(sa IKESA, reason string) {
	t.closeWith(sa, *sa.Window.Answering, ike.NotifyAuthenticationFailed, nil, reason)
}

// peerProved: the peer is who it says. Its Child SA is installed before we answer, since we must be able to receive
// then (section 2.8).
func (t *step) peerProved(sa IKESA, ev *record.Authenticated) {
	sa.SetUp.Auth, sa.SetUp.AuthMethod = ev.GetAuth(), ike.AuthMethod(ev.GetMethod())
	if t.onlyOne(&sa) == oneTooMany {
		t.authRefused(sa, "another IKE SA of this peer is up, and unique = keep")
		return
	}
	if !t.firstChildAsked(&sa) {
		t.answerAuth(&sa)
	}
	t.put(sa)
}

// answerAuth is HDR, SK {IDr, AUTH, SAr2, TSi, TSr}, or in place of the last three why there is no Child SA.
func (t *step) answerAuth(sa *IKESA) {
	bodies := []ike.Body{sa.LocalID.payload(false), ike.Auth{Method: sa.SetUp.AuthMethod, Data: sa.SetUp.Auth}}
	bodies = append(bodies, t.childAnswer(sa)...)
	t.respond(sa, *sa.Window.Answering, bodies...)
	t.establish(sa)
	t.settleMet(sa, sa.SetUp.Met)
	sa.SetUp = nil
}

// closeWith answers a request with one error notify that ends the SA on both ends, and lingers, so that a repeat of the
// request gets that answer again (PROTOCOL.md, section X, "close").
func (t *step) closeWith(sa IKESA, to Answering, notify ike.NotifyType, data []byte, detail string) {
	t.respond(&sa, to, ike.Notify{Type: notify, Data: data})
	cause := Refused
	if sa.Phase >= Established {
		cause = Damaged
	}
	t.linger(sa, cause, detail)
}
