package engine_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// What an authenticated peer, or somebody who has heard it, sends to an SA that is up.

func (s *session) informational(id uint32, bodies ...ike.Body) []byte {
	return s.say(ike.INFORMATIONAL, id, 0, bodies...)
}

// alive has a liveness check answered, under the next id.
func (s *session) alive(id uint32) {
	s.p.t.Helper()
	s.p.send(s.informational(id))
	if h, payloads := s.read(s.p.next()); h.MessageID != id || len(payloads.All()) != 0 {
		s.p.t.Fatalf("%+v %v", h, payloads.All())
	}
}

// TestN38N39: our own messages sent back to us, as they are or with flags that would fit.
func TestN38N39(t *testing.T) {
	t.Parallel()
	_, p := server(t)
	s := p.open()
	p.send(s.say(ike.IKE_AUTH, 1, 0, s.authBodies()...))
	answer := p.next()
	for flags := range ike.Flags(0x40) {
		for _, id := range []byte{1, 2} {
			reflected := bytes.Clone(answer)
			reflected[19], reflected[23] = byte(flags), id
			p.send(reflected)
		}
	}
	p.stays(reducer.Established)
	s.alive(2)
}

// TestN40: one bit changed in each octet of a request and of a response that is awaited.
func TestN40(t *testing.T) {
	t.Parallel()
	n := target(t)
	n.limits = engine.Limits{RefusalsSource: 1 << 20, RefusalsAll: 1 << 20}
	n.config.Settings = nil
	n.start("secret")
	p := newPeer(n, peerAddress)
	s := p.establish()
	good := s.informational(2, ike.Delete{Protocol: ike.ProtocolESP, SPIs: []uint32{0x1234}})
	for _, bad := range append(changes(good), forms(s, ike.INFORMATIONAL, 2)...) {
		p.send(bad)
	}
	n.settle()
	p.onlyRefusals()
	p.stays(reducer.Established)
	if n.children() != 1 {
		t.Fatal("the child is gone")
	}
	p.send(good)
	if _, payloads := s.read(p.next()); payloads.Count(ike.PayloadDelete) != 1 {
		t.Errorf("%v", payloads.All())
	}

	n.close(3, n.sas()[0].Number, 0)
	if h, _ := s.read(p.next()); h.MessageID != 0 {
		t.Fatalf("%+v", h)
	}
	good = s.say(ike.INFORMATIONAL, 0, ike.FlagResponse)
	for _, bad := range changes(good) {
		p.send(bad)
	}
	n.settle()
	p.onlyRefusals()
	p.stays(reducer.Deleting)
	p.send(good)
	n.must(3)
}

// TestDamagedRequests: N-41, N-60, X-32: P(INVALID_SYNTAX) alone, and the SA is closed on both ends.
func TestDamagedRequests(t *testing.T) {
	t.Parallel()
	raw := func(first ike.PayloadType, inner ...byte) func(*session) []byte {
		return func(s *session) []byte { return s.seal(s.headerOf(ike.INFORMATIONAL, 2, 0), first, inner) }
	}
	del := func(body ...byte) func(*session) []byte {
		return raw(ike.PayloadDelete, append(append([]byte{0, 0, 0, byte(4 + len(body))}, body...), 0)...)
	}
	for name, request := range map[string]func(*session) []byte{
		"N-41/padding longer than all": raw(ike.PayloadNotify, 0, 0, 0, 8, 0, 0, 0x40, 0, 9),
		"N-41/padding and no payload":  raw(ike.NoNextPayload, 1),
		"N-07/payload length 3":        raw(ike.PayloadNotify, 0, 0, 0, 3, 0),
		"N-08/past the end":            raw(ike.PayloadNotify, 0, 0, 0, 9, 0, 0, 0x40, 0, 0),
		"N-09/octets left":             raw(ike.NoNextPayload, 7, 0),
		"N-60/D(IKE) with an SPI":      del(1, 4, 0, 1, 0, 0, 0x12, 0x34),
		"N-60/ESP without size":        del(3, 0, 0, 1),
		"N-60/ESP size 8":              del(3, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0x12, 0x34),
		"N-60/count 65535":             del(3, 4, 0xff, 0xff, 0, 0, 0x12, 0x34),
		"N-60/protocol 0":              del(0, 0, 0, 0),
		"N-60/protocol 4":              del(4, 4, 0, 1, 0, 0, 0x12, 0x34),
		"N-60/3 octets":                del(3, 4, 0),
		"N-42/SK inside":               raw(ike.PayloadSK, append([]byte{0, 0, 0, 40}, make([]byte, 37)...)...),
	} {
		t.Run(name, func(t *testing.T) {
			_, p := server(t)
			s := p.establish()
			s.refusedWith(request(s), ike.NotifyInvalidSyntax)
		})
	}
}

