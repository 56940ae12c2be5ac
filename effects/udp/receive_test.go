package udp

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Both ports, both families: what one end sends is what the other receives, with addresses that lead
// back (PROTOCOL.md, W-22 and W-23).
func TestThereAndBack(t *testing.T) {
	for _, row := range []struct {
		name string
		addr netip.Addr
	}{{"IPv4", loopback4}, {"IPv6", loopback6}} {
		t.Run(row.name, func(t *testing.T) {
			config := Config{Listen: []netip.Addr{row.addr}}
			us, peer := open(t, config), open(t, config)
			ours, theirs := receive(t, us), receive(t, peer)
			for i := range us.Addrs() {
				from, to := us.Addrs()[i], peer.Addrs()[i]
				request := message(28 + i)
				us.Send([]Outgoing{{Local: from, Remote: to, Bytes: request}})
				got := theirs.next(t)
				want := Datagram{Local: to, Remote: from, At: 42, Bytes: request, NATPort: i == 1}
				if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
					t.Error(diff)
				}
				peer.Send([]Outgoing{{Local: got.Local, Remote: got.Remote, Bytes: []byte("the answer, which must be 28 octets or more")}})
				if back := ours.next(t); back.Remote != to || back.Local != from {
					t.Errorf("the answer came from %v to %v, want %v to %v", back.Remote, back.Local, to, from)
				}
			}
		})
	}
}

// On the wire of the NAT port the marker stands before the message, on the IKE port it does not.
func TestMarkerOnTheWire(t *testing.T) {
	s := open(t, Config{Listen: []netip.Addr{loopback4}})
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback4.AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if err := peer.SetReadDeadline(time.Now().Add(patient)); err != nil {
		t.Fatal(err)
	}
	to := peer.LocalAddr().(*net.UDPAddr).AddrPort()
	request := message(30)
	for i, want := range [][]byte{request, withMarker(request)} {
		s.Send([]Outgoing{{Local: s.Addrs()[i], Remote: to, Bytes: request}})
		buffer := make([]byte, 100)
		n, from, err := peer.ReadFromUDPAddrPort(buffer)
		if err != nil || !bytes.Equal(buffer[:n], want) || from != s.Addrs()[i] {
			t.Errorf("from %v: % x, %v; want % x", from, buffer[:n], err, want)
		}
	}
}

// The socket is one for all addresses, and still each answer leaves from where the request came to.
func TestLocalAddressIsKept(t *testing.T) {
	for _, row := range []struct {
		name   string
		listen []netip.Addr
	}{
		{"any", nil},
		{"several", []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3"), loopback6}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := open(t, Config{Listen: row.listen})
			in := receive(t, s)
			port, natPort := s.Ports()
			for _, addr := range []string{"127.0.0.3", "127.0.0.1", "127.0.0.2", "::1"} {
				for _, p := range []uint16{port, natPort} {
					to := netip.AddrPortFrom(netip.MustParseAddr(addr), p)
					conn := raw(t, to)
					request := message(28)
					if p == natPort {
						request = withMarker(request)
					}
					write(t, conn, request)
					got := in.next(t)
					if got.Local != to || got.Remote != conn.LocalAddr().(*net.UDPAddr).AddrPort() {
						t.Errorf("sent to %v, came in as %v from %v", to, got.Local, got.Remote)
					}
					s.Send([]Outgoing{{Local: got.Local, Remote: got.Remote, Bytes: message(40)}})
					// A connected socket takes it only when it comes from the address asked.
					if n, err := conn.Read(make([]byte, 100)); err != nil || n < 40 {
						t.Errorf("answer from %v: %d octets, %v", to, n, err)
					}
				}
			}
		})
	}
}

// What is dropped before it is an event, and that the next message still comes in behind it.
func TestDropped(t *testing.T) {
	s := open(t, Config{Listen: []netip.Addr{loopback4}, MaxDatagram: 200})
	in := receive(t, s)
	ike, nat := raw(t, s.Addrs()[0]), raw(t, s.Addrs()[1])
	for _, n := range []int{0, 1, 3, 4, 27, 201, 9000} {
		write(t, ike, message(n))
	}
	write(t, ike, message(200)) // as long as may be
	if got := in.next(t); len(got.Bytes) != 200 || got.NATPort {
		t.Errorf("got %d octets", len(got.Bytes))
	}
	for _, datagram := range [][]byte{
		{0xff},                   // keepalive
		message(60),              // ESP: its first word is not zero
		make([]byte, 4),          // marker alone
		make([]byte, 5),          // PROTOCOL.md, N-01
		withMarker(message(197)), // an octet too long
	} {
		write(t, nat, datagram)
	}
	write(t, nat, withMarker(message(196)))
	if got := in.next(t); len(got.Bytes) != 196 || !got.NATPort {
		t.Errorf("got %d octets", len(got.Bytes))
	}
	want := map[string]uint64{"received": 2, "received_keepalive": 1, "received_esp": 1, "received_too_short": 7, "received_truncated": 3}
	if diff := cmp.Diff(want, counted(s)); diff != "" {
		t.Error(diff)
	}
}

// A datagram to many is not one to us, though the socket takes it.
func TestReceivedByBroadcast(t *testing.T) {
	s := open(t, Config{})
	in := receive(t, s)
	port, _ := s.Ports()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback4.AsSlice()}) // Go allows it to broadcast
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, to := range []string{"127.255.255.255", "127.0.0.1"} {
		if _, err := conn.WriteToUDPAddrPort(message(28), netip.AddrPortFrom(netip.MustParseAddr(to), port)); err != nil {
			t.Fatal(err)
		}
	}
	if got := in.next(t); got.Local.Addr() != loopback4 {
		t.Errorf("came in by %v", got.Local)
	}
	if diff := cmp.Diff(map[string]uint64{"received": 1, "received_not_unicast": 1}, counted(s)); diff != "" {
		t.Error(diff)
	}
}

// Closing in the middle of traffic: Receive ends without an error and handle is not called after it.
func TestCloseDuringReceive(t *testing.T) {
	for range 8 {
		s := open(t, Config{Listen: []netip.Addr{loopback4, loopback6}})
		conn := raw(t, s.Addrs()[0])
		started, ended := make(chan struct{}, 1), false
		done := make(chan error)
		go func() {
			err := s.Receive(func([]Datagram) {
				if ended {
					t.Error("called after Receive returned")
				}
				select {
				case started <- struct{}{}:
				default:
				}
			})
			ended = true
			done <- err
		}()
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					conn.Write(message(28)) // refused once the socket is gone
				}
			}
		}()
		<-started
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Errorf("Receive: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
		close(stop)
		<-stopped
	}
}

// Closing from within handle must not wait for handle.
func TestCloseInHandle(t *testing.T) {
	s := open(t, Config{Listen: []netip.Addr{loopback4}})
	write(t, raw(t, s.Addrs()[0]), message(28))
	if err := s.Receive(func([]Datagram) { s.Close() }); err != nil {
		t.Error(err)
	}
}
