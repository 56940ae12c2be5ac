package text

import (
	"math/bits"
	"net/netip"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
)

// Selectors are traffic selectors as `swanctl --list-sas` writes them: 10.1.0.0/16, 10.2.0.1..10.2.0.9[tcp/80]; those
// without addresses are dynamic.
func Selectors(list []*record.Selector) string {
	var all []string
	for _, s := range list {
		all = append(all, selector(s))
	}
	return strings.Join(all, ",")
}

func selector(s *record.Selector) string {
	start, ok1 := netip.AddrFromSlice(s.GetStart())
	end, ok2 := netip.AddrFromSlice(s.GetEnd())
	addresses := "dynamic"
	if ok1 && ok2 {
		addresses = between(start, end)
	}
	ports := ""
	switch {
	case s.GetStartPort() == 0xffff && s.GetEndPort() == 0:
		ports = "opaque"
	case s.GetStartPort() != 0 || s.GetEndPort() != 0xffff:
		ports = decimal(s.GetStartPort())
		if s.GetEndPort() != s.GetStartPort() {
			ports += "-" + decimal(s.GetEndPort())
		}
	}
	switch {
	case s.GetProtocol() == 0 && ports == "":
		return addresses
	case ports == "":
		return addresses + "[" + decimal(s.GetProtocol()) + "]"
	}
	return addresses + "[" + decimal(s.GetProtocol()) + "/" + ports + "]"
}

// between is a range of addresses, as a prefix where it is one.
func between(start, end netip.Addr) string {
	if start == end {
		return start.String()
	}
	a, b := start.AsSlice(), end.AsSlice()
	common := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			common = 8*i + bits.LeadingZeros8(a[i]^b[i])
			break
		}
	}
	if p, err := start.Prefix(common); err == nil && p.Addr() == start && last(p) == end {
		return p.String()
	}
	return start.String() + ".." + end.String()
}

// last is the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