// TestX34: an unknown critical payload is refused and costs its id; the SA stays.
func TestX34(t *testing.T) {
	t.Parallel()
	_, p := server(t)
	s := p.establish()
	p.send(s.seal(s.headerOf(ike.INFORMATIONAL, 2, 0), 200, critical))
	if _, payloads := s.read(p.next()); notified(payloads) != ike.NotifyUnsupportedCriticalPayload {
		t.Errorf("%v", payloads.All())
	}
	s.alive(3)
}

// TestX65: an unknown exchange is dropped, whoever sends it.
func TestX65(t *testing.T) {
	t.Parallel()
	_, p := server(t)
	s := p.establish()
	for _, x := range []ike.ExchangeType{0, 33, 38, 39, 200, 255} {
		p.send(s.say(x, 2, 0))
	}
	p.stays(reducer.Established)
	s.alive(2)
}

// TestN61: D-12, the Delete of the IKE SA wins over what stands beside it, and nothing is used after it.
func TestN61(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.establish()
	p.send(s.informational(2, ike.Delete{Protocol: ike.ProtocolIKE}, ike.Delete{Protocol: ike.ProtocolIKE}, ike.NewNotify(40000, nil),
		ike.Delete{Protocol: ike.ProtocolESP, SPIs: []uint32{0x1234, 0x1234}}, ike.NewNotify(ike.NotifyInvalidSyntax, nil)))
	if _, payloads := s.read(p.next()); len(payloads.All()) != 0 {
		t.Errorf("%v", payloads.All())
	}
	p.stays(reducer.Lingering)
	if n.children() != 0 {
		t.Error("the child is still there")
	}
	p.send(s.informational(3, ike.NewNotify(40000, nil)))
	p.stays(reducer.Lingering)
}

// TestN62: D-09, D-11. An SPI that is unknown, named twice, our own, or of a child of another peer deletes nothing.
func TestN62(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	other := newPeer(n, "192.0.2.78:500")
	s, o := p.establish(), other.establish()
	n.wait("two children", func() bool { return n.children() == 2 })
	del := func(s *session, id uint32, spis ...uint32) int {
		s.p.send(s.informational(id, ike.Delete{Protocol: ike.ProtocolESP, SPIs: spis}))
		_, payloads := s.read(s.p.next())
		n.settle()
		return payloads.Count(ike.PayloadDelete)
	}
	ours := n.sas()[1].Children[0].InboundSPI
	for i, spi := range []uint32{0x5678, ours, n.sas()[0].Children[0].InboundSPI} {
		if del(s, uint32(2+i), spi) != 0 || n.children() != 2 {
			t.Fatalf("SPI %x: %d children", spi, n.children())
		}
	}
	if del(s, 5, 0x1234, 0x1234) != 1 || n.children() != 1 {
		t.Error("its own child was not deleted once")
	}
	if del(s, 6, 0x1234) != 0 || n.children() != 1 {
		t.Error("the other peer's child, which has the same SPI, was deleted")
	}
	o.alive(2)
}

