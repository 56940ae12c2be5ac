package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What the door does under load (PROTOCOL.md, section K). A second of the door's may end in the middle of a test, so what
// is counted by the second is counted twice at most.

// cookieOf is the cookie that an answer demands.
func (p *peer) cookieOf(answer []byte) []byte {
	p.t.Helper()
	h, _ := ike.ParseHeader(answer)
	var payloads ike.Payloads
	if err := ike.ParsePayloads(h.NextPayload, answer[ike.HeaderLen:], &payloads); err != nil {
		p.t.Fatal(err)
	}
	n, err := ike.ParseNotify(payloads.All()[0].Body)
	if err != nil || n.Type != ike.NotifyCookie || h.SPIr != 0 || ike.CheckCookie(n.Data) != nil {
		p.t.Fatalf("no cookie is demanded: %+v %+v", h, n)
	}
	return bytes.Clone(n.Data)
}

// again is the session's request with these payloads before and after the honest ones.
func (s *session) again(before, after []ike.Body) []byte {
	h := ike.Header{SPIi: s.spii, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagInitiator}
	return ike.AppendMessage(nil, h, append(append(before, s.initBodies()...), after...)...)
}

// TestK05: from three half-open SAs of one source a cookie is demanded, and who brings it back first in its request is
// served; N-31, K-08: no cookie counts but the one for that address, SPI and nonce.
func TestK05(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	for range 3 {
		p.open()
	}
	s := p.ask()
	p.send(s.request)
	answer := p.next()
	cookie := p.cookieOf(answer)
	if 2*len(answer) > len(s.request) {
		t.Errorf("K-04: %d octets for %d", len(answer), len(s.request))
	}
	payload := ike.NewNotify(ike.NotifyCookie, cookie)
	other := newPeer(n, "192.0.2.78:500")
	for range 3 {
		other.open()
	}
	otherSPI, otherNonce := *s, *s
	otherSPI.spii++
	otherNonce.ni = nonce()
	for name, request := range map[string][]byte{
		"last":           s.again(nil, []ike.Body{payload}),
		"another SPI":    otherSPI.again([]ike.Body{payload}, nil),
		"another nonce":  otherNonce.again([]ike.Body{payload}, nil),
		"changed":        s.again([]ike.Body{ike.NewNotify(ike.NotifyCookie, append(cookie[:16:16], cookie[16]+1))}, nil),
		"cut":            s.again([]ike.Body{ike.NewNotify(ike.NotifyCookie, cookie[:16])}, nil),
		"older version":  s.again([]ike.Body{ike.NewNotify(ike.NotifyCookie, append([]byte{cookie[0] - 3}, cookie[1:]...))}, nil),
		"behind another": s.again([]ike.Body{ike.NewNotify(40000, nil), payload}, nil),
	} {
		p.send(request)
		t.Run(name, func(*testing.T) { p.cookieOf(p.next()) })
	}
	other.send(s.again([]ike.Body{payload}, nil))
	other.cookieOf(other.next())
	if got := len(n.sas()); got != 6 {
		t.Errorf("%d SAs", got)
	}
	s.request = s.again([]ike.Body{payload}, nil)
	p.send(s.request)
	s.answered(p.next())
	s.authenticates()
}

// TestK06: above so many half-open SAs of one source, or in all, nothing is answered, cookie or not.
func TestK06(t *testing.T) {
	t.Parallel()
	t.Run("source", func(t *testing.T) {
		n := target(t)
		n.limits = engine.Limits{CookiesSource: 1 << 20}
		n.start("secret")
		p := newPeer(n, peerAddress)
		for range 50 {
			p.open()
		}
		p.send(p.ask().request)
		p.nothing()
		newPeer(n, "192.0.2.78:500").open()
	})
	t.Run("all", func(t *testing.T) {
		n := target(t)
		n.limits = engine.Limits{HalfOpenMost: 5}
		n.start("secret")
		for i := range 6 {
			p := newPeer(n, fmt.Sprintf("192.0.2.%d:500", 100+i))
			if i < 5 {
				p.open()
				continue
			}
			p.send(p.ask().request)
			p.nothing()
		}
		if got := n.running().engine.Counts()["half-open-limit"]; got != 1 {
			t.Errorf("counted %d", got)
		}
	})
}

// TestBurst: the limits hold for what comes at once, before any of it is in the State.
func TestBurst(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	var batch []udp.Datagram
	for range 200 {
		batch = append(batch, udp.Datagram{Local: n.address, Remote: p.address, Bytes: p.ask().request})
	}
	n.running().engine.Receive(batch)
	n.settle()
	if got := len(n.sas()); got != 3 {
		t.Errorf("%d SAs", got)
	}
}

