package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What loopback does not have, in a network namespace of the test's own: veth0, which has
// 198.51.100.1/24 and 2001:db8::1/64, with nobody at its other end.

// namespace puts the rest of a test into a new namespace and gives its veth0. What the test opens stays
// in there; what other threads look up (interfaces by number) is the host's, so only lo has its name.
func namespace(t *testing.T) (veth netlink.Link) {
	t.Helper()
	runtime.LockOSThread() // and never unlocked: the thread ends with the test, the namespace with it
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no namespace of our own, run as root: %v", err)
	}
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "veth0"}, PeerName: "veth1"}); err != nil {
		t.Skipf("no veth in this kernel: %v", err)
	}
	links := map[string]netlink.Link{}
	for _, name := range []string{"lo", "veth0", "veth1"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatal(err)
		}
		links[name] = link
	}
	for _, err := range []error{
		netlink.LinkSetUp(links["lo"]), netlink.LinkSetUp(links["veth0"]), netlink.LinkSetUp(links["veth1"]),
		addAddress(links["lo"], "fe80::1/64"),
		addAddress(links["veth0"], "198.51.100.1/24"), addAddress(links["veth0"], "2001:db8::1/64"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return links["veth0"]
}

// addAddress gives an interface an address that is good at once.
func addAddress(link netlink.Link, address string) error {
	parsed, err := netlink.ParseAddr(address)
	if err != nil {
		return err
	}
	if parsed.IP.To4() != nil {
		return netlink.AddrAdd(link, parsed)
	}
	parsed.Flags = unix.IFA_F_NODAD
	if err := netlink.AddrAdd(link, parsed); err != nil {
		return err
	}
	// The address is there at once, its route to ourselves when the kernel's worker has had its turn.
	for limit := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		routes, err := netlink.RouteGet(parsed.IP)
		if err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%s does not lead to ourselves: %v %w", address, routes, err)
		}
	}
}

// A link-local peer is one only with its zone, in both directions.
func TestLinkLocal(t *testing.T) {
	namespace(t)
	here := netip.MustParseAddr("fe80::1%lo")
	any, peer := open(t, Config{}), open(t, Config{Listen: []netip.Addr{here}})
	ours, theirs := receive(t, any), receive(t, peer)
	port, _ := any.Ports()
	from := netip.AddrPortFrom(here, port)
	any.Send([]Outgoing{{Local: from, Remote: peer.Addrs()[0], Bytes: message(28)}})
	got := theirs.next(t)
	if got.Local != peer.Addrs()[0] || got.Remote != from {
		t.Errorf("from %v to %v, want from %v to %v", got.Remote, got.Local, from, peer.Addrs()[0])
	}
	peer.Send([]Outgoing{{Local: got.Local, Remote: got.Remote, Bytes: message(28)}})
	if back := ours.next(t); back.Local != from || back.Remote != peer.Addrs()[0] {
		t.Errorf("the answer is from %v to %v", back.Remote, back.Local)
	}
}

// The host's policies block all; IKE must still get out (Config.Bypass).
func TestBypass(t *testing.T) {
	namespace(t)
	plain := open(t, Config{})
	bypassing, err := Open(Config{Bypass: true, Now: plain.config.Now})
	if err != nil {
		t.Skipf("no XFRM in this kernel: %v", err)
	}
	defer bypassing.Close()
	for _, anywhere := range []string{"0.0.0.0/0", "::/0"} {
		dst, err := netlink.ParseIPNet(anywhere)
		if err != nil {
			t.Fatal(err)
		}
		policy := &netlink.XfrmPolicy{Src: dst, Dst: dst, Dir: netlink.XFRM_DIR_OUT, Action: netlink.XFRM_POLICY_BLOCK}
		if err := netlink.XfrmPolicyAdd(policy); err != nil {
			t.Fatalf("policy for %s: %v", anywhere, err)
		}
	}
	for _, c := range []struct {
		s    *Sockets
		want map[string]uint64
	}{
		{plain, map[string]uint64{"unsent_denied": 2}},
		{bypassing, map[string]uint64{"sent": 2}},
	} {
		port, _ := c.s.Ports()
		local := netip.AddrPortFrom(netip.Addr{}, port)
		c.s.Send([]Outgoing{
			{Local: local, Remote: netip.MustParseAddrPort("198.51.100.2:500"), Bytes: message(28)},
			{Local: local, Remote: netip.MustParseAddrPort("[2001:db8::2]:500"), Bytes: message(28)},
		})
		if diff := cmp.Diff(c.want, counted(c.s)); diff != "" {
			t.Errorf("bypass %v: %s", c.s.config.Bypass, diff)
		}
	}
}

// An interface that lets one datagram a second through: Send gives up in a moment, and says so.
func TestSendNeverStandsStill(t *testing.T) {
	veth := namespace(t)
	const rate, burst = 1000, 3000 // octets a second, octets
	slow := &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: veth.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       rate, Buffer: netlink.Xmittime(rate, burst), Limit: 64 << 20,
	}
	if err := netlink.QdiscAdd(slow); errors.Is(err, unix.ENOENT) {
		t.Skip("no token bucket filter (tbf) in this kernel")
	} else if err != nil {
		t.Fatal(err)
	}
	// Without a neighbour the datagrams would wait for one, and not in the interface's queue.
	neighbour := &netlink.Neigh{LinkIndex: veth.Attrs().Index, State: netlink.NUD_PERMANENT,
		IP: net.IPv4(198, 51, 100, 2), HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 2}}
	if err := netlink.NeighAdd(neighbour); err != nil {
		t.Fatal(err)
	}
	s := open(t, Config{})
	port, _ := s.Ports()
	out := make([]Outgoing, 10*sendBatch)
	for i := range out {
		out[i] = Outgoing{Local: netip.AddrPortFrom(netip.Addr{}, port), Remote: netip.MustParseAddrPort("198.51.100.2:500"), Bytes: message(1200)}
	}
	done := make(chan struct{})
	go func() { s.Send(out); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("Send stands still")
	}
	got := counted(s)
	if got["sent"] == 0 || got["unsent_no_room"] == 0 || got["sent"]+got["unsent_no_room"] != uint64(len(out)) {
		t.Errorf("of %d: %v", len(out), got)
	}
}
