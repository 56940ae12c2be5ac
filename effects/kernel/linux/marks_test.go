package linux

import (
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

func TestReqid(t *testing.T) {
	for _, group := range []uint32{0, 1, maxGroup} {
		for _, direction := range []uint32{inbound, outbound} {
			if got, ok := isOurs(reqid(group, direction)); got != group || !ok {
				t.Errorf("group %d, direction %d: got %d, %v", group, direction, got, ok)
			}
		}
	}
	for _, other := range []uint32{0, 1, 16384, 0x1b<<24 | 5, 0x1d << 24, 1<<32 - 1} {
		if _, ok := isOurs(other); ok {
			t.Errorf("request id %d is taken for ours", other)
		}
	}
}

// both are the two states of a child in a group.
func both(c kernel.Child, group uint32) []xfrm.State {
	return []xfrm.State{*stateOf(&c, inbound, group), *stateOf(&c, outbound, group)}
}

// Pairs are found whatever SPIs the peer chose, also those that are meant to confuse.
func TestPair(t *testing.T) {
	same, other, self := kerneltest.Child(0x1001, 0x1001), kerneltest.Child(0x1002, 0x1001), kerneltest.Child(0x1003, 0x1004)
	other.Remote, self.Remote = kerneltest.Other4, self.Local
	six := kerneltest.Child(0x1001, 0x2001)
	six.Local, six.Remote = kerneltest.Local6, kerneltest.Remote6
	half, orphan := kerneltest.Child(0x1005, 0x2005), kerneltest.Child(0x1006, 0x2006)
	var all []xfrm.State
	want := map[kernel.ChildKey]uint32{}
	for i, c := range []kernel.Child{same, other, self, six} {
		all = append(all, both(c, uint32(i))...)
		want[c.Key()] = uint32(i)
	}
	strange := both(kerneltest.Child(0x1007, 0x2007), 8)
	strange[1].ReqID = reqid(9, outbound) // of another group
	all = append(all, both(half, 6)[0], both(orphan, 7)[1], strange[0], strange[1])
	whole, halves := pair(all)
	for _, f := range whole {
		if group, ok := want[f.key]; !ok || group != f.group {
			t.Errorf("found %v in group %d", f.key, f.group)
		}
		delete(want, f.key)
	}
	if len(want) != 0 {
		t.Errorf("not found: %v", want)
	}
	spis := map[uint32]bool{}
	for _, s := range halves {
		spis[s.SPI] = true
	}
	if len(halves) != 4 || !spis[0x1005] || !spis[0x2006] || !spis[0x1007] || !spis[0x2007] {
		t.Errorf("halves: %v", spis)
	}
}
