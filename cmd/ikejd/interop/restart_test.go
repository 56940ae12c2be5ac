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
		b.explain(b.other(dies), "ike1", "ike2 came up between the same identities with INITIAL_CONTACT")
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
		b.explain(b.other(dies), "ike1", `Request \d+ \(liveness`, "had no answer")
		b.empty()
		b.setUp(b.left)
		b.swanctl(dies, "--terminate", "--ike", "lab")
	})
}

// ikejd is killed with kill -9 while something is unanswered, and starts again: it goes on where it was, with the same
// SPIs and the same octets (which settle looks at), and so does what the other end is waiting for.
func TestIkejdDiesInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		side   string // that dies
		plan   string // what the wire loses
		lost   int    // so many datagrams, then it dies
		delete bool   // left deletes; else it sets up
	}{
		"IKE_SA_INIT unanswered":      {"left", "a:IKE_SA_INIT=drop,a:IKE_SA_INIT=drop", 1, false},
		"IKE_SA_INIT response lost":   {"right", "b:IKE_SA_INIT=drop", 1, false},
		"IKE_AUTH unanswered":         {"left", "a:IKE_AUTH=drop,a:IKE_AUTH=drop", 1, false},
		"half-open":                   {"right", "a:IKE_AUTH=drop,a:IKE_AUTH=drop", 1, false},
		"IKE_AUTH response lost":      {"right", "b:IKE_AUTH=drop", 1, false},
		"Delete unanswered":           {"left", "a:INFORMATIONAL=drop,a:INFORMATIONAL=drop", 1, true},
		"Delete's response lost":      {"left", "b:INFORMATIONAL=drop", 1, true},
		"lingering":                   {"right", "b:INFORMATIONAL=drop", 1, true},
		"lingering, two answers lost": {"right", "b:INFORMATIONAL=drop,b:INFORMATIONAL=drop", 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scene{road: wire, lossy: []string{"-only-plan", "-plan", c.plan},
				only: func(ends pairing) bool {
					return c.side == "left" && ends.left == "ikejd" || c.side == "right" && ends.right == "ikejd"
				}}
			play(t, s, func(b *bed) {
				dies := b.left
				if c.side == "right" {
					dies = b.right
				}
				ask := b.left.initiate
				if c.delete {
					b.setUp(b.left)
					ask = b.left.terminate
				}
				asked := make(chan error, 1)
				go func() { asked <- ask() }()
				b.dropped(c.lost)
				dies.kill()
				if err := dies.start(); err != nil {
					b.t.Fatal(err)
				}
				if err := <-asked; err != nil && dies == b.right {
					b.t.Error(err) // nobody but who died may notice
				}
				if !c.delete {
					b.agree(1)
					if n := spisOf(b.tap.messages(b.t)); n != 1 {
						b.t.Errorf("%d IKE SAs were begun, want the one that went on", n)
					}
					b.swanctl(dies, "--terminate", "--ike", "lab")
				}
			})
		})
	}
}

// spisOf counts the initiator SPIs in a capture.
func spisOf(all []message) int {
	seen := map[uint64]bool{}
	for _, m := range all {
		seen[m.spiI()] = true
	}
	return len(seen)
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
