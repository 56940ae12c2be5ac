package engine_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
)

// wire carries datagrams between nodes and attackers, and looks at each: two protected messages under one key and IV are
// one message, and nothing is on the wire that is not durable.
type wire struct {
	t      testing.TB
	mu     sync.Mutex
	nodes  map[netip.AddrPort]receiver
	lose   func(from, to netip.AddrPort, h ike.Header) bool
	wild   *rand.Rand // loses, repeats and delays what lose lets through
	sealed map[stream][]byte
	seen   []ike.Header
}

type receiver interface{ receive(udp.Datagram) }

// stream names what one explicit IV belongs to.
type stream struct {
	spii, spir uint64
	flags      ike.Flags
	id         uint32
}

func newWire(t testing.TB) *wire {
	return &wire{t: t, nodes: map[netip.AddrPort]receiver{}, sealed: map[stream][]byte{}}
}

// port is one run's end of the wire.
type port struct{ r *run }

func (p port) Send(out []udp.Outgoing) {
	for _, o := range out {
		if p.r.dead.Load() {
			return // a killed daemon sends nothing
		}
		h, err := ike.ParseHeader(o.Bytes)
		if err != nil || h.CheckLength(len(o.Bytes)) != nil {
			p.r.n.wire.t.Errorf("%s sent no IKE message: %x", p.r.n.name, o.Bytes)
			continue
		}
		if h.NextPayload != ike.PayloadNotify && !p.r.isDurable(o.Bytes) {
			p.r.n.wire.t.Errorf("%s sent what its journal does not hold: %+v", p.r.n.name, h)
		}
		p.r.n.wire.send(o.Local, o.Remote, h, bytes.Clone(o.Bytes))
	}
}

func (w *wire) send(from, to netip.AddrPort, h ike.Header, datagram []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h.NextPayload == ike.PayloadSK {
		s := stream{h.SPIi, h.SPIr, h.Flags, h.MessageID}
		if before, ok := w.sealed[s]; ok && !bytes.Equal(before, datagram) {
			w.t.Errorf("two messages under one IV: %+v", h)
		}
		w.sealed[s] = datagram
	}
	w.seen = append(w.seen, h)
	there := w.nodes[to]
	if there == nil || w.lose != nil && w.lose(from, to, h) {
		return
	}
	if p, ok := there.(*peer); ok {
		p.receive(udp.Datagram{Local: to, Remote: from, Bytes: datagram})
		return
	}
	arrive := func() { there.receive(udp.Datagram{Local: to, Remote: from, Bytes: bytes.Clone(datagram)}) }
	if w.wild == nil {
		go arrive()
		return
	}
	for range w.wild.IntN(3) { // none: lost; two: repeated
		time.AfterFunc(time.Duration(w.wild.IntN(30))*time.Millisecond, arrive)
	}
}

// sent is how many messages of that kind were sent so far.
func (w *wire) sent(is func(ike.Header) bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, h := range w.seen {
		if is(h) {
			n++
		}
	}
	return n
}

func (w *wire) setLose(lose func(from, to netip.AddrPort, h ike.Header) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = lose
}