// TestW19: copies of one request that come at once make one SA and get one answer, whoever sent them.
func TestW19(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.ask()
	for range 100 {
		p.send(s.request)
	}
	s.answered(p.next())
	n.settle()
	for len(p.inbox) > 0 {
		if !bytes.Equal(p.next(), s.response) {
			t.Fatal("a copy got another answer")
		}
	}
	if got := len(n.sas()); got != 1 {
		t.Errorf("%d SAs", got)
	}
	s.authenticates()
}

// stray is a request for an SA that is not there.
func stray(i int) []byte {
	h := ike.Header{SPIi: uint64(i + 1), SPIr: 9, Major: 2, Exchange: ike.INFORMATIONAL, Flags: ike.FlagInitiator}
	return ike.AppendMessage(nil, h, ike.NewNotify(40000, nil))
}

// TestK11: ten unprotected answers a second to one source, a thousand in all, none to where no answer may go.
func TestK11(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	for i := range 100 {
		p.send(stray(i))
	}
	if got := len(p.inbox); got < 10 || got > 20 {
		t.Errorf("%d answers to one source", got)
	}
	for _, address := range []string{"192.0.2.3:0", "224.0.0.1:500", "255.255.255.255:500", "0.0.0.0:500", "[ff02::1]:500", n.address.String()} {
		to := newPeer(n, address)
		to.send(stray(1))
		to.send(to.ask().request)
		to.nothing()
	}
	n.wire.mu.Lock()
	n.wire.nodes[n.address] = n
	n.wire.mu.Unlock()
	before := n.wire.sent(only(ike.INFORMATIONAL, true))
	for i := range 3000 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 500)
		n.running().engine.Receive([]udp.Datagram{{Local: n.address, Remote: from, Bytes: stray(i)}})
	}
	if got := n.wire.sent(only(ike.INFORMATIONAL, true)) - before; got < 900 || got > 2000 {
		t.Errorf("%d answers in all", got)
	}
}

// TestN64: ten thousand repeats of one answered request get the recorded answer at its pace, and nothing grows.
func TestN64(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.establish()
	request := s.informational(2)
	p.send(request)
	answer := p.next()
	n.settle()
	before, began := n.running().engine.Stats().Events, time.Now()
	for range 10_000 {
		p.send(request)
	}
	n.settle()
	paced := 3 * (int(time.Since(began)/time.Second) + 2)
	got := len(p.inbox)
	for range got {
		if !bytes.Equal(p.next(), answer) {
			t.Fatal("another answer")
		}
	}
	if got < 3 || got > paced {
		t.Errorf("%d answers, at most %d are due", got, paced)
	}
	if events := n.running().engine.Stats().Events - before; events > uint64(paced)+8 {
		t.Errorf("%d events", events)
	}
	s.alive(3)
}

// TestK16: a flood of requests makes the half-open SAs that K-05 allows and one summary a second, not a record each;
// whether they are good, can only be refused, or are no IKE at all.
func TestK16(t *testing.T) {
	t.Parallel()
	good := func(p *peer, _ int) []byte { return p.ask().request }
	refused := func(p *peer, _ int) []byte {
		s := p.ask()
		offer := proposal(func(p *ike.Proposal) { p.Transforms[0].KeyLength = 192 })
		return ike.AppendMessage(nil, ike.Header{SPIi: s.spii, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagInitiator}, append([]ike.Body{offer}, s.initBodies()[1:]...)...)
	}
	noise := func(_ *peer, i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }
	for name, make := range map[string]func(*peer, int) []byte{"good": good, "refused": refused, "noise": noise, "stray": func(_ *peer, i int) []byte { return stray(i) }} {
		t.Run(name, func(t *testing.T) {
			n, p := server(t)
			flood := 20_000
			if testing.Short() {
				flood = 3_000
			}
			var batch []udp.Datagram
			for i := range flood {
				from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(1024+i/256))
				batch = append(batch, udp.Datagram{Local: n.address, Remote: from, Bytes: make(p, i)})
			}
			began := time.Now()
			for i := 0; i < flood; i += 50 {
				n.running().engine.Receive(batch[i : i+50])
			}
			n.settle()
			n.running().engine.EverySecond()
			n.settle()
			seconds := int(time.Since(began)/time.Second) + 2
			received, summaries := 0, 0
			for _, r := range records(t, n.running().journal) {
				switch kind := r.GetEvent().GetKind().(type) {
				case *record.Event_DatagramReceived:
					received++
				case *record.Event_DoorCounted:
					summaries++
					if len(kind.DoorCounted.GetSamples()) > 16 {
						t.Errorf("%d samples", len(kind.DoorCounted.GetSamples()))
					}
				}
			}
			if received > 100*seconds || summaries == 0 || summaries > seconds {
				t.Errorf("%d datagrams and %d summaries in %d s", received, summaries, seconds)
			}
			if name == "good" && received > 100 {
				t.Errorf("%d half-open SAs", received)
			}
		})
	}
}
