package reducer

import (
	"net/netip"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"pgregory.net/rapid"
)

// TestNarrowed holds narrowing to what selectors mean: a packet passes the result exactly when it passes both lists. The
// world has 16 addresses, 4 ports and 3 protocols, so that every packet can be tried.
func TestNarrowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked := rapid.SliceOfN(rapid.Custom(smallSelector), 1, 4).Draw(t, "asked")
		allowed := rapid.SliceOfN(rapid.Custom(smallSelector), 1, 4).Draw(t, "allowed")
		both := narrowed(asked, allowed)
		for address := range byte(16) {
			for port := range uint16(4) {
				for _, protocol := range []uint8{1, 6, 17} {
					want := passes(asked, address, port, protocol) && passes(allowed, address, port, protocol)
					if got := passes(both, address, port, protocol); got != want {
						t.Fatalf("protocol %d to .%d:%d passes %v, want %v: %v", protocol, address, port, got, want, both)
					}
				}
			}
		}
		if len(both) > 0 && (!allCovered(both, asked) || !allCovered(both, allowed)) {
			t.Fatalf("%v is not within both", both)
		}
	})
}

func smallSelector(t *rapid.T) ike.Selector {
	first := rapid.IntRange(0, 15).Draw(t, "first")
	port := rapid.Uint16Range(0, 3).Draw(t, "port")
	return ike.Selector{Type: ike.TSIPv4AddrRange, Protocol: rapid.SampledFrom([]uint8{0, 6, 17}).Draw(t, "protocol"),
		StartPort: port, EndPort: rapid.Uint16Range(port, 3).Draw(t, "last port"),
		Start: smallAddress(byte(first)), End: smallAddress(byte(rapid.IntRange(first, 15).Draw(t, "last")))}
}

func smallAddress(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, last}) }

func passes(list []ike.Selector, address byte, port uint16, protocol uint8) bool {
	for _, s := range list {
		if s.Start.As4()[3] <= address && address <= s.End.As4()[3] && s.StartPort <= port && port <= s.EndPort &&
			(s.Protocol == 0 || s.Protocol == protocol) {
			return true
		}
	}
	return false
}

// TestCovers: what the initiator takes as an answer to what it asked for (PROTOCOL.md, N-57).
func TestCovers(t *testing.T) {
	for _, c := range []struct {
		wide, narrow string
		want         bool
	}{
		{"10.1.0.0/16", "10.1.0.0/16", true},
		{"10.1.0.0/16", "10.1.7.0/24", true},
		{"10.1.0.0/16", "10.0.0.0/8", false},
		{"10.1.0.0/16", "10.1.0.0/16[6]", true},
		{"10.1.0.0/16[6]", "10.1.0.0/16", false},
		{"10.1.0.0/16[6]", "10.1.0.0/16[17]", false},
		{"10.1.0.0/16[6/80-90]", "10.1.0.0/16[6/85]", true},
		{"10.1.0.0/16[6/80-90]", "10.1.0.0/16[6/85-95]", false},
		{"10.1.0.0/16[6/80]", "10.1.0.0/16[6]", false},
		{"2001:db8::/32", "2001:db8:1::/48", true},
		{"2001:db8::/32", "10.1.0.0/16", false},
		{"0.0.0.0/0", "2001:db8::/32", false},
		{"10.1.0.0/16[1/65535-0]", "10.1.0.0/16[1/65535-0]", true},
		{"10.1.0.0/16[1/65535-0]", "10.1.0.0/16[1]", false},
	} {
		wide, err1 := selectorOf(c.wide)
		narrow, err2 := selectorOf(c.narrow)
		must(t, err1)
		must(t, err2)
		if got := covers(wide, narrow); got != c.want {
			t.Errorf("%s covers %s: %v", c.wide, c.narrow, got)
		}
	}
}
