package engine_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// What a hostile initiator sends after IKE_SA_INIT. It has keys, and nobody has authenticated.

// stays fails the test unless the node has said nothing and its one SA is in that phase.
func (p *peer) stays(phase reducer.Phase) {
	p.t.Helper()
	p.nothing()
	if got := p.n.phases(); !slices.Equal(got, []reducer.Phase{phase}) {
		p.t.Fatalf("phases %v", got)
	}
}

// authenticates has the honest IKE_AUTH served after all.
func (s *session) authenticates() {
	s.p.t.Helper()
	s.p.send(s.say(ike.IKE_AUTH, 1, 0, s.authBodies()...))
	if _, payloads := s.read(s.p.next()); payloads.Count(ike.PayloadAUTH) != 1 {
		s.p.t.Fatalf("refused: %v", notified(payloads))
	}
}

// refusedWith sends a request and expects that notify alone, from an SA that then only lingers for repeats.
func (s *session) refusedWith(request []byte, want ike.NotifyType) {
	s.p.t.Helper()
	s.p.send(request)
	answer := s.p.next()
	h, payloads := s.read(answer)
	if !h.Response() || len(payloads.All()) != 1 || notified(payloads) != want {
		s.p.t.Fatalf("%+v %v", h, payloads.All())
	}
	s.p.stays(reducer.Lingering)
	s.p.send(request)
	if again := s.p.next(); !bytes.Equal(again, answer) {
		s.p.t.Error("the repeat of the request got another answer")
	}
	if s.p.n.children() != 0 || s.p.n.vault() != 0 {
		s.p.t.Errorf("%d children, %d secrets are left", s.p.n.children(), s.p.n.vault())
	}
}

// TestN43: X-05, nothing but IKE_AUTH with id 1 is looked at, and no key is agreed for it; CVE-2019-12312.
func TestN43(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.open()
	for _, x := range []ike.ExchangeType{ike.INFORMATIONAL, ike.CREATE_CHILD_SA, ike.IKE_FOLLOWUP_KE, ike.IKE_INTERMEDIATE, 200} {
		for id := range uint32(3) {
			p.send(s.say(x, id, 0, ike.Delete{Protocol: ike.ProtocolIKE}))
			p.send(s.say(x, id, ike.FlagResponse, ike.Delete{Protocol: ike.ProtocolIKE}))
		}
	}
	p.stays(reducer.HalfOpen)
	if _, _, err := n.running().keyring.Open(n.sas()[0].KeyRef, s.say(ike.IKE_AUTH, 1, 0)); !errors.Is(err, keys.ErrNotAgreed) {
		t.Errorf("keys were agreed: %v", err)
	}
	s.authenticates()
}

// TestN45 sends IKE_AUTH under other ids, and again with other content when it is over.
func TestN45(t *testing.T) {
	t.Parallel()
	_, p := server(t)
	s := p.open()
	for _, id := range []uint32{0, 2, 5, 1 << 31, 1<<32 - 1} {
		p.send(s.say(ike.IKE_AUTH, id, 0, s.authBodies()...))
	}
	p.stays(reducer.HalfOpen)
	s.authenticates()
	p.send(s.say(ike.IKE_AUTH, 1, 0, s.authBodies()...)) // another IV, so other octets
	p.send(s.say(ike.IKE_AUTH, 2, 0, s.authBodies()...))
	p.stays(reducer.Established)
}

