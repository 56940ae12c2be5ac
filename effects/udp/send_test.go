package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// 1,000 datagrams in one call: all are sent, in order, none twice.
func TestThousandAtOnce(t *testing.T) {
	us, peer := open(t, Config{Listen: []netip.Addr{loopback4}}), open(t, Config{Listen: []netip.Addr{loopback4}})
	theirs := receive(t, peer)
	const count = 1000
	out := make([]Outgoing, count)
	for i := range out {
		out[i] = Outgoing{Local: us.Addrs()[1], Remote: peer.Addrs()[1], Bytes: binary.BigEndian.AppendUint32(message(60), uint32(i))}
	}
	us.Send(out)
	if diff := cmp.Diff(map[string]uint64{"sent": count}, counted(us)); diff != "" {
		t.Fatal(diff)
	}
	if buffer := receiveBuffer(t, peer.sockets[1]); buffer < 2<<20 {
		t.Skipf("the host allows receive buffers of %d octets only, some of the datagrams may be lost (net.core.rmem_max)", buffer)
	}
	for i := range uint32(count) {
		if got := binary.BigEndian.Uint32(theirs.next(t).Bytes[60:]); got != i {
			t.Fatalf("datagram %d came in at place %d", got, i)
		}
	}
}

// receiveBuffer is what the kernel gave, octets, its own overhead included.
func receiveBuffer(t *testing.T, s *socket) (octets int) {
	t.Helper()
	conn, err := s.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = conn.Control(func(fd uintptr) { octets, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	return octets
}

// Where nothing may be sent (PROTOCOL.md, K-11), and what the kernel does not send. Around each row
// stands a good datagram: it must not be held up.
func TestNotSent(t *testing.T) {
	any := open(t, Config{})
	peer := open(t, Config{Listen: []netip.Addr{loopback4, loopback6}})
	theirs := receive(t, peer)
	port, natPort := any.Ports()
	local := netip.AddrPortFrom(loopback4, port)
	at := func(addr string, port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(addr), port)
	}
	good := Outgoing{Local: local, Remote: peer.Addrs()[0], Bytes: message(28)}
	for _, row := range []struct {
		name    string
		out     Outgoing
		counter string
	}{
		{"port 0", Outgoing{Remote: at("127.0.0.1", 0)}, "unsent_port_zero"},
		{"no address", Outgoing{Remote: netip.AddrPortFrom(netip.Addr{}, 500)}, "unsent_not_unicast"},
		{"unspecified", Outgoing{Remote: at("0.0.0.0", 500)}, "unsent_not_unicast"},
		{"unspecified, IPv6", Outgoing{Remote: at("::", 500)}, "unsent_not_unicast"},
		{"broadcast", Outgoing{Remote: at("255.255.255.255", 500)}, "unsent_not_unicast"},
		{"broadcast, mapped", Outgoing{Remote: at("::ffff:255.255.255.255", 500)}, "unsent_not_unicast"},
		{"multicast", Outgoing{Remote: at("224.0.0.1", 500)}, "unsent_not_unicast"},
		{"multicast, IPv6", Outgoing{Remote: at("ff02::1%lo", 500)}, "unsent_not_unicast"},
		{"ourselves", Outgoing{Remote: at("127.0.0.1", port)}, "unsent_to_ourselves"},
		{"ourselves, the other port", Outgoing{Remote: at("127.9.9.9", natPort)}, "unsent_to_ourselves"},
		{"ourselves, mapped", Outgoing{Remote: at("::ffff:127.0.0.1", port)}, "unsent_to_ourselves"},
		{"ourselves, IPv6", Outgoing{Remote: at("::1", port)}, "unsent_to_ourselves"},
		{"a port that is not ours", Outgoing{Local: at("127.0.0.1", 1), Remote: peer.Addrs()[0]}, "unsent_no_socket"},
		{"from IPv4 to IPv6", Outgoing{Local: local, Remote: peer.Addrs()[1]}, "unsent_no_socket"},
		{"from an address that is not ours", Outgoing{Local: at("203.0.113.7", port), Remote: peer.Addrs()[0]}, "unsent_unreachable"},
		{"from an IPv6 address that is not ours", Outgoing{Local: at("2001:db8::7", port), Remote: peer.Addrs()[1]}, "unsent_no_local_address"},
		{"a subnet's broadcast", Outgoing{Remote: at("127.255.255.255", 500)}, "unsent_denied"},
		{"too long", Outgoing{Remote: peer.Addrs()[0], Bytes: message(65_508)}, "unsent_too_long"},
	} {
		if !row.out.Local.IsValid() {
			row.out.Local = netip.AddrPortFrom(netip.Addr{}, port)
		}
		if row.out.Bytes == nil {
			row.out.Bytes = message(28)
		}
		before := counted(any)
		any.Send([]Outgoing{good, row.out, good})
		after := counted(any)
		if after[row.counter] != before[row.counter]+1 || after["sent"] != before["sent"]+2 {
			t.Errorf("%s: from %v to %v, want one more %s and two more sent", row.name, before, after, row.counter)
		}
		for range 2 {
			theirs.next(t)
		}
	}
	if got := counted(peer); got["received_too_short"]+got["received_not_unicast"] != 0 || len(theirs) != 0 {
		t.Errorf("the peer has %d datagrams too many and counts %v", len(theirs), got)
	}
}

// Every address of the host is ourselves where the socket is for any address.
func TestOurselvesIsTheWholeHost(t *testing.T) {
	s := open(t, Config{})
	port, _ := s.Ports()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		addr, _ := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if !s.isOurs(netip.AddrPortFrom(addr.Unmap(), port)) {
			t.Errorf("%v port %d is not known to be ours", addr, port)
		}
		if s.isOurs(netip.AddrPortFrom(addr.Unmap(), 9)) {
			t.Errorf("%v port 9 is taken for ours", addr)
		}
	}
	if s.isOurs(netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), port)) {
		t.Error("an address of another host is taken for ours")
	}
}

