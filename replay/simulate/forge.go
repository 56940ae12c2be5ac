package simulate

import (
	"bytes"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
)

// forge is somebody who sees a datagram on its way and sends something of his own: nobody's state may change for it
// (PROTOCOL.md, W-18, X-30, X-90).
func (x *network) forge(from, to *Node, m *message) {
	x.w.Tally.met(metFault, "forge")
	forged := *m
	switch x.chance.IntN(6) {
	case 0: // a bit flipped, mostly in what the ICV protects
		forged.bytes = bytes.Clone(m.bytes)
		i := x.chance.IntN(len(forged.bytes))
		if m.h.Exchange == ike.IKE_SA_INIT {
			return // anybody may change one; the exchange fails, which is another fault
		}
		forged.bytes[i] ^= 1 << x.chance.IntN(8)
	case 1: // cut
		forged.bytes = m.bytes[:x.chance.IntN(len(m.bytes))]
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
	x.deliver(to, between(x.chance, 0, 40*time.Millisecond), &forged)
}
