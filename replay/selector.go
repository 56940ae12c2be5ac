package replay

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"github.com/ikejd/ikejd/proto/record/text"
)

// Selector names IKE SAs the way people know them: ike7, child12, an SPI or its first 4 hex digits or more (of either
// end, of the IKE SA or a child), the peer's address, a connection, the peer's identity.
type Selector struct {
	text  string
	ike   uint64
	child uint64
	spi   string // hex digits, lower case
	addr  netip.Addr
	port  uint16
}

// ParseSelector reads one; whether it names anything, a Catalog says.
func ParseSelector(s string) (Selector, error) {
	sel := Selector{text: s}
	if s == "" {
		return sel, errors.New("an SA without a name; try: ikejd journal ls")
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return sel, fmt.Errorf("%q has control characters; try: ikejd journal ls", s)
	}
	sel.ike, _ = numbered(s, "ike")
	sel.child, _ = numbered(s, "child")
	digits := strings.ToLower(strings.TrimPrefix(strings.TrimSuffix(s, "…"), "0x"))
	if len(digits) >= 4 && len(digits) <= 16 && strings.Trim(digits, "0123456789abcdef") == "" {
		sel.spi = digits
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		sel.addr, sel.port = ap.Addr(), ap.Port()
	} else if a, err := netip.ParseAddr(s); err == nil {
		sel.addr = a
	}
	return sel, nil
}

// numbered is the number behind a prefix: 7 of ike7.
func numbered(s, prefix string) (uint64, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || digits == "" || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

func (sel Selector) String() string { return sel.text }

// Names reports whether sa is one of those meant.
func (sel Selector) Names(sa *SA) bool {
	if sel.ike != 0 || sel.child != 0 {
		return sa.Number == sel.ike || sel.Child(sa) != nil
	}
	if sel.ownSPI(sa) || sel.Child(sa) != nil {
		return true
	}
	if sel.addr.IsValid() {
		remote, ok := netip.AddrFromSlice(sa.Path.GetRemote())
		if ok && remote.Unmap() == sel.addr.Unmap().WithZone("") && (sel.port == 0 || uint32(sel.port) == sa.Path.GetRemotePort()) {
			return true
		}
	}
	if sel.text == sa.Connection {
		return true
	}
	return sa.RemoteID.GetType() != 0 && (sel.text == string(sa.RemoteID.GetData()) || sel.text == text.Identity(sa.RemoteID))
}

// ownSPI reports whether an SPI of the IKE SA itself is meant.
func (sel Selector) ownSPI(sa *SA) bool {
	return sel.spi != "" && (strings.HasPrefix(hex(sa.SPIi, 16), sel.spi) || strings.HasPrefix(hex(sa.SPIr, 16), sel.spi) && sa.SPIr != 0)
}

// Child is the Child SA of sa that is meant: by its number, or an SPI that is not one of sa itself; nil where it is sa, or
// nothing of it.
func (sel Selector) Child(sa *SA) *Child {
	for _, child := range sa.Children {
		switch {
		case sel.child != 0 && child.Number == sel.child:
			return child
		case sel.spi == "" || sel.ownSPI(sa):
		case child.Inbound != 0 && strings.HasPrefix(hex(uint64(child.Inbound), 8), sel.spi),
			child.Outbound != 0 && strings.HasPrefix(hex(uint64(child.Outbound), 8), sel.spi):
			return child
		}
	}
	return nil
}

func hex(v uint64, digits int) string {
	s := strconv.FormatUint(v, 16)
	return strings.Repeat("0", max(digits-len(s), 0)) + s
}

// NotThere is the error for what was asked for in good form and is not in the journal: an SA, a run, a step.
type NotThere struct{ What string }

func (n *NotThere) Error() string { return n.What }

func notThere(format string, args ...any) error { return &NotThere{fmt.Sprintf(format, args...)} }

// Select are the SAs that any of the selectors names, in the order of their numbers; all of them without selectors. A
// selector that names none is an error.
func (c *Catalog) Select(selectors []Selector) ([]*SA, error) {
	if len(selectors) == 0 {
		return c.SAs, nil
	}
	used := make([]bool, len(selectors))
	var found []*SA
	for _, sa := range c.SAs {
		named := false
		for i, sel := range selectors {
			if sel.Names(sa) {
				named, used[i] = true, true
			}
		}
		if named {
			found = append(found, sa)
		}
	}
	for i, ok := range used {
		if !ok {
			return nil, notThere("no such SA as %q here; try: ikejd journal ls", selectors[i].text)
		}
	}
	return found, nil
}
