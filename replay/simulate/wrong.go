package simulate

import (
	"math/rand/v2"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// wrong is a node that is mistaken: on an SA of its own, well protected, it says what cannot be read (section 2.21.2), or in
// place of its answer that it could not read the request. It takes the message where the answer is another.
func (x *network) wrong(from, to *Node, m *message, r *rand.Rand) (taken bool) {
	sa := from.holds(m)
	if sa == nil || m.h.Exchange != ike.INFORMATIONAL {
		return false
	}
	h := ike.Header{SPIi: m.h.SPIi, SPIr: m.h.SPIr, Major: 2, Exchange: ike.INFORMATIONAL, Flags: m.h.Flags & ike.FlagInitiator, MessageID: sa.Window.NextOut}
	first, payloads := ike.PayloadNotify, []byte{0, 0, 0, 3} // shorter than its own header
	kind := "unreadable request"
	if m.h.Response() && maybe(r, 0.5) {
		kind, taken = "answer INVALID_SYNTAX", true
		h.Flags, h.MessageID = h.Flags|ike.FlagResponse, m.h.MessageID
		first, payloads = ike.AppendPayloads(nil, ike.Notify{Type: ike.NotifyInvalidSyntax})
	}
	datagram, err := from.life.d.Seal(sa.KeyRef, h, first, payloads)
	if err != nil {
		x.w.fail("KEY-01", from, "ike%d has no keys to seal with: %v", sa.Number, err)
		return false
	}
	x.w.said("%s: %s", describe(m), kind)
	x.w.Tally.met(metFault, kind)
	if h, err = ike.ParseHeader(datagram); err == nil {
		x.deliver(to, between(r, 0, 40*time.Millisecond), &message{h: h, bytes: datagram, from: m.from, to: m.to, at: x.w.now})
	}
	return taken
}

// holds is the node's SA to which a message of its own belongs, while it is up; nil: there is none.
func (n *Node) holds(m *message) *reducer.IKESA {
	if n.life == nil || n.life.over {
		return nil
	}
	for _, sa := range living(n.state()) {
		if sa.SPIi == m.h.SPIi && sa.SPIr == m.h.SPIr && sa.Phase == reducer.Established {
			return sa
		}
	}
	return nil
}
