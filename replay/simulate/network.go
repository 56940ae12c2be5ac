package simulate

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/ikejd/ikejd/effects/engine/model"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// network carries datagrams between nodes, and looks at each: one message id has one content, and nothing is on the wire
// that is not durable.
type network struct {
	w       *World
	chance  *rand.Rand
	splits  []split
	content map[messageID]string // what was sent as that message
	rules   []*rule              // of a scenario, in its order
	seen    func(from *Node, m *message)
	take    func(from, to *Node, m *message) bool // takes a message out of the network
	refused int                                   // datagrams that answer outside of any SA
	sas     map[uint64]uint64                     // by the SPI of its initiator: which SA it is, by when it began
	began   clock
	copies  map[messageID]uint64 // how often it was sent
}

// messageID names one message of an SA.
type messageID struct {
	spii, spir          uint64
	initiator, response bool
	id                  uint32
}

// split is two nodes that do not hear each other, from and until.
type split struct {
	a, b        *Node
	from, until int64
}

// message is a datagram with its header.
type message struct {
	h     ike.Header
	bytes []byte
	to    netip.AddrPort
	from  netip.AddrPort
	at    int64
}

func (m *message) protected() bool { return m.h.NextPayload == ike.PayloadSK }

// refusal reports whether it is an answer outside of any SA, which is recorded by nobody.
func (m *message) refusal() bool {
	return !m.protected() && m.h.Response() && (m.h.SPIr == 0 || m.h.Exchange != ike.IKE_SA_INIT)
}

// send takes a datagram from a node.
func (x *network) send(from *Node, o model.Outgoing) {
	h, err := ike.ParseHeader(o.Bytes)
	if err != nil || h.CheckLength(len(o.Bytes)) != nil {
		x.w.fail("ORD-01", from, "it sent %d octets that are no IKE message", len(o.Bytes))
		return
	}
	m := &message{h: h, bytes: bytes.Clone(o.Bytes), from: o.Local, to: o.Remote, at: x.w.now}
	x.check(from, m)
	if x.seen != nil {
		x.seen(from, m)
	}
	x.carry(from, m)
}

// check looks at a message on its way out.
func (x *network) check(from *Node, m *message) {
	if m.refusal() {
		x.refused++
		return
	}
	if !from.durable[reducer.Digest(m.bytes)] {
		x.w.fail("ORD-01", from, "it sent %s which its journal does not hold", describe(m))
	}
	if m.h.Exchange == ike.IKE_SA_INIT && !m.h.Response() {
		return // with a cookie it is another message under the same id (section 2.6)
	}
	id := messageID{m.h.SPIi, m.h.SPIr, m.h.Initiator(), m.h.Response(), m.h.MessageID}
	if before, there := x.content[id]; there && before != string(m.bytes) {
		x.w.fail("RTX-01", from, "it sent two contents as %s", describe(m))
	}
	x.content[id] = string(m.bytes)
}

// carry draws what becomes of a datagram.
func (x *network) carry(from *Node, m *message) {
	to := x.w.nodeAt(m.to)
	if to == nil {
		return
	}
	if x.take != nil && x.take(from, to, m) || x.scripted(from, to, m) {
		return
	}
	f := &x.w.faults
	copies := 1
	switch {
	case x.isSplit(from, to):
		x.w.Tally.met(metFault, "split")
		return
	}
	w, which := x.w, x.number(m)
	if _, lost := w.happens("loss", from.Name, which, f.Loss); lost {
		w.said("%s is lost", describe(m))
		w.Tally.met(metFault, "loss")
		copies = 0
	}
	if r, wrong := w.happens("wrong", from.Name, which, f.Wrong); wrong && x.wrong(from, to, m, r) {
		copies = 0
	}
	if r, repeated := w.happens("repeat", from.Name, which, f.Repeat); repeated {
		copies += 1 + r.IntN(3)
		w.said("%s arrives %d times", describe(m), copies)
		w.Tally.met(metFault, "repeat")
	}
	way := w.drawn("way", from.Name, which)
	for i := range copies {
		delay := between(way, 2*time.Millisecond, 20*time.Millisecond)
		if r, overtaken := w.happens("reorder", from.Name, which<<2|uint64(i), f.Reorder); overtaken {
			delay = between(r, 0, 4*time.Second)
			w.said("%s takes %v", describe(m), delay.Round(time.Millisecond))
			w.Tally.met(metFault, "reorder")
		}
		x.deliver(to, delay, m)
	}
	if r, forged := w.happens("forge", from.Name, which, f.Forge); forged {
		x.forge(from, to, m, r)
	}
}

// number is which copy of which message of which SA it is: the SA by when it began.
func (x *network) number(m *message) uint64 {
	sa, known := x.sas[m.h.SPIi]
	if !known {
		sa = x.began.next(x.w.now)
		x.sas[m.h.SPIi] = sa
	}
	id := messageID{m.h.SPIi, 0, m.h.Initiator(), m.h.Response(), m.h.MessageID}
	x.copies[id]++
	return sa<<24 | uint64(m.h.MessageID&0xff)<<16 | uint64(m.h.Flags)<<8&0xff00 | x.copies[id]&0xff
}

// deliver has datagrams arrive in one batch.
func (x *network) deliver(to *Node, delay time.Duration, batch ...*message) {
	x.w.after(delay, func() {
		if to.life == nil {
			return
		}
		in := make([]model.Datagram, len(batch))
		for i, m := range batch {
			in[i] = model.Datagram{Local: m.to, Remote: m.from, At: x.w.now, Bytes: bytes.Clone(m.bytes)}
		}
		to.life.d.Receive(in)
		to.life.poke()
	})
}

func (x *network) isSplit(a, b *Node) bool {
	for _, s := range x.splits {
		if (s.a == a && s.b == b || s.a == b && s.b == a) && s.from <= x.w.now && x.w.now < s.until {
			return true
		}
	}
	return false
}

func (w *World) nodeAt(address netip.AddrPort) *Node {
	for _, n := range w.Nodes {
		if n.Address == address {
			return n
		}
	}
	return nil
}
