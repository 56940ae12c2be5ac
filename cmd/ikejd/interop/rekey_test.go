//go:build interop

package interop

import (
	"fmt"
	"testing"
	"time"
)

// RFC 7296, section 1.3.3: the child is replaced, its IKE SA stays; with a key exchange of the child's own and without.
func TestRekeyChild(t *testing.T) {
	t.Parallel()
	for _, esp := range []string{"aes256gcm16", "aes256gcm16-ecp256", "aes128-sha256-x25519"} {
		t.Run(esp, func(t *testing.T) {
			t.Parallel()
			s := scene{change: func(l, r *side) { l.ESP, r.ESP = esp, esp }}
			eachSide(t, s, "", func(b *bed, acts *end) {
				before := b.setUp(b.left)
				for range 2 {
					was := before.children[0].in
					b.swanctl(acts, "--rekey", "--child", "net")
					before = b.replaced(before, func(now ikeSA) bool { return now.spiI == before.spiI && now.children[0].in != was })
				}
				b.swanctl(acts, "--terminate", "--ike", "lab")
				b.empty()
			})
		})
	}
}

// RFC 7296, section 1.3.2: the IKE SA is replaced, its child stays as it is; liveness and Delete go on with the new one.
func TestRekeyIKE(t *testing.T) {
	t.Parallel()
	eachSide(t, scene{}, "", func(b *bed, acts *end) {
		before := b.setUp(b.left)
		for range 2 {
			child := before.children[0].in
			b.swanctl(acts, "--rekey", "--ike", "lab")
			before = b.replaced(before, func(now ikeSA) bool { return now.spiI != before.spiI && now.children[0].in == child })
		}
		b.swanctl(b.other(acts), "--rekey", "--child", "net")
		before = b.replaced(before, func(now ikeSA) bool { return now.children[0].in != before.children[0].in })
		b.swanctl(b.other(acts), "--terminate", "--ike", "lab")
		b.empty()
	})
}

// replaced waits until both ends agree on one IKE SA with one child that is what it should have become.
func (b *bed) replaced(before ikeSA, is func(now ikeSA) bool) (now ikeSA) {
	b.t.Helper()
	until(b.t, 60*time.Second, "what is rekeyed is replaced at both ends", func() bool {
		left, right := b.sas(b.left), b.sas(b.right)
		if len(left) != 1 || len(right) != 1 || !mirror(left[0], right[0]) || len(left[0].children) != 1 {
			return false
		}
		now = left[0]
		return is(now)
	}, b.list)
	return now
}

// Both ends rekey the same thing at once, again and again: whoever wins, one is left, the same at both ends (sections 2.8.1, 2.8.2).
func TestRekeyBoth(t *testing.T) {
	t.Parallel()
	for _, what := range [][]string{{"--child", "net"}, {"--ike", "lab"}} {
		t.Run(what[1], func(t *testing.T) {
			t.Parallel()
			s := scene{road: wire, lossy: []string{"-delay", "30ms"}} // so that the requests cross
			play(t, s, func(b *bed) {
				before := b.setUp(b.left)
				for range 3 {
					done := make(chan struct{})
					go func() {
						defer close(done)
						_, _ = swanctl(b.right.dir, append([]string{"--rekey"}, what...)...) // its SA may be the other's new one already
					}()
					b.swanctl(b.left, append([]string{"--rekey"}, what...)...)
					<-done
					was := before
					before = b.replaced(before, func(now ikeSA) bool {
						return now.spiI != was.spiI || now.children[0].in != was.children[0].in
					})
				}
				b.swanctl(b.left, "--terminate", "--ike", "lab")
				b.empty()
			})
		})
	}
}

// Rekeying while one datagram of ten is lost, and some are repeated or overtaken.
func TestRekeyLoss(t *testing.T) {
	t.Parallel()
	for seed := 1; seed <= 2; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			s := scene{road: wire, lossy: []string{"-drop", "0.1", "-dup", "0.05", "-reorder", "0.05", "-delay", "5ms", "-seed", fmt.Sprint(seed)},
				charonOptions: []string{"retransmit_timeout = 0.3", "retransmit_base = 1.2", "retransmit_tries = 12"},
				change:        func(l, r *side) { l.Sends, r.Sends = 12, 12 }}
			play(t, s, func(b *bed) {
				before := b.setUp(b.left)
				for _, what := range [][]string{{"--child", "net"}, {"--ike", "lab"}, {"--child", "net"}} {
					b.swanctl(b.left, append([]string{"--rekey"}, what...)...)
					was := before
					before = b.replaced(before, func(now ikeSA) bool {
						return now.spiI != was.spiI || now.children[0].in != was.children[0].in
					})
				}
				if out, err := swanctl(b.left.dir, "--terminate", "--ike", "lab", "--timeout", "120"); err != nil && b.right.kind == "ikejd" {
					b.t.Errorf("%v\n%s", err, out) // charon does not answer a repeated Delete
				}
				b.empty()
			})
		})
	}
}
