package engine_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
)

// peer is the other end of a negative test: it has keys and says with them what no honest peer would. Its cryptography
// (X25519, HMAC-SHA-256, AES-128-GCM) is its own, so that nothing keeps it from sealing twice under one id.
type peer struct {
	t       testing.TB
	n       *node
	address netip.AddrPort
	inbox   chan udp.Datagram
}

func newPeer(n *node, address string) *peer {
	p := &peer{t: n.t, n: n, address: netip.MustParseAddrPort(address), inbox: make(chan udp.Datagram, 1<<16)}
	n.wire.mu.Lock()
	defer n.wire.mu.Unlock()
	n.wire.nodes[p.address] = p
	return p
}

func (p *peer) receive(d udp.Datagram) { p.inbox <- d }

// send hands a datagram in; the door has looked at it when send returns.
func (p *peer) send(datagram []byte) {
	p.n.running().engine.Receive([]udp.Datagram{{Local: p.n.address, Remote: p.address, Bytes: bytes.Clone(datagram)}})
}

// next is the next datagram from the node.
func (p *peer) next() []byte {
	p.t.Helper()
	select {
	case d := <-p.inbox:
		return d.Bytes
	case <-time.After(10 * time.Second):
		p.t.Fatal("no datagram came")
		return nil
	}
}

// nothing fails the test if the node answers what it has got so far.
func (p *peer) nothing() {
	p.t.Helper()
	p.n.settle()
	select {
	case d := <-p.inbox:
		h, _ := ike.ParseHeader(d.Bytes)
		p.t.Errorf("answered with %+v", h)
	default:
	}
}

func (p *peer) header() ike.Header {
	var spi [8]byte
	rand.Read(spi[:])
	return ike.Header{SPIi: binary.BigEndian.Uint64(spi[:]) | 1, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagInitiator}
}

// session is an IKE SA of a peer with the node.
type session struct {
	p                 *peer
	initiator         bool // the peer is the SA's
	spii, spir        uint64
	ni, nr            []byte
	private           *ecdh.PrivateKey
	request, response []byte // IKE_SA_INIT
	d, ei, er, pi, pr []byte
}

func nonce() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

func gcmOffer(number uint8) ike.Proposal {
	return ike.Proposal{Number: number, Protocol: ike.ProtocolIKE, Transforms: []ike.Transform{
		{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 128}, {Type: ike.TransformPRF, ID: ike.PRFHMACSHA2_256},
		{Type: ike.TransformKE, ID: uint16(ike.GroupCurve25519)}}}
}

func espOffer(spi uint32) ike.SA {
	return ike.SA{Proposals: []ike.Proposal{{Number: 1, Protocol: ike.ProtocolESP, SPI: binary.BigEndian.AppendUint32(nil, spi),
		Transforms: []ike.Transform{{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 128}, {Type: ike.TransformSN, ID: ike.SN32}}}}}
}

// initBodies are those of an honest IKE_SA_INIT message of the session.
func (s *session) initBodies() []ike.Body {
	n := s.ni
	if !s.initiator {
		n = s.nr
	}
	return []ike.Body{ike.SA{Proposals: []ike.Proposal{gcmOffer(1)}},
		ike.KeyExchange{Group: ike.GroupCurve25519, Data: s.private.PublicKey().Bytes()}, ike.Nonce{Data: n}}
}

func newSession(p *peer, initiator bool) *session {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	return &session{p: p, initiator: initiator, private: private}
}

// ask makes the request of a set-up that the peer begins.
func (p *peer) ask() *session {
	s := newSession(p, true)
	h := p.header()
	s.spii, s.ni = h.SPIi, nonce()
	s.request = ike.AppendMessage(nil, h, s.initBodies()...)
	return s
}

// open has an SA half-open: IKE_SA_INIT is over, and there are keys.
func (p *peer) open() *session {
	p.t.Helper()
	s := p.ask()
	p.send(s.request)
	s.answered(p.next())
	return s
}

// answered takes the node's IKE_SA_INIT response.
func (s *session) answered(response []byte) {
	s.p.t.Helper()
	h, ke, n := s.parseInit(response)
	s.response, s.spir, s.nr = response, h.SPIr, n
	s.derive(ke)
}

// take is the node's own IKE_SA_INIT request, which the peer can answer with initBodies.
func (p *peer) take(request []byte) *session {
	s := newSession(p, false)
	h, _, n := s.parseInit(request)
	s.request, s.spii, s.ni, s.nr = request, h.SPIi, n, nonce()
	s.spir = p.header().SPIi
	return s
}