// Another daemon on this host, on another address and the same port, is a peer like any other.
func TestAnotherDaemonOnThisHost(t *testing.T) {
	us := open(t, Config{Listen: []netip.Addr{loopback4}})
	port, natPort := us.Ports()
	peer, err := Open(Config{Listen: []netip.Addr{netip.MustParseAddr("127.0.0.2")}, Port: port, NATPort: natPort, Now: us.config.Now})
	if err != nil {
		t.Skipf("the ports are taken on 127.0.0.2: %v", err)
	}
	theirs := receive(t, peer)
	us.Send([]Outgoing{{Local: us.Addrs()[0], Remote: peer.Addrs()[0], Bytes: message(28)}})
	if got := theirs.next(t); got.Remote != us.Addrs()[0] {
		t.Errorf("came from %v", got.Remote)
	}
	// And an address that is not listened on is not sent from.
	us.Send([]Outgoing{{Local: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), port), Remote: peer.Addrs()[0], Bytes: message(28)}})
	if diff := cmp.Diff(map[string]uint64{"sent": 1, "unsent_no_socket": 1}, counted(us)); diff != "" {
		t.Error(diff)
	}
}

func TestSendAfterClose(t *testing.T) {
	s := open(t, Config{Listen: []netip.Addr{loopback4}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	out := Outgoing{Local: s.Addrs()[0], Remote: netip.MustParseAddrPort("127.0.0.1:9"), Bytes: message(28)}
	s.Send([]Outgoing{out, out})
	if diff := cmp.Diff(map[string]uint64{"unsent_after_close": 2}, counted(s)); diff != "" {
		t.Error(diff)
	}
}

// Failures that loopback does not have.
func TestCauses(t *testing.T) {
	for _, row := range []struct {
		err     error
		counter string
		all     bool
	}{
		{os.ErrDeadlineExceeded, "unsent_no_room", true},
		{net.ErrClosed, "unsent_after_close", true},
		{syscall.ENOBUFS, "unsent_no_room", false},
		{syscall.EPERM, "unsent_denied", false},
		{syscall.ENETUNREACH, "unsent_unreachable", false},
		{syscall.EHOSTUNREACH, "unsent_unreachable", false},
		{syscall.EIO, "unsent_other", false},
		{errors.New("not the kernel's"), "unsent_other", false},
	} {
		s := &Sockets{}
		counter, all := s.cause(fmt.Errorf("write: %w", &net.OpError{Op: "write", Err: os.NewSyscallError("sendmmsg", row.err)}))
		counter.Add(1)
		if diff := cmp.Diff(map[string]uint64{row.counter: 1}, counted(s)); diff != "" || all != row.all {
			t.Errorf("%v: all %v, %s", row.err, all, diff)
		}
	}
}
