package kernel_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
)

// random gives what the test draws, one SPI's worth.
type random struct{ next []byte }

func (r *random) Read(p []byte) (int, error) { return copy(p, r.next), nil }

// naive is a kernel as two lists that are searched from one end to the other.
type naive struct {
	children []kernel.ChildKey
	reserved []kernel.ChildKey // OutboundSPI 0
}

// inbound says whether an SPI comes in anywhere.
func (n *naive) inbound(spi uint32) bool {
	has := func(k kernel.ChildKey) bool { return k.InboundSPI == spi }
	return slices.ContainsFunc(n.children, has) || slices.ContainsFunc(n.reserved, has)
}

// taken says whether there is a state to dst with an SPI, reservations aside unless asked for.
func (n *naive) taken(dst netip.Addr, spi uint32, reservations bool) bool {
	for _, k := range n.children {
		if k.Local == dst && k.InboundSPI == spi || k.Remote == dst && k.OutboundSPI == spi {
			return true
		}
	}
	return reservations && slices.ContainsFunc(n.reserved, func(k kernel.ChildKey) bool { return k.Local == dst && k.InboundSPI == spi })
}

// Three addresses, each of which may be us or the peer or both, and few SPIs, so that all meet.
func TestModelAgainstNaive(t *testing.T) {
	addrs := rapid.SampledFrom([]netip.Addr{kerneltest.Local4, kerneltest.Remote4, kerneltest.Other4})
	spis := rapid.Uint32Range(0x100, 0x108)
	rapid.Check(t, func(t *rapid.T) {
		source, n := &random{}, &naive{}
		m := kernel.NewModel(kernel.ModelConfig{Random: source})
		drawKey := func(t *rapid.T) kernel.ChildKey {
			return kernel.ChildKey{Protocol: kernel.ESP, Local: addrs.Draw(t, "local"), Remote: addrs.Draw(t, "remote"),
				InboundSPI: spis.Draw(t, "in"), OutboundSPI: spis.Draw(t, "out")}
		}
		want := func(t *rapid.T, err error, errno syscall.Errno) {
			if errno == 0 && err != nil || errno != 0 && !errors.Is(err, errno) {
				t.Fatalf("got %v, want %v", err, errno)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"install": func(t *rapid.T) {
				k := drawKey(t)
				child := kerneltest.Child(k.InboundSPI, k.OutboundSPI)
				child.Local, child.Remote = k.Local, k.Remote
				itself := k.Local == k.Remote && k.InboundSPI == k.OutboundSPI
				if itself || n.taken(k.Local, k.InboundSPI, false) || n.taken(k.Remote, k.OutboundSPI, true) {
					want(t, m.Install(child), syscall.EEXIST)
					return
				}
				want(t, m.Install(child), 0)
				n.children = append(n.children, k)
				n.reserved = slices.DeleteFunc(n.reserved, func(r kernel.ChildKey) bool {
					return r.Local == k.Local && r.InboundSPI == k.InboundSPI
				})
			},
			"remove": func(t *rapid.T) {
				k := drawKey(t)
				if len(n.children) > 0 && rapid.Bool().Draw(t, "one that is there") {
					k = rapid.SampledFrom(n.children).Draw(t, "which")
				}
				if i := slices.Index(n.children, k); i >= 0 {
					want(t, m.Remove(k), 0)
					n.children = slices.Delete(n.children, i, i+1)
					return
				}
				want(t, m.Remove(k), syscall.ESRCH)
			},
			"remove a reservation": func(t *rapid.T) {
				k := drawKey(t)
				k.OutboundSPI = 0
				i := slices.IndexFunc(n.reserved, func(r kernel.ChildKey) bool { return r.Local == k.Local && r.InboundSPI == k.InboundSPI })
				if i < 0 {
					want(t, m.Remove(k), syscall.ESRCH)
					return
				}
				want(t, m.Remove(k), 0)
				n.reserved = slices.Delete(n.reserved, i, i+1)
			},
			"allocate": func(t *rapid.T) {
				k := drawKey(t)
				k.OutboundSPI = 0
				source.next = binary.BigEndian.AppendUint32(nil, rapid.Uint32().Draw(t, "random"))
				spi, err := m.AllocateSPI(t.Context(), kernel.AllocateRequest{
					Protocol: k.Protocol, Local: k.Local, Remote: k.Remote, Min: 0x100, Max: 0x108,
				})
				free := 0
				for candidate := uint32(0x100); candidate <= 0x108; candidate++ {
					if !n.inbound(candidate) && !n.taken(k.Local, candidate, true) {
						free++
					}
				}
				if free == 0 {
					want(t, err, syscall.ENOSPC)
					return
				}
				want(t, err, 0)
				if spi < 0x100 || spi > 0x108 || n.inbound(spi) || n.taken(k.Local, spi, true) {
					t.Fatalf("SPI 0x%x was not free", spi)
				}
				k.InboundSPI = spi
				n.reserved = append(n.reserved, k)
			},
			"": func(t *rapid.T) {
				list, err := m.List()
				want(t, err, 0)
				got := make([]kernel.ChildKey, len(list))
				for i := range list {
					got[i] = list[i].Key
					_, err := m.Query(got[i])
					want(t, err, 0)
				}
				expected := slices.SortedFunc(slices.Values(n.children), kernel.ChildKey.Compare)
				if !slices.Equal(got, expected) {
					t.Fatalf("installed %v, want %v", got, expected)
				}
			},
		})
	})
}
