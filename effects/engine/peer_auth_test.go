package engine_test

import (
	"net/netip"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What an honest peer says in IKE_AUTH, and a node that a peer can talk to.

// target is a node that takes anybody who knows the secret.
func target(t testing.TB) *node {
	w := newWire(t)
	n := newNode(t, w, "b.example", "192.0.2.2:500")
	n.config = &record.Config{Settings: quick(), Connections: []*record.Connection{{Name: "gw", LocalId: fqdn(n.name), RemoteAddrs: []string{"192.0.2.0/24"},
		Proposals: []*record.Proposal{ikeProposal()}, Children: []*record.Child{childNet()}}}}
	return n
}

const peerAddress = "192.0.2.77:500"

// server is a running target and a peer.
func server(t testing.TB) (*node, *peer) {
	n := target(t)
	n.start("secret")
	return n, newPeer(n, peerAddress)
}

// client is a node that has just begun to set up an SA with a peer, and its request.
func client(t testing.TB, change func(*record.Config)) (*node, *peer, []byte) {
	n := target(t)
	n.config.Connections[0].RemoteAddrs = []string{netip.MustParseAddrPort(peerAddress).Addr().String()}
	n.config.Settings = nil // the default waits: no retransmission comes between
	if change != nil {
		change(n.config)
	}
	n.start("secret")
	p := newPeer(n, peerAddress)
	n.running().engine.Post(&record.Event{Because: operator(), Kind: &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{
		Connection: "gw", Child: "net", Ticket: 7, Path: &record.Path{Local: n.address.Addr().AsSlice(), LocalPort: 500,
			Remote: p.address.Addr().AsSlice(), RemotePort: 500}}}})
	return n, p, p.next()
}

func idOf(initiator bool, name string) ike.Identification {
	return ike.Identification{Initiator: initiator, Type: ike.IDFQDN, Data: []byte(name)}
}

// auth is the peer's AUTH for an identity.
func (s *session) auth(id ike.Identification, secret string) ike.Auth {
	message, n, proof := s.response, s.ni, s.pr
	if s.initiator {
		message, n, proof = s.request, s.nr, s.pi
	}
	value := mac(mac([]byte(secret), []byte("Key Pad for IKEv2")), message, n, mac(proof, id.AppendBody(nil)))
	return ike.Auth{Method: ike.AuthSharedKey, Data: value}
}

func host(a netip.Addr) ike.Selector {
	return ike.Selector{Type: ike.TSIPv4AddrRange, EndPort: 65535, Start: a, End: a}
}

// authBodies are an honest IKE_AUTH message of the peer, with a child whose inbound SPI at the peer is 0x1234.
func (s *session) authBodies() []ike.Body {
	id := idOf(s.initiator, "peer.example")
	return append([]ike.Body{id, s.auth(id, "secret")}, s.childBodies(0x1234)...)
}

func (s *session) childBodies(spi uint32) []ike.Body {
	i, r := s.p.address.Addr(), s.p.n.address.Addr()
	if !s.initiator {
		i, r = r, i
	}
	return []ike.Body{espOffer(spi), ike.TrafficSelectors{Initiator: true, Selectors: []ike.Selector{host(i)}},
		ike.TrafficSelectors{Selectors: []ike.Selector{host(r)}}}
}

// establish has an SA up that the peer began.
func (p *peer) establish() *session {
	p.t.Helper()
	s := p.open()
	p.send(s.say(ike.IKE_AUTH, 1, 0, s.authBodies()...))
	_, payloads := s.read(p.next())
	if _, ok := payloads.First(ike.PayloadAUTH); !ok {
		p.t.Fatal("not authenticated")
	}
	return s
}

// notified is the first notify of a message of the node.
func notified(payloads *ike.Payloads) ike.NotifyType {
	for _, p := range payloads.All() {
		if n, err := ike.ParseNotify(p.Body); p.Type == ike.PayloadNotify && err == nil {
			return n.Type
		}
	}
	return 0
}

// TestPeer: the cryptography of the peer is that of the daemon, in both roles.
func TestPeer(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.establish()
	n.settle()
	if n.children() != 1 {
		t.Error("no child")
	}
	p.send(s.say(ike.INFORMATIONAL, 2, 0, ike.Delete{Protocol: ike.ProtocolIKE}))
	if h, payloads := s.read(p.next()); h.MessageID != 2 || len(payloads.All()) != 0 {
		t.Errorf("%+v %v", h, payloads.All())
	}

	n, p, request := client(t, nil)
	s = p.take(request)
	s.respond(s.initBodies()...)
	if h, _ := s.read(p.next()); h.Exchange != ike.IKE_AUTH {
		t.Fatalf("%+v", h)
	}
	p.send(s.say(ike.IKE_AUTH, 1, ike.FlagResponse, s.authBodies()...))
	n.must(7)
}
