package main

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"
)

// message is the smallest thing that counts as IKE on port 500.
func message(id uint32) []byte {
	b := make([]byte, 28)
	b[18] = 37
	binary.BigEndian.PutUint32(b[20:], id)
	return b
}

func TestDescribe(t *testing.T) {
	marked := append(make([]byte, 4), message(9)...)
	for _, c := range []struct {
		payload []byte
		port    uint16
		ike     bool
		what    string
	}{
		{message(9), 500, true, "INFORMATIONAL request 9"},
		{marked, 4500, true, "INFORMATIONAL request 9"},
		{[]byte{0xff}, 4500, false, "not IKE"},
		{[]byte{1, 2, 3, 4, 5, 6, 7, 8}, 4500, false, "not IKE"},
		{[]byte{1}, 500, true, "1 octets"},
	} {
		if ike, what := describe(c.payload, c.port); ike != c.ike || what != c.what {
			t.Errorf("describe(%x, %d) = %v %q", c.payload, c.port, ike, what)
		}
	}
}

func TestProxyRelaysBothWays(t *testing.T) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	probe, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	listen := probe.LocalAddr().String()
	probe.Close()
	lanes := [2]*lane{newLane('a', weather{}, nil, nil), newLane('b', weather{}, nil, nil)}
	if err := runProxy(listen+"="+server.LocalAddr().String(), lanes); err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("udp4", listen)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	buf := make([]byte, 100)
	client.Write(message(1))
	server.SetDeadline(time.Now().Add(5 * time.Second))
	client.SetDeadline(time.Now().Add(5 * time.Second))
	n, from, err := server.ReadFromUDP(buf)
	if err != nil || !bytes.Equal(buf[:n], message(1)) {
		t.Fatalf("server got %x, %v", buf[:n], err)
	}
	server.WriteToUDP(message(2), from)
	if n, err = client.Read(buf); err != nil || !bytes.Equal(buf[:n], message(2)) {
		t.Fatalf("client got %x, %v", buf[:n], err)
	}
}

// The checksum of a datagram with its checksum in place is zero in ones' complement.
func TestChecksum(t *testing.T) {
	c := &capture{}
	for _, a := range []string{"10.0.0.1", "fd00::1"} {
		addr := netip.AddrPortFrom(netip.MustParseAddr(a), 500)
		for n := 0; n < 40; n++ {
			ip := c.udp(addr, addr, bytes.Repeat([]byte{0xa5}, n))
			frame := append(make([]byte, 14), ip...)
			binary.BigEndian.PutUint16(frame[12:], map[bool]uint16{true: 0x0800, false: 0x86dd}[addr.Addr().Is4()])
			if udp, ike, _ := inspect(frame); !udp || !ike {
				t.Fatalf("%s with %d octets: not seen as IKE", a, n)
			}
			if !bytes.Equal(frame[14:], ip) {
				t.Fatalf("%s with %d octets: inspect makes another checksum than udp", a, n)
			}
		}
	}
}
