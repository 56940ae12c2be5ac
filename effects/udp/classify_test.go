package udp

import (
	"bytes"
	"testing"
)

// PROTOCOL.md, N-01, and RFC 3948, section 2.
func TestClassify(t *testing.T) {
	zeros := func(n int) []byte { return make([]byte, n) }
	header := append([]byte{1, 2, 3, 4, 5, 6, 7, 8}, zeros(20)...) // an SPIi, and 28 octets in all
	lowSPI := append(zeros(4), header[4:]...)                      // an SPIi whose first half is zero
	marked := append(zeros(4), header...)
	for _, row := range []struct {
		name     string
		datagram []byte
		natPort  bool
		class    Class
		message  []byte
	}{
		{"nothing", nil, false, TooShort, nil},
		{"1 octet", zeros(1), false, TooShort, nil},
		{"3 octets", zeros(3), false, TooShort, nil},
		{"4 octets", zeros(4), false, TooShort, nil},
		{"27 octets", header[:27], false, TooShort, nil},
		{"28 octets", header, false, IKE, header},
		{"ff is no keepalive here", []byte{0xff}, false, TooShort, nil},
		{"an SPI that looks like a marker", lowSPI, false, IKE, lowSPI},
		{"a marker where none is due is part of the message", marked, false, IKE, marked},

		{"nothing, NAT port", nil, true, TooShort, nil},
		{"keepalive", []byte{0xff}, true, Keepalive, nil},
		{"1 octet that is none", []byte{0xfe}, true, TooShort, nil},
		{"2 octets ff", []byte{0xff, 0xff}, true, TooShort, nil},
		{"marker alone", zeros(4), true, TooShort, nil},
		{"marker and 1 octet", zeros(5), true, TooShort, nil},
		{"marker and 27 octets", marked[:31], true, TooShort, nil},
		{"marker and message", marked, true, IKE, header},
		{"marker and an SPI that looks like one", append(zeros(4), lowSPI...), true, IKE, lowSPI},
		{"half an ESP header", header[:5], true, TooShort, nil},
		{"ESP header", header[:8], true, ESP, nil},
		{"IKE without its marker is taken for ESP", header, true, ESP, nil},
	} {
		class, message := Classify(row.datagram, row.natPort)
		if class != row.class || !bytes.Equal(message, row.message) {
			t.Errorf("%s: got %d, % x; want %d, % x", row.name, class, message, row.class, row.message)
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, seed := range [][]byte{nil, {0xff}, make([]byte, 4), make([]byte, 27), make([]byte, 32), bytes.Repeat([]byte{7}, 40)} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, datagram []byte, natPort bool) {
		before := bytes.Clone(datagram)
		class, message := Classify(datagram, natPort)
		if !bytes.Equal(before, datagram) {
			t.Fatal("the datagram was written to")
		}
		if class != IKE {
			if message != nil {
				t.Fatalf("class %d with a message", class)
			}
			return
		}
		if len(message) < ikeHeaderOctets {
			t.Fatalf("an IKE message of %d octets", len(message))
		}
		// What Send puts on the wire for this message is what came in.
		wire := message
		if natPort {
			wire = append(bytes.Clone(marker), message...)
		}
		if !bytes.Equal(wire, datagram) {
			t.Fatalf("% x came in, % x would go out", datagram, wire)
		}
	})
}
