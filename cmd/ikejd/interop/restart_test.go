//go:build interop

package interop

import (
	"testing"
	"time"
)

// charon dies without a word and starts again, knowing nothing. Its new SA carries INITIAL_CONTACT (RFC 7296, section
// 2.4), so the other end drops what it still holds of the old one.
func TestCharonDies(t *testing.T) {
	t.Parallel()
	eachSide(t, scene{}, "charon", func(b *bed, dies *end) {
		before := b.setUp(b.left)
		dies.kill()
		if err := dies.start(); err != nil {
			b.t.Fatal(err)
		}
		if after := b.setUp(dies); after.spiI == before.spiI {
			b.t.Error("the IKE SA outlived charon")
		}
		b.swanctl(dies, "--terminate", "--ike", "lab")
	})
}

// charon dies and starts again, and has nothing to say: the other end's liveness check finds nobody who knows the SA, and
// retransmission gives it up.
func TestCharonDiesUnnoticed(t *testing.T) {
	t.Parallel()
	change := func(l, r *side) { l.DPDDelay, r.DPDDelay = "1s", "1s" }
	eachSide(t, scene{change: change}, "charon", func(b *bed, dies *end) {
		b.setUp(b.left)
		dies.kill()
		if err := dies.start(); err != nil {
			b.t.Fatal(err)
		}
		b.empty()
		b.setUp(b.left)
		b.swanctl(dies, "--terminate", "--ike", "lab")
	})
}

// ikejd dies in the same way, and goes on with every SA: liveness, the child's Delete and a new child use the same IKE SA.
func TestIkejdDies(t *testing.T) {
	t.Parallel()
	change := func(l, r *side) { l.DPDDelay, r.DPDDelay = "1s", "1s" }
	eachSide(t, scene{change: change}, "ikejd", func(b *bed, dies *end) {
		before := b.setUp(b.left)
		dies.kill()
		if err := dies.start(); err != nil {
			b.t.Fatal(err)
		}
		if after := b.agree(1); after.spiI != before.spiI || after.children[0] != before.children[0] {
			b.t.Errorf("before the kill %+v, after it %+v", before, after)
		}
		seen := exchanges(b.tap.messages(b.t), informational, dies.addr) + exchanges(b.tap.messages(b.t), informational, b.other(dies).addr)
		until(b.t, 20*time.Second, "liveness checks go on", func() bool {
			all := b.tap.messages(b.t)
			return exchanges(all, informational, dies.addr)+exchanges(all, informational, b.other(dies).addr) >= seen+2
		}, b.list)
		b.swanctl(dies, "--terminate", "--child", "net")
		b.agree(0)
		b.swanctl(b.other(dies), "--terminate", "--ike", "lab")
	})
}
