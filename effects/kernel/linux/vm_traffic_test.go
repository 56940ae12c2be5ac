//go:build vm

package linux

import (
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
	"golang.org/x/sys/unix"
)

// A Child SA carries traffic between two hosts, and counts it; in UDP too, where a NAT that chooses another port is a Mapping.
func TestTrafficFlows(t *testing.T) {
	for _, row := range []struct {
		far, wrap string
		encap     *kernel.Encap
	}{{"plain", "", nil}, {"udp", " encap espinudp 4500 4500 0.0.0.0", &kernel.Encap{LocalPort: 4500, RemotePort: 4500}}} {
		t.Run(row.far, func(t *testing.T) {
			d, far := twoHosts(t, row.far)
			child := kerneltest.Child(0x1001, 0x2001)
			child.KeysOut.EncrKey, child.Encap = slices.Repeat([]byte{0x77}, 36), row.encap
			must(t, d.Install(child))
			// The far side, by hand.
			gcm := " mode tunnel reqid 1 replay-window 32 aead rfc4106(gcm(aes)) 0x"
			back := "src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1001" + gcm + strings.Repeat("e1", 36) + " 128"
			ip(t, far+"ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x2001"+gcm+strings.Repeat("77", 36)+" 128"+row.wrap)
			ip(t, far+"ip xfrm state add "+back+row.wrap)
			ip(t, far+"ip xfrm policy add src 10.2.0.0/16 dst 10.1.0.0/16 dir out tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode tunnel")
			ip(t, far+"ip xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir in tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel")
			ip(t, far+"ping -c 3 -i 0.2 -W 5 -I 10.2.0.1 10.1.0.1")
			usage, err := d.Query(child.Key())
			must(t, err)
			if usage.PacketsIn != 3 || usage.PacketsOut != 3 || usage.BytesIn == 0 || usage.BytesOut == 0 {
				t.Errorf("carried %+v", usage)
			}
			list, err := d.List()
			if err != nil || len(list) != 1 || list[0].Usage != usage {
				t.Errorf("list has %+v, %v", list, err)
			}
			if row.encap == nil {
				return
			}
			monitor, err := xfrm.Listen()
			must(t, err)
			defer monitor.Close()
			ip(t, far+"ip xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1001")
			ip(t, far+"ip xfrm state add "+back+" replay-oseq 100 encap espinudp 40123 4500 0.0.0.0")
			ip(t, far+"ping -c 1 -W 5 -I 10.2.0.1 10.1.0.1")
			event, err := monitor.Next()
			m, ok := event.(*xfrm.Mapping)
			if err != nil || !ok || m.State.SPI != 0x1001 || m.Old != netip.MustParseAddrPort("192.0.2.2:4500") || m.New != netip.MustParseAddrPort("192.0.2.2:40123") {
				t.Errorf("mapping: %+v, %v", event, err)
			}
		})
	}
}

// twoHosts are 192.0.2.1 with 10.1.0.1 behind it, where the rest of the test runs, and 192.0.2.2 with 10.2.0.1; far begins a command there.
// Both take ESP out of UDP on port 4500.
func twoHosts(t *testing.T, name string) (d *Dataplane, far string) {
	t.Helper()
	namespace(t)
	ip(t, "netns add "+name)
	t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() })
	far = "netns exec " + name + " "
	for _, command := range []string{
		"link add veth0 type veth peer name veth1 netns " + name, "link set veth0 up", "link set lo up",
		"addr add 192.0.2.1/24 dev veth0", "addr add 10.1.0.1/32 dev lo", "route add 10.2.0.0/16 via 192.0.2.2 src 10.1.0.1",
		far + "ip link set veth1 up", far + "ip link set lo up", far + "ip addr add 192.0.2.2/24 dev veth1", far + "ip addr add 10.2.0.1/32 dev lo",
		far + "ip route add 10.1.0.0/16 via 192.0.2.1 src 10.2.0.1",
	} {
		ip(t, command)
	}
	takeOutOfUDP(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		there, err := unix.Open("/var/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(there, unix.CLONE_NEWNET)
		}
		if err != nil {
			t.Error(err)
			return
		}
		unix.Close(there)
		takeOutOfUDP(t)
	}()
	<-done
	return open(t), far
}

// takeOutOfUDP opens port 4500 as an IKE daemon does, in the thread's namespace.
func takeOutOfUDP(t *testing.T) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{Port: 4500})
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() { socket.Close() })
	raw, err := socket.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_ENCAP, unix.UDP_ENCAP_ESPINUDP); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Error(err)
	}
}
