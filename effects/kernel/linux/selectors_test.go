package linux

import (
	"errors"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
	"pgregory.net/rapid"
)

// Prefixes cover a range, no address more and none twice, and two neighbours are never one.
func TestPrefixes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, size := rapid.Uint32().Draw(t, "start"), rapid.Uint32Range(1, 3000).Draw(t, "size")
		end := start + size - 1
		if end < start {
			end = 1<<32 - 1
		}
		at := func(v uint32) netip.Addr {
			return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		}
		all := prefixes(at(start), at(end))
		next := uint64(start)
		for _, p := range all {
			if p.Addr() != at(uint32(next)) || p != p.Masked() {
				t.Fatalf("%v - %v: %v", at(start), at(end), all)
			}
			next += 1 << (32 - p.Bits())
		}
		if next != uint64(end)+1 {
			t.Fatalf("%v - %v: %v", at(start), at(end), all)
		}
		if len(all) > 2*bits.Len32(end-start+1) {
			t.Fatalf("%d prefixes for %d addresses", len(all), end-start+1)
		}
	})
}

func TestPrefixesOfRanges(t *testing.T) {
	for _, row := range [][]string{
		{"0.0.0.0", "255.255.255.255", "0.0.0.0/0"},
		{"10.1.0.0", "10.1.255.255", "10.1.0.0/16"},
		{"10.1.0.9", "10.1.0.9", "10.1.0.9/32"},
		{"10.1.0.1", "10.1.0.6", "10.1.0.1/32", "10.1.0.2/31", "10.1.0.4/31", "10.1.0.6/32"},
		{"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"},
		{"2001:db8::", "2001:db8:2:ffff:ffff:ffff:ffff:ffff", "2001:db8::/47", "2001:db8:2::/48"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
	} {
		var got []string
		for _, p := range prefixes(netip.MustParseAddr(row[0]), netip.MustParseAddr(row[1])) {
			got = append(got, p.String())
		}
		if !slices.Equal(got, row[2:]) {
			t.Errorf("%s - %s: %v, want %v", row[0], row[1], got, row[2:])
		}
	}
}

// A port is in the masks exactly where it is in the range.
func TestPorts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Uint16().Draw(t, "start")
		end := rapid.Uint16Min(start).Draw(t, "end")
		all := ports(start, end)
		for port := range 1 << 16 {
			in := 0
			for _, p := range all {
				if uint16(port)&p.Mask == p.Port {
					in++
				}
			}
			if want := uint16(port) >= start && uint16(port) <= end; in > 1 || in == 1 != want {
				t.Fatalf("ports %d - %d: %d is in %d of %v", start, end, port, in, all)
			}
		}
	})
}

func side(protocol uint8, startPort, endPort uint16, start, end string) kernel.Selector {
	return kernel.Selector{Protocol: protocol, StartPort: startPort, EndPort: endPort, Start: netip.MustParseAddr(start), End: netip.MustParseAddr(end)}
}

func TestTraffic(t *testing.T) {
	all4, all6 := side(0, 0, 65535, "10.0.0.0", "10.255.255.255"), side(0, 0, 65535, "2001:db8::", "2001:db8::ffff")
	for _, row := range []struct {
		name          string
		local, remote []kernel.Selector
		want          int
		errno         syscall.Errno
	}{
		{"one", []kernel.Selector{all4}, []kernel.Selector{all4}, 1, 0},
		{"families apart", []kernel.Selector{all4, all6}, []kernel.Selector{all6, all4}, 2, 0},
		{"the same twice", []kernel.Selector{all4, all4}, []kernel.Selector{all4}, 1, 0},
		{"protocol of one side", []kernel.Selector{side(17, 53, 53, "10.0.0.0", "10.0.0.1")}, []kernel.Selector{all4}, 1, 0},
		{"ports that are no mask", []kernel.Selector{side(17, 1, 2, "10.0.0.0", "10.0.0.1")}, []kernel.Selector{side(17, 1, 6, "10.0.0.0", "10.0.0.1")}, 8, 0},
		{"protocols apart", []kernel.Selector{side(17, 0, 65535, "10.0.0.0", "10.0.0.1")}, []kernel.Selector{side(6, 0, 65535, "10.0.0.0", "10.0.0.1")}, 0, syscall.EINVAL},
		{"types of ICMP", []kernel.Selector{side(1, 0x800, 0x8ff, "10.0.0.0", "10.0.0.1")}, []kernel.Selector{all4}, 0, syscall.EOPNOTSUPP},
		{"opaque ports", []kernel.Selector{side(17, 65535, 0, "10.0.0.0", "10.0.0.1")}, []kernel.Selector{all4}, 0, syscall.EOPNOTSUPP},
		{"too many", []kernel.Selector{side(0, 0, 65535, "10.0.0.1", "10.255.255.254")}, []kernel.Selector{side(0, 0, 65535, "10.0.0.1", "10.255.255.254")}, 0, syscall.E2BIG},
	} {
		child := kerneltest.Child(0x1001, 0x2001)
		child.TSLocal, child.TSRemote = row.local, row.remote
		all, refusal := traffic(&child)
		if refusal != nil {
			if row.errno == 0 || !errors.Is(refusal, row.errno) || !strings.Contains(refusal.Why, ";") {
				t.Errorf("%s: %v", row.name, refusal)
			}
		} else if len(all) != row.want {
			t.Errorf("%s: %d selectors %v, want %d", row.name, len(all), all, row.want)
		}
	}
}

// The narrower of two that overlap comes first.
func TestPriority(t *testing.T) {
	p := netip.MustParsePrefix
	wide := xfrm.Selector{Src: p("::/0"), Dst: p("::/0")}
	for _, list := range [][]xfrm.Selector{
		{wide, {Src: p("::/0"), Dst: p("::/0"), Protocol: 6}, {Src: p("::/0"), Dst: p("::/0"), Protocol: 6, DstPort: xfrm.Ports{Port: 443, Mask: 0xffff}},
			{Src: p("::/0"), Dst: p("2000::/3")}, {Src: p("::1/128"), Dst: p("::1/128"), Protocol: 6, SrcPort: xfrm.Ports{Port: 1, Mask: 0xffff}, DstPort: xfrm.Ports{Port: 1, Mask: 0xffff}}},
		{{Src: p("0.0.0.0/0"), Dst: p("10.0.0.0/8")}, {Src: p("0.0.0.0/0"), Dst: p("10.0.0.0/9")}},
	} {
		for i := range list[1:] {
			if priority(list[i]) <= priority(list[i+1]) {
				t.Errorf("%+v before %+v", list[i], list[i+1])
			}
		}
	}
}
