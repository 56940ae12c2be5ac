package udp

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"
)

var (
	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.MustParseAddr("::1")
)

// open opens sockets on free ports of loopback, or as told, and closes them at the end.
func open(t testing.TB, config Config) *Sockets {
	t.Helper()
	if config.Now == nil {
		config.Now = func() int64 { return 42 }
	}
	s, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// inbox is a receiver whose datagrams a test waits for, its own copies of them.
type inbox chan Datagram

// receive starts the loops; at the end of the test they must have ended without an error.
func receive(t testing.TB, s *Sockets) inbox {
	in := make(inbox, 4096)
	done := make(chan error, 1)
	go func() {
		done <- s.Receive(func(batch []Datagram) {
			for _, d := range batch {
				d.Bytes = bytes.Clone(d.Bytes)
				in <- d
			}
		})
	}()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Errorf("Receive: %v", err)
		}
	})
	return in
}

// patient is how long a test waits for what must come; nothing on loopback takes as long.
const patient = 10 * time.Second

// next waits for a datagram.
func (in inbox) next(t testing.TB) Datagram {
	t.Helper()
	select {
	case d := <-in:
		return d
	case <-time.After(patient):
		t.Fatal("nothing came in")
		return Datagram{}
	}
}

// raw is a plain socket on loopback, for what Send would not send.
func raw(t testing.TB, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(patient)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// write sends one datagram from a plain socket.
func write(t testing.TB, conn *net.UDPConn, datagram []byte) {
	t.Helper()
	if _, err := conn.Write(datagram); err != nil {
		t.Fatal(err)
	}
}

// message is an IKE message as far as this package can tell: n octets, none of them zero.
func message(n int) []byte { return bytes.Repeat([]byte{0x5a}, n) }

// withMarker is a message as it stands on the NAT port.
func withMarker(message []byte) []byte { return append(make([]byte, 4), message...) }

// counted is what is not zero.
func counted(s *Sockets) map[string]uint64 {
	counts := map[string]uint64{}
	s.Counters().Each(func(name string, value uint64) {
		if value != 0 {
			counts[name] = value
		}
	})
	return counts
}