// respond answers the node's request.
func (s *session) respond(bodies ...ike.Body) {
	s.p.t.Helper()
	h := ike.Header{SPIi: s.spii, SPIr: s.spir, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagResponse}
	s.response = ike.AppendMessage(nil, h, bodies...)
	_, ke, _ := s.parseInit(s.request)
	s.derive(ke)
	s.p.send(s.response)
}

func (s *session) parseInit(message []byte) (ike.Header, []byte, []byte) {
	s.p.t.Helper()
	h, err := ike.ParseHeader(message)
	var payloads ike.Payloads
	if err == nil {
		err = ike.ParsePayloads(h.NextPayload, message[ike.HeaderLen:], &payloads)
	}
	ke, ok1 := payloads.First(ike.PayloadKE)
	n, ok2 := payloads.First(ike.PayloadNonce)
	if err != nil || !ok1 || !ok2 {
		s.p.t.Fatalf("no IKE_SA_INIT message: %v %+v", err, h)
	}
	return h, bytes.Clone(ke.Body[4:]), bytes.Clone(n.Body)
}

func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, part := range parts {
		m.Write(part)
	}
	return m.Sum(nil)
}

// derive makes the keys (RFC 7296, sections 2.13 and 2.14).
func (s *session) derive(public []byte) {
	theirs, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		s.p.t.Fatal(err)
	}
	secret, err := s.private.ECDH(theirs)
	if err != nil {
		s.p.t.Fatal(err)
	}
	seed := mac(append(bytes.Clone(s.ni), s.nr...), secret)
	input := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(append(bytes.Clone(s.ni), s.nr...), s.spii), s.spir)
	var all, t []byte
	for i := byte(1); len(all) < 3*32+2*20; i++ {
		t = mac(seed, t, input, []byte{i})
		all = append(all, t...)
	}
	s.d, s.ei, s.er, s.pi, s.pr = all[:32], all[32:52], all[52:72], all[72:104], all[104:136]
}

// gcm is the cipher of one direction and its salt.
func gcm(key []byte) (cipher.AEAD, []byte) {
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead, key[16:]
}

// headerOf is the header of a message of the peer.
func (s *session) headerOf(x ike.ExchangeType, id uint32, flags ike.Flags) ike.Header {
	h := ike.Header{SPIi: s.spii, SPIr: s.spir, Major: 2, Exchange: x, MessageID: id, Flags: flags}
	if s.initiator {
		h.Flags |= ike.FlagInitiator
	}
	return h
}

// seal protects any octets: inner is what stands before the ICV, its padding and pad length with it.
func (s *session) seal(h ike.Header, first ike.PayloadType, inner []byte) []byte {
	key := s.er
	if s.initiator {
		key = s.ei
	}
	aead, salt := gcm(key)
	iv := nonce()[:8]
	message := append(ike.AppendSKFrame(nil, h, first, 8+len(inner)+16), iv...)
	return aead.Seal(message, append(bytes.Clone(salt), iv...), inner, message[:len(message)-8])
}

// say protects a message of these payloads.
func (s *session) say(x ike.ExchangeType, id uint32, flags ike.Flags, bodies ...ike.Body) []byte {
	first, payloads := ike.AppendPayloads(nil, bodies...)
	return s.seal(s.headerOf(x, id, flags), first, append(payloads, 0))
}

// read opens a message of the node.
func (s *session) read(message []byte) (ike.Header, *ike.Payloads) {
	s.p.t.Helper()
	h, err := ike.ParseHeader(message)
	if err != nil || h.NextPayload != ike.PayloadSK || h.Initiator() == s.initiator {
		s.p.t.Fatalf("no protected message of the other end: %v %+v", err, h)
	}
	key := s.er
	if !s.initiator {
		key = s.ei
	}
	aead, salt := gcm(key)
	plain, err := aead.Open(nil, append(bytes.Clone(salt), message[32:40]...), message[40:], message[:32])
	if err != nil {
		s.p.t.Fatal(err)
	}
	payloads := &ike.Payloads{}
	if err := ike.ParseOpened(ike.PayloadType(message[28]), plain[:len(plain)-1-int(plain[len(plain)-1])], payloads); err != nil {
		s.p.t.Fatal(err)
	}
	return h, payloads
}

// critical is an empty payload with the critical bit, the last, and its padding.
var critical = []byte{0, 0x80, 0, 4, 0}
