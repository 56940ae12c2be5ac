//go:build interop

package interop

import (
	"fmt"
	"testing"
	"time"
)

// One datagram of ten is lost, and some are repeated or overtaken: retransmission makes good for all of it.
func TestLoss(t *testing.T) {
	t.Parallel()
	for seed := 1; seed <= 3; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			s := scene{road: wire, lossy: []string{"-drop", "0.1", "-dup", "0.05", "-reorder", "0.05", "-delay", "5ms", "-seed", fmt.Sprint(seed)},
				charonOptions: []string{"retransmit_timeout = 0.3", "retransmit_base = 1.2", "retransmit_tries = 12"},
				change:        func(l, r *side) { l.DPDDelay, l.Sends, r.Sends = "1s", 12, 12 }}
			play(t, s, func(b *bed) {
				for range 3 {
					b.setUp(b.left)
					b.swanctl(b.left, "--terminate", "--child", "net")
					b.agree(0)
					begin := exchanges(b.tap.messages(b.t), informational, b.left.addr)
					until(b.t, 60*time.Second, "two liveness checks are answered", func() bool {
						return exchanges(b.tap.messages(b.t), informational, b.left.addr) >= begin+2
					}, b.list)
					// A lost response to the Delete leaves its sender without one where the peer is charon.
					if out, err := swanctl(b.left.dir, "--terminate", "--ike", "lab", "--timeout", "120"); err != nil && b.right.kind == "ikejd" {
						b.t.Errorf("%v\n%s", err, out)
					}
					b.empty()
				}
			})
		})
	}
}
