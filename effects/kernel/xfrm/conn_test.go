package xfrm

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// The kernel of this machine, in a namespace of the test's own. A kernel without ESP takes policies too, so none is needed.

// host is a namespace with a connection, 192.0.2.1 and 2001:db8::1 on veth0, and routes to anywhere there: lo knows no IPsec.
func host(t *testing.T) *Conn {
	t.Helper()
	namespace(t)
	conn, err := Dial()
	if errors.Is(err, syscall.EPROTONOSUPPORT) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	for _, args := range [][]string{{"link", "add", "veth0", "type", "veth", "peer", "veth1"}, {"link", "set", "veth0", "up"}, {"link", "set", "veth1", "up"},
		{"addr", "add", "192.0.2.1/32", "dev", "veth0"}, {"route", "add", "default", "dev", "veth0"},
		{"addr", "add", "2001:db8::1/128", "dev", "veth0", "nodad"}, {"-6", "route", "add", "default", "dev", "veth0"}} {
		if output, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v: %s", args, err, output)
		}
	}
	return conn
}

// dumpPolicies gives all policies but those of sockets.
func dumpPolicies(t *testing.T, conn *Conn) (all []Policy) {
	t.Helper()
	err := conn.Dump(DumpPolicies(), func() { all = nil }, func(_ uint16, body []byte) error {
		p, err := DecodePolicy(body)
		if p.Direction <= PolicyForward {
			all = append(all, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A policy comes back as it was made, of one family or the other, and goes by its selector.
func TestPolicyInTheKernel(t *testing.T) {
	conn := host(t)
	four := protect(func(p *Policy) { p.Priority, p.Mark, p.IfID = 1000, Mark{5, 7}, 9 })
	six := protect(func(p *Policy) {
		p.Selector = Selector{Src: prefix("2001:db8:1::/48"), Dst: prefix("2001:db8:2::/64"), Protocol: unix.IPPROTO_TCP, DstPort: Ports{0x1bb, 0xffff}}
		p.Direction, p.Templates[0].Src, p.Templates[0].Dst, p.Templates[0].ReqID = PolicyForward, v6src, v6dst, 8
	})
	for _, p := range []*Policy{four, six} {
		if err := conn.Do(NewPolicy(p)); err != nil {
			t.Fatal(err)
		}
		if err := conn.Do(NewPolicy(p)); !errors.Is(err, syscall.EEXIST) {
			t.Errorf("twice: %v", err)
		}
		p.Limits.Hard.AddedFor = 3600
		if err := conn.Do(UpdatePolicy(p)); err != nil {
			t.Fatal(err)
		}
		var got Policy
		if err := conn.Ask(GetPolicy(p.ID()), func(_ uint16, body []byte) (err error) { got, err = DecodePolicy(body); return err }); err != nil {
			t.Fatal(err)
		}
		got.Usage, got.Index = Usage{}, 0
		if diff := cmp.Diff(*p, got, same); diff != "" {
			t.Errorf("(-made +got)\n%s", diff)
		}
	}
	if all := dumpPolicies(t, conn); len(all) != 2 {
		t.Errorf("%d policies: %+v", len(all), all)
	}
	for _, p := range []*Policy{four, six} {
		if err := conn.Do(DeletePolicy(p.ID())); err != nil {
			t.Error(err)
		}
		if err := conn.Do(DeletePolicy(p.ID())); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("deleted twice: %v", err)
		}
	}
	if all := dumpPolicies(t, conn); len(all) != 0 {
		t.Errorf("left: %+v", all)
	}
}

// Refusals come with an errno, and from a kernel that has words for it, with those.
func TestRefusedByTheKernel(t *testing.T) {
	conn := host(t)
	unknown := esp(func(s *State) { s.AEAD = &Algorithm{"no such algorithm", KeyOf(octets(20)), 128} })
	err := conn.Do(NewState(unknown))
	var refused *Refused
	if !errors.As(err, &refused) || refused.Errno != syscall.ENOSYS || refused.Why != "Requested AEAD algorithm not found" {
		t.Errorf("got %v", err)
	}
	for _, row := range []struct {
		message Message
		errno   syscall.Errno
	}{
		{DeleteState(unknown.ID()), syscall.ESRCH},
		{GetState(unknown.ID()), syscall.ESRCH},
		{NewPolicy(protect(func(p *Policy) { p.Direction = 9 })), syscall.EINVAL},
		{NewState(esp(func(s *State) { s.Protocol = 17 })), syscall.EINVAL},
	} {
		kind := row.message.Kind
		if err := conn.Do(row.message); !errors.Is(err, row.errno) {
			t.Errorf("%s: got %v, want %v", verb(kind), err, row.errno)
		}
	}
}

// A packet that a policy wants protected, and no state protects, is an Acquire.
func TestAcquire(t *testing.T) {
	conn := host(t)
	monitor, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		policy    *Policy
		remote    netip.AddrPort
		any, want netip.Addr
	}{
		{protect(func(p *Policy) {
			p.Selector, p.IfID = Selector{Src: prefix("192.0.2.1/32"), Dst: prefix("10.2.0.0/16")}, 0
		}), netip.MustParseAddrPort("10.2.0.9:53"), v4dst, v4src},
		{protect(func(p *Policy) {
			p.Selector = Selector{Src: prefix("2001:db8::1/128"), Dst: prefix("2001:db8:2::/48")}
			p.Templates[0].Src, p.Templates[0].Dst = v6src, v6dst
		}), netip.MustParseAddrPort("[2001:db8:2::9]:53"), v6dst, v6src},
	} {
		if err := conn.Do(NewPolicy(row.policy)); err != nil {
			t.Fatal(err)
		}
		socket, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(row.remote))
		if err == nil {
			_, err = socket.Write([]byte("hello"))
			t.Cleanup(func() { socket.Close() })
		}
		if err != nil && !errors.Is(err, syscall.EAGAIN) { // the kernel's word for "not yet"
			t.Fatal(err)
		}
		event, err := monitor.Next()
		a, ok := event.(*Acquire)
		if !ok || err != nil {
			t.Fatalf("got %+v, %v", event, err)
		}
		if a.Src != row.want || a.Dst != row.any || a.Protocol != unix.IPPROTO_ESP || a.Seq == 0 || !a.Traffic.Dst.Contains(row.remote.Addr()) ||
			a.Traffic.Protocol != unix.IPPROTO_UDP || a.Policy.Selector != row.policy.Selector {
			t.Errorf("got %+v", a)
		}
		if diff := cmp.Diff(row.policy.Templates, a.Policy.Templates, same); diff != "" {
			t.Errorf("templates (-made +got)\n%s", diff)
		}
	}
	waited := make(chan error)
	go func() {
		_, err := monitor.Next()
		waited <- err
	}()
	monitor.Close()
	if err := <-waited; !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
