package simulate

import (
	"bytes"
	"math/rand/v2"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
)

// forgeries are what is made of a datagram.
var forgeries = [...]string{"changed", "cut", "a clear notify that there is no such SA", "a first message with its SPIs", "its bare header", "reflected"}

// forge is somebody who sees a datagram on its way and sends something of his own: nobody's state may change for it
// (PROTOCOL.md, W-18, X-30, X-90).
func (x *network) forge(from, to *Node, m *message, r *rand.Rand) {
	x.w.Tally.met(metFault, "forge")
	forged := *m
	kind := r.IntN(6)
	x.w.said("%s is followed by one that is %s", describe(m), forgeries[kind])
	switch kind {
	case 0: // a bit flipped, mostly in what the ICV protects
		forged.bytes = bytes.Clone(m.bytes)
		i := r.IntN(len(forged.bytes))
		if m.h.Exchange == ike.IKE_SA_INIT {
			return // anybody may change one; the exchange fails, which is another fault
		}
		forged.bytes[i] ^= 1 << r.IntN(8)
	case 1: // cut
		forged.bytes = m.bytes[:r.IntN(len(m.bytes))]
	case 2: // a clear notify that the SA does not exist
		h := ike.Header{SPIi: m.h.SPIi, SPIr: m.h.SPIr, Major: 2, Exchange: ike.INFORMATIONAL, MessageID: m.h.MessageID, Flags: m.h.Flags&ike.FlagInitiator | ike.FlagResponse}
		forged.bytes = ike.AppendMessage(nil, h, ike.Notify{Type: ike.NotifyInvalidIKESPI})
	case 3: // a first message with the SPIs of an SA
		h := ike.Header{SPIi: m.h.SPIi, SPIr: m.h.SPIr, Major: 2, Exchange: ike.IKE_SA_INIT, MessageID: m.h.MessageID, Flags: ike.FlagInitiator}
		forged.bytes = ike.AppendMessage(nil, h, ike.Nonce{Data: make([]byte, 32)})
	case 4: // a bare header
		h := m.h
		h.NextPayload, h.Length = 0, ike.HeaderLen
		if h.Exchange == ike.IKE_SA_INIT {
			return
		}
		forged.bytes = h.Append(nil)
	case 5: // reflected
		forged.from, forged.to = m.to, m.from
		to = from
	}
	x.deliver(to, between(r, 0, 40*time.Millisecond), &forged)
}
