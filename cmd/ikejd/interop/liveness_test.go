//go:build interop

package interop

import (
	"testing"
	"time"
)

// Liveness checks (RFC 7296, section 2.4) are empty INFORMATIONAL exchanges, here every second from one end or from both.
func TestLiveness(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]struct{ left, right bool }{
		"left": {left: true}, "right": {right: true}, "both": {left: true, right: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change := func(l, r *side) {
				if who.left {
					l.DPDDelay = "1s"
				}
				if who.right {
					r.DPDDelay = "1s"
				}
			}
			play(t, scene{change: change}, func(b *bed) {
				before := b.setUp(b.left)
				checks := func() (left, right int) {
					all := b.tap.messages(b.t)
					return exchanges(all, informational, b.left.addr), exchanges(all, informational, b.right.addr)
				}
				until(b.t, 20*time.Second, "three liveness checks are answered", func() bool {
					// Of two that check, one may hear from the other so often that it never has to ask itself.
					left, right := checks()
					return left+right >= 3
				}, b.list)
				if left, right := checks(); !who.left && left > 0 || !who.right && right > 0 {
					b.t.Errorf("%d checks by left, %d by right, which nobody asked for", left, right)
				}
				if after := b.agree(1); after.spiI != before.spiI {
					b.t.Errorf("the IKE SA %s became %s", before.spiI, after.spiI)
				}
				b.swanctl(b.left, "--terminate", "--ike", "lab")
			})
		})
	}
}