// TestAuthRefused: N-46, N-47, X-31, X-33, X-63. What is malformed gets INVALID_SYNTAX, what proves nothing gets
// AUTHENTICATION_FAILED whatever is wrong with it, and nothing is left but the answer.
func TestAuthRefused(t *testing.T) {
	t.Parallel()
	id := func(kind ike.IDType, data ...byte) ike.Identification {
		return ike.Identification{Initiator: true, Type: kind, Data: data}
	}
	as := func(i ike.Identification) func(*session) []ike.Body {
		return func(s *session) []ike.Body {
			return append([]ike.Body{i, s.auth(i, "wrong")}, s.childBodies(0x1234)...)
		}
	}
	with := func(a ike.Auth) func(*session) []ike.Body {
		return func(s *session) []ike.Body { b := s.authBodies(); b[1] = a; return b }
	}
	failed, syntax := ike.NotifyAuthenticationFailed, ike.NotifyInvalidSyntax
	for name, c := range map[string]struct {
		bodies func(*session) []ike.Body
		want   ike.NotifyType
	}{
		"N-46/IDi of 3 octets": {func(s *session) []ike.Body {
			b := s.authBodies()
			b[0] = ike.Payload{Type: ike.PayloadIDi, Body: []byte{2, 0, 0}}
			return b
		}, syntax},
		"N-46/type 0":           {as(id(0, 1, 2)), failed},
		"N-46/type 4":           {as(id(4, 1, 2)), failed},
		"N-46/type 255":         {as(id(255, 1, 2)), failed},
		"N-46/IPv4 of 3 octets": {as(id(ike.IDIPv4Addr, 1, 2, 3)), syntax},
		"N-46/IPv4 of 5 octets": {as(id(ike.IDIPv4Addr, 1, 2, 3, 4, 5)), syntax},
		"N-46/DN that is none":  {as(id(9, 0x30, 0x82, 0xff, 0xff)), failed},
		"N-46/not UTF-8":        {as(id(ike.IDFQDN, 0xff, 0xfe, 0, '\n')), failed},
		"N-46/empty":            {as(id(ike.IDFQDN)), failed},
		"N-46/long":             {as(id(ike.IDFQDN, bytes.Repeat([]byte{'a'}, 60000)...)), failed},
		"N-47/AUTH empty":       {with(ike.Auth{Method: ike.AuthSharedKey}), failed},
		"N-47/method 0":         {with(ike.Auth{Data: nonce()}), failed},
		"N-47/method 255":       {with(ike.Auth{Method: 255, Data: nonce()}), failed},
		"N-47/signature":        {with(ike.Auth{Method: 14, Data: nonce()}), failed},
		"N-47/signature of 0":   {with(ike.Auth{Method: 14, Data: []byte{0}}), failed},
		"N-47/signature of 255": {with(ike.Auth{Method: 14, Data: append([]byte{255}, make([]byte, 300)...)}), failed},
		"N-47/wrong secret":     {as(idOf(true, "peer.example")), failed},
		"X-63/empty":            {func(*session) []ike.Body { return nil }, syntax},
		"X-63/no IDi":           {func(s *session) []ike.Body { return s.authBodies()[1:] }, syntax},
		"X-40/no AUTH":          {func(s *session) []ike.Body { b := s.authBodies(); return append(b[:1:1], b[2:]...) }, failed},
		"N-11/two AUTH":         {func(s *session) []ike.Body { b := s.authBodies(); return append(b, b[1]) }, syntax},
		"N-22/SPI of 8": {func(s *session) []ike.Body {
			b := s.authBodies()
			sa := espOffer(1)
			sa.Proposals[0].SPI = make([]byte, 8)
			b[2] = sa
			return b
		}, syntax},
		"N-42/SK inside": {func(s *session) []ike.Body {
			return append(s.authBodies(), ike.Payload{Type: ike.PayloadSK, Body: make([]byte, 40)})
		}, syntax},
	} {
		t.Run(name, func(t *testing.T) {
			_, p := server(t)
			s := p.open()
			s.refusedWith(s.say(ike.IKE_AUTH, 1, 0, c.bodies(s)...), c.want)
		})
	}
	t.Run("X-33/critical", func(t *testing.T) {
		_, p := server(t)
		s := p.open()
		s.refusedWith(s.seal(s.headerOf(ike.IKE_AUTH, 1, 0), 200, critical), ike.NotifyUnsupportedCriticalPayload)
	})
	t.Run("N-41/padding", func(t *testing.T) {
		for _, first := range []ike.PayloadType{ike.NoNextPayload, ike.PayloadIDi} {
			_, p := server(t)
			s := p.open()
			s.refusedWith(s.seal(s.headerOf(ike.IKE_AUTH, 1, 0), first, []byte{9}), syntax)
		}
	})
	t.Run("N-52/no secret", func(t *testing.T) {
		n := target(t)
		n.start("")
		s := newPeer(n, peerAddress).open()
		s.refusedWith(s.say(ike.IKE_AUTH, 1, 0, s.authBodies()...), failed)
	})
}

