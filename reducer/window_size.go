package reducer

import "github.com/ikejd/ikejd/proto/ike"

// How many requests the peer takes at a time (RFC 7296, section 2.3).

// mostOpen is how many requests of ours are ever in flight, whatever the peer would take: ours (PROTOCOL.md, N-72).
const mostOpen = 8

// windowSaid takes the peer's SET_WINDOW_SIZE, the largest of several. The window only grows; smaller sizes, 0 and those
// that are not four octets are ignored (PROTOCOL.md, W-05).
func windowSaid(w *Window, payloads *ike.Payloads) {
	for n := range notifies(payloads) {
		if n.Type != ike.NotifySetWindowSize {
			continue
		}
		if size, err := ike.ParseUint32(n.Data); err == nil && size > uint32(w.PeerSize) {
			w.PeerSize = uint8(min(size, mostOpen))
		}
	}
}
