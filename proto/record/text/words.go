package text

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Words for the numbers of record.proto: a thing is said the same in the journal, a log line and a test.

// mostQuoted is how much of a stranger's text is printed, in octets.
const mostQuoted = 128

// SA is the name of an IKE SA: ike7; Child that of a Child SA: child12.
func SA(number uint64) string { return "ike" + strconv.FormatUint(number, 10) }

// Child is the name of a Child SA.
func Child(number uint64) string { return "child" + strconv.FormatUint(number, 10) }

// Quote is a stranger's text in quotes, cut where it is too long.
func Quote(s string) string {
	if len(s) > mostQuoted {
		return strconv.QuoteToASCII(s[:mostQuoted]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// Name is a name as it stands in a configuration; quoted where it is none that a configuration could hold, since a journal
// may be somebody else's.
func Name(s string) string {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("._-@:/%+*", c) >= 0:
		default:
			return Quote(s)
		}
	}
	if len(s) > mostQuoted {
		return Quote(s)
	}
	return s
}

// Wish is what a wish is called in a window's queue.
func Wish(w record.Wish) string {
	return dashed(strings.TrimPrefix(w.String(), "WISH_"))
}

// Timer is what a timer is for.
func Timer(t record.Timer) string {
	return dashed(strings.TrimPrefix(t.String(), "TIMER_"))
}

// Cause is why an IKE SA ended: acknowledged, cut off, ...
func Cause(c record.Cause) string {
	return dashed(strings.ReplaceAll(strings.TrimPrefix(c.String(), "CAUSE_"), "_", " "))
}

// Edge is how a step came of another.
func Edge(e record.Edge) string { return dashed(strings.TrimPrefix(e.String(), "EDGE_")) }

// Root is where a chain of causes begins.
func Root(r record.Root) string { return dashed(strings.TrimPrefix(r.String(), "ROOT_")) }

// Phase is how far an IKE SA is: HalfOpen, Established; - for one that is not there.
func Phase(p record.Phase) string { return said(strings.TrimPrefix(p.String(), "PHASE_")) }

// ChildPhase is how far a Child SA is.
func ChildPhase(p record.ChildPhase) string {
	return said(strings.TrimPrefix(p.String(), "CHILD_PHASE_"))
}

// dashed is DELETE_IKE as delete-ike; NONE is a dash.
func dashed(name string) string {
	if name == "NONE" {
		return "-"
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", "-"))
}

// said is HALF_OPEN as HalfOpen; NONE is a dash.
func said(name string) string {
	if name == "NONE" {
		return "-"
	}
	var s strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		s.WriteString(word[:1])
		s.WriteString(strings.ToLower(word[1:]))
	}
	return s.String()
}

// Path is where a datagram leaves from and goes to: 192.0.2.1:500 -> 203.0.113.9:500.
func Path(p *record.Path) string {
	return endpoint(p.GetLocal(), p.GetLocalPort()) + " -> " + endpoint(p.GetRemote(), p.GetRemotePort())
}

func endpoint(addr []byte, port uint32) string {
	a, ok := netip.AddrFromSlice(addr)
	if !ok {
		return "-"
	}
	return netip.AddrPortFrom(a, uint16(port)).String()
}

// Identity is a peer's or our own name: an address, or its text in quotes.
func Identity(id *record.Identity) string {
	switch ike.IDType(id.GetType()) {
	case 0:
		return "any"
	case ike.IDIPv4Addr, ike.IDIPv6Addr:
		if a, ok := netip.AddrFromSlice(id.GetData()); ok {
			return a.String()
		}
	}
	return Quote(string(id.GetData()))
}

// Suite is the algorithms by their names: ENCR_AES_GCM_16_256, PRF_HMAC_SHA2_256, ...
func Suite(s *record.Suite) string {
	var words []string
	if s.GetEncr() != 0 || s.GetGroup() == 0 { // a key exchange alone, of a Child SA to be, has no cipher
		words = append(words, ike.Transform{Type: ike.TransformENCR, ID: uint16(s.GetEncr()), KeyLength: uint16(s.GetKeyLength())}.String())
	}
	if s.GetInteg() != 0 {
		words = append(words, ike.Transform{Type: ike.TransformINTEG, ID: uint16(s.GetInteg())}.String())
	}
	if s.GetPrf() != 0 {
		words = append(words, ike.Transform{Type: ike.TransformPRF, ID: uint16(s.GetPrf())}.String())
	}
	if s.GetGroup() != 0 {
		words = append(words, ike.Group(s.GetGroup()).String())
	}
	return strings.Join(words, " ")
}

// spi is an ESP SPI as `ip xfrm` writes it.
func spi(v uint32) string {
	return hex.EncodeToString([]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

func decimal[T ~uint32 | ~uint64 | ~int](n T) string { return strconv.FormatUint(uint64(n), 10) }