// TestAuthForms: N-40 to N-42 before authentication: what fails its ICV or its form costs nothing but a count.
func TestAuthForms(t *testing.T) {
	t.Parallel()
	n := target(t)
	n.limits = engine.Limits{BadICV: 1 << 20, RefusalsSource: 1 << 20, RefusalsAll: 1 << 20}
	n.start("secret")
	p := newPeer(n, peerAddress)
	s := p.open()
	good := s.say(ike.IKE_AUTH, 1, 0, s.authBodies()...)
	for _, bad := range changes(good) {
		p.send(bad)
		p.n.settle() // one is looked at at a time
	}
	for _, form := range forms(s, ike.IKE_AUTH, 1) {
		p.send(form)
		p.n.settle()
	}
	p.onlyRefusals()
	p.stays(reducer.HalfOpen)
	p.send(good)
	s.read(p.next())
	if n.running().engine.Stats().Poisoned != 0 {
		t.Error("poisoned")
	}
}

// changes are copies of a message with one bit changed, in each octet (N-40).
func changes(message []byte) [][]byte {
	var all [][]byte
	for at := range message {
		changed := bytes.Clone(message)
		changed[at] ^= 1 << (at % 8)
		all = append(all, changed)
	}
	return all
}

// forms are protected messages whose outer form is wrong (N-41, N-42).
func forms(s *session, x ike.ExchangeType, id uint32) [][]byte {
	h := s.headerOf(x, id, 0)
	good := s.seal(h, ike.NoNextPayload, []byte{0})
	sk := good[ike.HeaderLen:]
	message := func(first ike.PayloadType, rest ...[]byte) []byte {
		h, body := h, slices.Concat(rest...)
		h.NextPayload, h.Length = first, uint32(ike.HeaderLen+len(body))
		return append(h.Append(nil), body...)
	}
	_, del := ike.AppendPayloads(nil, ike.Delete{Protocol: ike.ProtocolIKE})
	beforeSK := bytes.Clone(del)
	beforeSK[0] = byte(ike.PayloadSK)
	afterSK := bytes.Clone(sk)
	afterSK[0] = byte(ike.PayloadDelete)
	all := [][]byte{
		message(ike.PayloadDelete, del),          // not protected at all
		message(ike.NoNextPayload),               // nothing
		message(ike.PayloadDelete, beforeSK, sk), // plain before SK
		message(ike.PayloadSK, afterSK, del),     // plain after it
		message(ike.PayloadSK, sk, sk),           // two of them
		message(ike.PayloadSKF, sk),
	}
	for n := range 8 + 1 + 16 { // shorter than IV, pad length and ICV
		short := append([]byte{0, 0, 0, byte(4 + n)}, make([]byte, n)...)
		all = append(all, message(ike.PayloadSK, short))
	}
	return all
}

// onlyRefusals takes unprotected answers to changed SPIs and versions out of the inbox, and fails on any other.
func (p *peer) onlyRefusals() {
	p.t.Helper()
	for len(p.inbox) > 0 {
		answer := p.next()
		if h, _ := ike.ParseHeader(answer); h.NextPayload != ike.PayloadNotify {
			p.t.Fatalf("answered with %+v", h)
		}
	}
}

// TestK14: on one half-open SA sixteen wrong ICVs are looked at, and then not even a good one.
func TestK14(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.open()
	good := s.say(ike.IKE_AUTH, 1, 0, s.authBodies()...)
	for i := range 40 {
		bad := bytes.Clone(good)
		bad[len(bad)-1] ^= byte(i + 1)
		p.send(bad)
		n.settle()
	}
	if got := n.running().engine.Counts(); got["icv"] != 16 || got["auth-attempts"] != 24 {
		t.Errorf("%v", got)
	}
	p.send(good)
	p.stays(reducer.HalfOpen)
}