// TestN63: ids that are not in the window.
func TestN63(t *testing.T) {
	t.Parallel()
	_, p := server(t)
	s := p.establish()
	s.alive(2)
	s.alive(3)
	for _, id := range []uint32{0, 1, 2, 3, 5, 12, 3 + 1<<31, 4 + 1<<31, 1<<32 - 1} {
		p.send(s.informational(id, ike.Delete{Protocol: ike.ProtocolIKE}))
	}
	p.stays(reducer.Established)
	s.alive(4)
}

// TestW18: an unprotected error from the peer's address has us ask for a sign of life, one in 10 s; from elsewhere it does not.
func TestW18(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a, b := pair(w, nil)
	up(a, b)
	sa := a.sas()[0]
	h := ike.Header{SPIi: sa.SPIi, SPIr: sa.SPIr, Major: 2, Exchange: ike.INFORMATIONAL, Flags: ike.FlagResponse}
	gone := ike.AppendMessage(nil, h, ike.NewNotify(ike.NotifyInvalidIKESPI, nil))
	stranger := &peer{t: t, n: a, address: netip.MustParseAddrPort("198.51.100.77:500")}
	stranger.send(gone)
	a.settle()
	if n := w.sent(only(ike.INFORMATIONAL, false)); n != 0 {
		t.Fatalf("%d requests after a stranger's hint", n)
	}
	p := &peer{t: t, n: a, address: b.address}
	p.send(gone)
	a.wait("asking", func() bool { return w.sent(only(ike.INFORMATIONAL, false)) == 1 })
	a.wait("answered", func() bool { sa := a.sas()[0]; return len(sa.Window.InFlight) == 0 })
	for range 100 {
		p.send(gone)
	}
	a.settle()
	if n := w.sent(only(ike.INFORMATIONAL, false)); n != 1 {
		t.Fatalf("%d requests after more hints, not 1", n)
	}
}

// TestN68: W-18, a thousand unprotected errors end nothing and stop no retransmission.
func TestN68(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a, b := pair(w, nil)
	up(a, b)
	sa := a.sas()[0]
	w.setLose(lost(only(ike.INFORMATIONAL, false)))
	a.close(9, sa.Number, 0)
	a.wait("deleting", a.are(reducer.Deleting))
	p := &peer{t: t, n: a, address: b.address}
	for i := range 1000 {
		h := ike.Header{SPIi: sa.SPIi, SPIr: sa.SPIr, Major: 2, Exchange: ike.INFORMATIONAL, Flags: ike.FlagResponse}
		notify := []ike.NotifyType{ike.NotifyInvalidIKESPI, 11, ike.NotifyInvalidSyntax, ike.NotifyAuthenticationFailed}[i%4]
		if i%8 > 3 {
			h.Flags = 0
		}
		p.send(ike.AppendMessage(nil, h, ike.NewNotify(notify, nil)))
	}
	a.settle()
	sent := w.sent(only(ike.INFORMATIONAL, false))
	a.wait("retransmitting", func() bool { return w.sent(only(ike.INFORMATIONAL, false)) > sent })
	w.setLose(nil)
	a.must(9)
}

// TestDeleteResponses: D-04, whatever an authentic response to our Delete holds, the SA is gone.
func TestDeleteResponses(t *testing.T) {
	t.Parallel()
	for _, inner := range [][]byte{{0}, critical, {9}, {0, 0, 0, 3, 0}, {0, 0, 0, 8, 0, 0, 0, 7, 0}} {
		n, p := server(t)
		s := p.establish()
		n.close(5, n.sas()[0].Number, 0)
		s.read(p.next())
		first := ike.PayloadNotify
		if len(inner) == 1 {
			first = ike.NoNextPayload
		}
		p.send(s.seal(s.headerOf(ike.INFORMATIONAL, 0, ike.FlagResponse), first, inner))
		n.must(5)
		n.wait("empty", n.are())
		if ends := endings(t, n.running().journal); len(ends) != 1 || ends[0] != record.Cause_CAUSE_ACKNOWLEDGED {
			t.Errorf("%x: %v", inner, ends)
		}
	}
}
