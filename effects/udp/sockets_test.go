package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Free ports: two, and each the same on all addresses.
func TestFreePorts(t *testing.T) {
	listen := []netip.Addr{loopback4, loopback6, netip.MustParseAddr("127.0.0.2")}
	s := open(t, Config{Listen: listen})
	port, natPort := s.Ports()
	if port == 0 || natPort == 0 || port == natPort {
		t.Errorf("ports %d and %d", port, natPort)
	}
	for i, addr := range s.Addrs() {
		want := netip.AddrPortFrom(listen[i%3], []uint16{port, natPort}[i/3])
		if addr != want {
			t.Errorf("socket %d is on %v, want %v", i, addr, want)
		}
	}
	if len(s.Addrs()) != 6 {
		t.Errorf("%d sockets, want 6", len(s.Addrs()))
	}
}

func TestOpenRefused(t *testing.T) {
	now := func() int64 { return 0 }
	taken := open(t, Config{Listen: []netip.Addr{loopback4}})
	port, _ := taken.Ports()
	for _, row := range []struct {
		name   string
		config Config
		errno  syscall.Errno // 0 is not the kernel's
		says   string
	}{
		{"port taken", Config{Listen: []netip.Addr{loopback6, loopback4}, NATPort: port, Now: now}, syscall.EADDRINUSE, "; stop the other IKE daemon"},
		{"address not here", Config{Listen: []netip.Addr{netip.MustParseAddr("203.0.113.7")}, Now: now}, syscall.EADDRNOTAVAIL, "udp: cannot listen on 203.0.113.7 port 0: "},
		{"one port twice", Config{Port: 4500, NATPort: 4500, Now: now}, 0, "choose two (--port, --nat-port)"},
		{"no clock", Config{}, 0, "set Config.Now"},
	} {
		s, err := Open(row.config)
		if err == nil || s != nil || row.errno != 0 && !errors.Is(err, row.errno) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	// Nothing stays open of what was refused.
	open(t, Config{Listen: []netip.Addr{loopback6}, Port: port})
}

func TestPrivilegedPortSaysWhatToDo(t *testing.T) {
	err := explain(netip.MustParseAddrPort("0.0.0.0:500"), os.NewSyscallError("bind", syscall.EACCES))
	want := "udp: cannot listen on 0.0.0.0 port 500: bind: permission denied; ports below 1024 need root or CAP_NET_BIND_SERVICE, or choose others with --port and --nat-port"
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Policy bypass and ESP in UDP: with root and a kernel with XFRM they are set, IKE still comes in, and
// ESP no longer does; otherwise the error says what is missing.
func TestKernelDataplaneOptions(t *testing.T) {
	for _, addr := range []netip.Addr{loopback4, loopback6} {
		s, err := Open(Config{Listen: []netip.Addr{addr}, Bypass: true, Encap: true, Now: func() int64 { return 0 }})
		if err != nil {
			if !strings.Contains(err.Error(), "--dataplane none or userspace") {
				t.Errorf("does not say what to do: %v", err)
			}
			t.Skipf("not on this host: %v", err)
		}
		in := receive(t, s)
		// Not connected: the kernel answers the ESP, for an SPI that is not there, with an ICMP error.
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: addr.AsSlice()})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, datagram := range [][]byte{message(60), {0xff}, withMarker(message(28))} {
			if _, err := conn.WriteToUDPAddrPort(datagram, s.Addrs()[1]); err != nil {
				t.Fatal(err)
			}
		}
		in.next(t)
		if got := counted(s); got["received_esp"] != 0 || got["received"] != 1 {
			t.Errorf("%v: %v", addr, got)
		}
		value := 0
		control, err := s.sockets[1].conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := control.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_ENCAP) }); err != nil {
			t.Fatal(err)
		}
		if err != nil || value != unix.UDP_ENCAP_ESPINUDP {
			t.Errorf("UDP_ENCAP is %d, %v", value, err)
		}
	}
}

// Interfaces are named in link-local addresses as the net package names them, and back.
func TestZones(t *testing.T) {
	var h hostView
	if zone := h.zone(1); zone != "lo" || h.index(zone) != 1 {
		t.Errorf("interface 1 is %q, and back %d", zone, h.index(zone))
	}
	if zone := h.zone(99999); zone != "99999" || h.index(zone) != 99999 || h.index("nosuch0") != 0 {
		t.Errorf("an interface that is not there is %q", zone)
	}
}
