package reducer

import (
	"iter"
	"net/netip"
	"strconv"

	"github.com/ikejd/ikejd/proto/ike"
)

// Small helpers over values of other packages.

func withPort(a netip.AddrPort, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr(), port)
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// notifies are the well-formed Notify payloads, in order.
func notifies(payloads *ike.Payloads) iter.Seq[ike.Notify] {
	return func(yield func(ike.Notify) bool) {
		for _, p := range payloads.All() {
			if p.Type != ike.PayloadNotify {
				continue
			}
			if n, err := ike.ParseNotify(p.Body); err == nil && !yield(n) {
				return
			}
		}
	}
}

// notified is the first notify of that type.
func notified(payloads *ike.Payloads, want ike.NotifyType) (ike.Notify, bool) {
	for n := range notifies(payloads) {
		if n.Type == want {
			return n, true
		}
	}
	return ike.Notify{}, false
}

// firstError is the first notify that is an error.
func firstError(payloads *ike.Payloads) (ike.Notify, bool) {
	for n := range notifies(payloads) {
		if n.Type.IsError() {
			return n, true
		}
	}
	return ike.Notify{}, false
}

// publicLength is how many octets a key exchange value of the group has: RFC 3526, RFC 5903 (x and y), RFC 8031. 0 for a
// group nobody configures.
func publicLength(g ike.Group) int {
	switch g {
	case ike.GroupMODP2048:
		return 256
	case ike.GroupMODP3072:
		return 384
	case ike.GroupMODP4096:
		return 512
	case ike.GroupECP256:
		return 64
	case ike.GroupECP384:
		return 96
	case ike.GroupECP521:
		return 132
	case ike.GroupCurve25519:
		return 32
	}
	return 0
}
