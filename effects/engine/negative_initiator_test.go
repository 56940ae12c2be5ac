package engine_test

import (
	"bytes"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// What a hostile responder answers to our IKE_SA_INIT request, or somebody in its name. Whatever it is, the real answer
// that comes after it is served.

// initResponse is an IKE_SA_INIT response of the session.
func (s *session) initResponse(bodies ...ike.Body) []byte {
	h := ike.Header{SPIi: s.spii, SPIr: s.spir, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagResponse}
	return ike.AppendMessage(nil, h, bodies...)
}

// waits fails the test unless the node still waits for an IKE_SA_INIT response and has said nothing.
func (p *peer) waits() {
	p.t.Helper()
	p.n.settle()
	p.quietInit()
	sas := p.n.sas()
	if len(sas) != 1 || sas[0].Phase != reducer.HalfOpen || sas[0].SetUp.Stage != reducer.InitSent {
		p.t.Fatalf("not waiting for IKE_SA_INIT any more: %+v", sas)
	}
}

// quietInit takes retransmissions of the request out of the inbox and fails on anything else.
func (p *peer) quietInit() {
	p.t.Helper()
	for len(p.inbox) > 0 {
		if h, _ := ike.ParseHeader(p.next()); h.Exchange != ike.IKE_SA_INIT || h.Response() {
			p.t.Fatalf("said %+v", h)
		}
	}
}

// comesUp has the real answer served.
func (s *session) comesUp() {
	s.p.t.Helper()
	s.respond(s.initBodies()...)
	for {
		m := s.p.next()
		if h, _ := ike.ParseHeader(m); h.Exchange == ike.IKE_AUTH {
			s.read(m)
			break
		}
	}
	s.p.send(s.say(ike.IKE_AUTH, 1, ike.FlagResponse, s.authBodies()...))
	s.p.n.must(7)
}

func proposal(change func(*ike.Proposal)) ike.SA {
	p := gcmOffer(1)
	change(&p)
	return ike.SA{Proposals: []ike.Proposal{p}}
}

func TestInitResponses(t *testing.T) {
	t.Parallel()
	notify := func(n ike.NotifyType, data ...byte) func(*session) []ike.Body {
		return func(*session) []ike.Body { return []ike.Body{ike.NewNotify(n, data)} }
	}
	without := func(i int) func(*session) []ike.Body {
		return func(s *session) []ike.Body { b := s.initBodies(); return append(b[:i:i], b[i+1:]...) }
	}
	with := func(i int, body ike.Body) func(*session) []ike.Body {
		return func(s *session) []ike.Body { b := s.initBodies(); b[i] = body; return b }
	}
	chosen := func(change func(*ike.Proposal)) func(*session) []ike.Body { return with(0, proposal(change)) }
	lowOrder := append([]byte{1}, make([]byte, 31)...)
	for name, bodies := range map[string]func(*session) []ike.Body{
		"N-06/no SA":               without(0),
		"N-06/no KE":               without(1),
		"N-06/no nonce":            without(2),
		"N-27/low order":           with(1, ike.KeyExchange{Group: ike.GroupCurve25519, Data: lowOrder}),
		"N-24/short public":        with(1, ike.KeyExchange{Group: ike.GroupCurve25519, Data: lowOrder[1:]}),
		"N-28/short nonce":         with(2, ike.Nonce{Data: lowOrder[:15]}),
		"N-30/cookie of 0":         notify(ike.NotifyCookie),
		"N-30/cookie of 65":        notify(ike.NotifyCookie, make([]byte, 65)...),
		"N-33/group not offered":   notify(ike.NotifyInvalidKEPayload, 0, 14),
		"N-33/group sent already":  notify(ike.NotifyInvalidKEPayload, 0, 31),
		"N-33/1 octet":             notify(ike.NotifyInvalidKEPayload, 31),
		"N-33/4 octets":            notify(ike.NotifyInvalidKEPayload, 0, 0, 0, 19),
		"N-34/no proposal chosen":  notify(ike.NotifyNoProposalChosen),
		"N-34/invalid syntax":      notify(ike.NotifyInvalidSyntax),
		"N-34/authentication":      notify(ike.NotifyAuthenticationFailed),
		"N-35/proposal number":     chosen(func(p *ike.Proposal) { p.Number = 2 }),
		"N-35/transform":           chosen(func(p *ike.Proposal) { p.Transforms[0].ID = ike.EncrAESCBC }),
		"N-35/key length":          chosen(func(p *ike.Proposal) { p.Transforms[0].KeyLength = 256 }),
		"N-35/two of one type":     chosen(func(p *ike.Proposal) { p.Transforms = append(p.Transforms, p.Transforms[1]) }),
		"N-35/none of one type":    chosen(func(p *ike.Proposal) { p.Transforms = p.Transforms[:2] }),
		"N-35/another group":       with(1, ike.KeyExchange{Group: ike.GroupECP256, Data: make([]byte, 64)}),
		"N-11/two nonces":          func(s *session) []ike.Body { return append(s.initBodies(), ike.Nonce{Data: nonce()}) },
		"N-42/SK in IKE_SA_INIT":   func(*session) []ike.Body { return []ike.Body{ike.Payload{Type: ike.PayloadSK, Body: make([]byte, 40)}} },
		"X-91/unknown status only": notify(40000),
	} {
		t.Run(name, func(t *testing.T) {
			_, p, request := client(t, func(c *record.Config) {
				c.Connections[0].Proposals[0].Groups = append(c.Connections[0].Proposals[0].Groups, uint32(ike.GroupECP256))
			})
			s := p.take(request)
			p.send(s.initResponse(bodies(s)...))
			p.waits()
			s.comesUp()
		})
	}
}

// TestN29: a responder whose nonce is ours is served.
func TestN29(t *testing.T) {
	t.Parallel()
	_, p, request := client(t, nil)
	s := p.take(request)
	s.nr = s.ni
	s.comesUp()
}

// TestN32: five rounds of COOKIE and INVALID_KE_PAYLOAD, then only a real answer counts.
func TestN32(t *testing.T) {
	t.Parallel()
	_, p, request := client(t, func(c *record.Config) {
		c.Connections[0].Proposals[0].Groups = append(c.Connections[0].Proposals[0].Groups, uint32(ike.GroupECP256))
	})
	s := p.take(request)
	rounds := 0
	for i := range byte(12) {
		if i == 1 {
			p.send(s.initResponse(ike.InvalidKEPayload(ike.GroupECP256)))
		} else {
			p.send(s.initResponse(ike.NewNotify(ike.NotifyCookie, []byte{i, 1, 2, 3})))
		}
		p.n.settle()
		for len(p.inbox) > 0 {
			if again := p.next(); !bytes.Equal(again, request) {
				request = again
				rounds++
			}
		}
	}
	if rounds != 5 {
		t.Errorf("%d rounds", rounds)
	}
	h, _ := ike.ParseHeader(request)
	if h.SPIi != s.spii || !bytes.Contains(request, []byte{0, 0, 0x40, 6, 5, 1, 2, 3}) && !bytes.Contains(request, []byte{4, 1, 2, 3}) {
		t.Errorf("the last request does not carry the cookie: %x", request)
	}
	p.waits()
}

// TestN37: our own IKE_SA_INIT request from the peer's address makes no SA of us with us.
func TestN37(t *testing.T) {
	t.Parallel()
	n, p, request := client(t, func(c *record.Config) { c.Connections[0].LocalAddrs = nil })
	p.send(request)
	p.waits()
	if len(n.sas()) != 1 {
		t.Errorf("%d SAs", len(n.sas()))
	}
	p.take(request).comesUp()
}

// TestN44: while our IKE_AUTH is unanswered the peer asks for nothing, with good keys or not; CVE-2014-2338.
func TestN44(t *testing.T) {
	t.Parallel()
	n, p, request := client(t, nil)
	s := p.take(request)
	s.respond(s.initBodies()...)
	s.read(p.next())
	rekey := []ike.Body{ike.SA{Proposals: []ike.Proposal{gcmOffer(1)}}, ike.Nonce{Data: nonce()}}
	for id := range uint32(2) {
		p.send(s.say(ike.CREATE_CHILD_SA, id, 0, rekey...))
		p.send(s.say(ike.INFORMATIONAL, id, 0, ike.Delete{Protocol: ike.ProtocolIKE}))
		p.send(s.say(ike.IKE_AUTH, id, 0, s.authBodies()...))
		p.send(s.say(ike.INFORMATIONAL, id, ike.FlagResponse))
	}
	n.settle()
	if sas := n.sas(); len(sas) != 1 || sas[0].Phase != reducer.HalfOpen || sas[0].SetUp.Stage != reducer.AuthSent {
		t.Fatalf("%+v", sas)
	}
	p.send(s.say(ike.IKE_AUTH, 1, ike.FlagResponse, s.authBodies()...))
	n.must(7)
}

// TestX42: a responder that does not prove itself is told so, and is given up; no Delete is sent (D-25).
func TestX42(t *testing.T) {
	t.Parallel()
	wrong := func(s *session, id ike.Identification, secret string) []byte {
		return s.say(ike.IKE_AUTH, 1, ike.FlagResponse, append([]ike.Body{id, s.auth(id, secret)}, s.childBodies(1)...)...)
	}
	for name, c := range map[string]struct {
		answer func(*session) []byte
		notify ike.NotifyType
	}{
		"wrong secret":   {func(s *session) []byte { return wrong(s, idOf(false, "peer.example"), "another") }, ike.NotifyAuthenticationFailed},
		"wrong identity": {func(s *session) []byte { return wrong(s, idOf(false, "nobody.example"), "secret") }, ike.NotifyAuthenticationFailed},
		"no AUTH": {func(s *session) []byte {
			return s.say(ike.IKE_AUTH, 1, ike.FlagResponse, idOf(false, "peer.example"))
		}, ike.NotifyInvalidSyntax},
		"malformed": {func(s *session) []byte {
			return s.seal(s.headerOf(ike.IKE_AUTH, 1, ike.FlagResponse), ike.PayloadIDr, []byte{0, 0, 0, 2, 0})
		}, ike.NotifyInvalidSyntax},
		"critical": {func(s *session) []byte {
			return s.seal(s.headerOf(ike.IKE_AUTH, 1, ike.FlagResponse), 200, critical)
		}, ike.NotifyUnsupportedCriticalPayload},
	} {
		t.Run(name, func(t *testing.T) {
			n, p, request := client(t, func(c *record.Config) { c.Connections[0].RemoteId = fqdn("peer.example") })
			s := p.take(request)
			s.respond(s.initBodies()...)
			s.read(p.next())
			p.send(c.answer(s))
			h, payloads := s.read(p.next())
			if h.Exchange != ike.INFORMATIONAL || h.MessageID != 2 || notified(payloads) != c.notify {
				t.Fatalf("%+v %v", h, notified(payloads))
			}
			p.send(s.say(ike.INFORMATIONAL, 2, ike.FlagResponse))
			n.wait("given up", n.are())
			if n.answered(7) == "" || n.children() != 0 {
				t.Error("the operator was told that it worked")
			}
		})
	}
}
