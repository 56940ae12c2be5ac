package reducer

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
)

// How parts of the State are said: short, the same every time, and what a stranger chose in quotes.

func inFlightString(open []Request) string {
	return joined(open, func(r Request) string { return decimal(r.ID) + " " + r.Wish.String() })
}

func waitingString(waiting []Waiting) string {
	return joined(waiting, func(w Waiting) string { return w.String() })
}

// joined is the list said, a dash when it is empty.
func joined[T any](list []T, say func(T) string) string {
	if len(list) == 0 {
		return "-"
	}
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = say(v)
	}
	return strings.Join(all, " ")
}

func (w Waiting) String() string {
	if w.Child == 0 {
		return w.Wish.String()
	}
	return w.Wish.String() + " " + childName(w.Child)
}

func (a *Answering) String() string {
	if a == nil {
		return "-"
	}
	return decimal(a.ID) + " " + a.Exchange.String()
}

func (sa *IKESA) childOf(number uint64) *ChildSA {
	i := slices.IndexFunc(sa.Children, func(c ChildSA) bool { return c.Number == number })
	if i < 0 {
		return nil
	}
	return &sa.Children[i]
}

func spis(sa *IKESA) string {
	switch {
	case sa.SPIi == 0 && sa.SPIr == 0:
		return "-"
	case sa.SPIr == 0:
		return hexDigits(sa.SPIi, 16) + " -"
	}
	return hexDigits(sa.SPIi, 16) + " " + hexDigits(sa.SPIr, 16)
}

func childSPIs(c *ChildSA) string {
	switch {
	case c.InboundSPI == 0 && c.OutboundSPI == 0:
		return "-"
	case c.OutboundGone, c.OutboundSPI == 0:
		return "in " + hexDigits(uint64(c.InboundSPI), 8)
	case c.InboundSPI == 0:
		return "out " + hexDigits(uint64(c.OutboundSPI), 8)
	}
	return "in " + hexDigits(uint64(c.InboundSPI), 8) + " out " + hexDigits(uint64(c.OutboundSPI), 8)
}

// hexDigits is v in lower case hex digits, filled up to width with zeros.
func hexDigits(v uint64, width int) string {
	s := strconv.FormatUint(v, 16)
	return strings.Repeat("0", max(width-len(s), 0)) + s
}

func (sa *IKESA) nat() string {
	switch {
	case sa.LocalNAT && sa.RemoteNAT:
		return "both ends"
	case sa.LocalNAT:
		return "us"
	case sa.RemoteNAT:
		return "the peer"
	}
	return "-"
}

func mode(c *ChildSA) string {
	if c.TransportMode {
		return "transport"
	}
	return "tunnel"
}

func (p Path) String() string {
	if !p.Local.IsValid() && !p.Remote.IsValid() {
		return "-"
	}
	return p.Local.String() + " " + p.Remote.String()
}

// String is the suite by the registry's names.
func (s Suite) String() string {
	if s == (Suite{}) {
		return "-"
	}
	names := []string{ike.Transform{Type: ike.TransformENCR, ID: s.Encr, KeyLength: s.KeyLength}.String()}
	if s.Integ != 0 {
		names = append(names, ike.Transform{Type: ike.TransformINTEG, ID: s.Integ}.String())
	}
	if s.PRF != 0 {
		names = append(names, ike.Transform{Type: ike.TransformPRF, ID: s.PRF}.String())
	}
	if s.Group != 0 {
		names = append(names, s.Group.String())
	}
	return strings.Join(names, " ")
}

// String is the identity, an address or its text quoted: a stranger chose it.
func (id Identity) String() string {
	switch id.Type {
	case 0:
		return "-"
	case ike.IDIPv4Addr, ike.IDIPv6Addr:
		if a, ok := netip.AddrFromSlice([]byte(id.Data)); ok {
			return a.String()
		}
	}
	return id.Type.String() + " " + strconv.QuoteToASCII(id.Data)
}

func selectorsString(list []ike.Selector) string {
	return joined(list, func(s ike.Selector) string {
		said := s.Start.String()
		if s.End != s.Start {
			said += ".." + s.End.String()
		}
		if s.Protocol != 0 || s.StartPort != 0 || s.EndPort != 0xffff {
			said += "[" + decimal(uint32(s.Protocol)) + "/" + decimal(uint32(s.StartPort)) + "-" + decimal(uint32(s.EndPort)) + "]"
		}
		return said
	})
}

func (s Stage) String() string {
	return [...]string{"-", "waiting for a key share", "init sent", "agreeing on keys", "making auth", "auth sent",
		"checking auth", "init answered", "installing the child"}[s]
}

// String is the stage, and what makes this set-up special.
func (s *SetUp) String() string {
	if s == nil {
		return "-"
	}
	said := s.Stage.String()
	if len(s.Cookie) > 0 {
		said += ", with cookie"
	}
	if len(s.Tried) > 0 {
		said += ", group " + s.Group.String()
	}
	if s.Refusal != 0 {
		said += ", refused " + s.Refusal.String()
	}
	if s.Failure != "" {
		said += ", failing"
	}
	return said
}

// String is what the exchange makes, and what it waits for.
func (c *Creation) String() string {
	if c == nil {
		return "-"
	}
	said := c.Kind.wish().String()
	if c.Child != 0 {
		said += " " + childName(c.Child)
	}
	if c.Replaces != 0 {
		said += " for " + childName(c.Replaces)
	}
	said += " " + [...]string{"-", "preparing", "queued", "asked", "agreeing", "completing"}[c.Stage]
	if c.Rival.there() {
		said += ", the peer's is complete"
	}
	return said
}

func creationsString(list []Creation) string {
	if len(list) == 0 {
		return "-"
	}
	var said []string
	for i := range list {
		said = append(said, list[i].String())
	}
	return strings.Join(said, ", ")
}

func successorString(number uint64) string {
	if number == 0 {
		return "-"
	}
	return ikeName(number)
}

func childName(number uint64) string { return "child" + strconv.FormatUint(number, 10) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
