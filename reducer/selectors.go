package reducer

import (
	"net/netip"
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
)

// Traffic selectors (RFC 7296, section 2.9): the responder narrows what the initiator asked for to what its own
// configuration allows; the initiator takes an answer that lies within what it asked for.

// meant is the configured selectors with the dynamic ones, those without addresses, filled in: the IKE SA's own address.
func meant(configured []ike.Selector, own netip.Addr) []ike.Selector {
	if len(configured) == 0 {
		configured = []ike.Selector{{EndPort: 0xffff}}
	}
	selectors := make([]ike.Selector, len(configured))
	for i, s := range configured {
		if !s.Start.IsValid() {
			s.Start, s.End = own.Unmap().WithZone(""), own.Unmap().WithZone("")
		}
		s.Type = selectorType(s.Start)
		selectors[i] = s
	}
	return selectors
}

func selectorType(a netip.Addr) ike.TSType {
	if a.Is6() {
		return ike.TSIPv6AddrRange
	}
	return ike.TSIPv4AddrRange
}

// narrowed is everything that both lists allow, none twice.
func narrowed(asked, allowed []ike.Selector) []ike.Selector {
	var both []ike.Selector
	for _, a := range asked {
		for _, b := range allowed {
			if s, ok := common(a, b); ok && !slices.ContainsFunc(both, func(have ike.Selector) bool { return covers(have, s) }) {
				both = append(both, s)
			}
		}
	}
	return both
}

// common is the traffic that both selectors allow.
func common(a, b ike.Selector) (ike.Selector, bool) {
	if !a.Known() || !b.Known() || a.Type != b.Type || a.Opaque() != b.Opaque() && (a.Opaque() || b.Opaque()) {
		return ike.Selector{}, false
	}
	s := a
	switch {
	case a.Protocol == 0:
		s.Protocol = b.Protocol
	case b.Protocol != 0 && b.Protocol != a.Protocol:
		return ike.Selector{}, false
	}
	if !a.Opaque() {
		s.StartPort, s.EndPort = max(a.StartPort, b.StartPort), min(a.EndPort, b.EndPort)
		if s.StartPort > s.EndPort {
			return ike.Selector{}, false
		}
	}
	if b.Start.Compare(s.Start) > 0 {
		s.Start = b.Start
	}
	if b.End.Compare(s.End) < 0 {
		s.End = b.End
	}
	return s, s.Start.Compare(s.End) <= 0
}

// covers reports whether wide allows all that narrow does.
func covers(wide, narrow ike.Selector) bool {
	both, ok := common(wide, narrow)
	return ok && sameSelector(both, narrow)
}

func sameSelector(a, b ike.Selector) bool {
	return a.Type == b.Type && a.Protocol == b.Protocol && a.StartPort == b.StartPort && a.EndPort == b.EndPort &&
		a.Start == b.Start && a.End == b.End
}

// allCovered reports whether each selector of the answer lies within one of those asked for (PROTOCOL.md, N-57).
func allCovered(answer, asked []ike.Selector) bool {
	for _, s := range answer {
		if !slices.ContainsFunc(asked, func(wide ike.Selector) bool { return covers(wide, s) }) {
			return false
		}
	}
	return len(answer) > 0
}
