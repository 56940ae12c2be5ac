package linux

import (
	"testing"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/kerneltest"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// Whatever Check lets pass has a name, and what it does not let pass has none.
func TestAlgorithmsAreThoseOfCheck(t *testing.T) {
	try := func(child kernel.Child) (passes, named bool) {
		for encr := range 72 { // octets of key that make it pass, if any do
			for _, integ := range []int{0, 16, 20, 32, 48, 64} {
				child.KeysIn = kernel.Keys{EncrKey: make([]byte, encr), IntegKey: make([]byte, integ)}
				if child.KeysOut = child.KeysIn; child.Check() == nil {
					return true, protect(&xfrm.State{}, &child, child.KeysIn) == nil
				}
			}
		}
		return false, protect(&xfrm.State{}, &child, child.KeysIn) == nil
	}
	passed := 0
	for encr := range uint16(40) {
		for _, length := range []uint16{0, 128} {
			for _, integ := range []uint16{0, 12} {
				child := kerneltest.Child(0x1001, 0x2001)
				child.Encr, child.KeyLength, child.Integ = encr, length, integ
				passes, named := try(child)
				if passes && !named {
					t.Errorf("encryption %d of %d bits has no name", encr, length)
				}
				if passes {
					passed++
				}
			}
		}
	}
	for integ := range uint16(20) {
		child := kerneltest.Child(0x1001, 0x2001)
		child.Protocol, child.Encr, child.KeyLength, child.Integ = kernel.AH, 0, 0, integ
		if passes, named := try(child); passes != named {
			t.Errorf("integrity %d: passes %v, has a name %v", integ, passes, named)
		}
	}
	if passed != len(encryptions) {
		t.Errorf("%d encryption algorithms pass, %d have names", passed, len(encryptions))
	}
}
