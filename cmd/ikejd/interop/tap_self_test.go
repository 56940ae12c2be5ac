//go:build interop

package interop

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// datagram is a message of so many octets with nothing in it but its header.
func datagram(from string, exchange byte, response bool, id uint32, content string) message {
	b := make([]byte, 28)
	b[18] = exchange
	if response {
		b[19] = 0x20
	}
	binary.BigEndian.PutUint32(b[20:], id)
	to := map[string]string{"10.77.0.1": "10.77.0.2", "10.77.0.2": "10.77.0.1"}[from]
	return message{netip.MustParseAddrPort(from + ":500"), netip.MustParseAddrPort(to + ":500"), append(b, content...)}
}

func TestExchanges(t *testing.T) {
	left, right := "10.77.0.1", "10.77.0.2"
	all := []message{
		datagram(left, informational, false, 2, "a"), datagram(left, informational, false, 2, "a"), // sent again
		datagram(right, informational, true, 2, "b"), datagram(right, informational, true, 2, "b"), // answered again
		datagram(left, informational, false, 3, "a"),  // not answered
		datagram(right, informational, false, 0, "a"), // the other end's
		datagram(left, informational, true, 0, "b"),   //
		datagram(left, ikeAuth, false, 1, "a"),        // another type
		datagram(right, informational, true, 9, "b"),  // answers nothing
	}
	if n := exchanges(all, informational, netip.MustParseAddr(left)); n != 1 {
		t.Errorf("left had %d exchanges answered, want 1", n)
	}
	if n := exchanges(all, informational, netip.MustParseAddr(right)); n != 1 {
		t.Errorf("right had %d exchanges answered, want 1", n)
	}
}

func TestChangedContent(t *testing.T) {
	from := "10.77.0.1"
	for name, c := range map[string]struct {
		again message
		bad   int
	}{
		"the same octets":   {datagram(from, informational, false, 2, "a"), 0},
		"other octets":      {datagram(from, informational, false, 2, "b"), 1},
		"another id":        {datagram(from, informational, false, 3, "b"), 0},
		"a response":        {datagram(from, informational, true, 2, "b"), 0},
		"from another end":  {datagram("10.77.0.2", informational, false, 2, "b"), 0},
		"another exchange":  {datagram(from, ikeAuth, false, 2, "b"), 0},
		"a cookie's repeat": {datagram(from, ikeSAInit, false, 2, "b"), 0},
	} {
		all := []message{datagram(from, informational, false, 2, "a"), datagram(from, ikeSAInit, false, 2, "a"), c.again}
		if bad := changedContent(all); len(bad) != c.bad {
			t.Errorf("%s: %q", name, bad)
		}
	}
}
