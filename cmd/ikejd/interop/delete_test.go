//go:build interop

package interop

import (
	"testing"
	"time"
)

// eachSide plays the scenario twice, with either end as the one that acts; kind is what that end must be, "" for any.
func eachSide(t *testing.T, s scene, kind string, scenario func(b *bed, acts *end)) {
	t.Run("left", func(t *testing.T) {
		t.Parallel()
		here := s
		here.only = func(ends pairing) bool { return kind == "" || ends.left == kind }
		play(t, here, func(b *bed) { scenario(b, b.left) })
	})
	t.Run("right", func(t *testing.T) {
		t.Parallel()
		here := s
		here.only = func(ends pairing) bool { return kind == "" || ends.right == kind }
		play(t, here, func(b *bed) { scenario(b, b.right) })
	})
}

// RFC 7296, section 1.4.1: a Delete for the IKE SA takes its children with it.
func TestDeleteIKE(t *testing.T) {
	t.Parallel()
	eachSide(t, scene{}, "", func(b *bed, acts *end) {
		b.setUp(b.left)
		b.swanctl(acts, "--terminate", "--ike", "lab")
		b.empty()
		b.saw(informational, acts, 1) // the Delete
	})
}

// A Delete for the child: the IKE SA stays, and another child is made in it (RFC 7296, section 1.3.1).
func TestDeleteChild(t *testing.T) {
	t.Parallel()
	eachSide(t, scene{}, "", func(b *bed, acts *end) {
		before := b.setUp(b.left)
		b.swanctl(acts, "--terminate", "--child", "net")
		b.agree(0)
		if err := b.left.initiate(); err != nil {
			b.t.Error(err)
		}
		if after := b.agree(1); after.spiI != before.spiI {
			b.t.Errorf("the IKE SA %s became %s", before.spiI, after.spiI)
		}
		b.swanctl(acts, "--terminate", "--ike", "lab")
	})
}

// Both ends delete the IKE SA at once (RFC 7296, section 2.25.2): each answers the other, whoever was first.
func TestDeleteBoth(t *testing.T) {
	t.Parallel()
	play(t, scene{}, func(b *bed) {
		b.setUp(b.left)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = b.right.terminate() // gone already when the other end was faster
		}()
		_ = b.left.terminate()
		<-done
		b.empty()
	})
}

// The first answer to the Delete is lost. charon has forgotten the SA by then and stays silent, so its peer gives up;
// ikejd lingers and answers the repeat with the same octets, so its peer is done.
func TestLostDeleteResponse(t *testing.T) {
	t.Parallel()
	s := scene{road: wire, lossy: []string{"-only-plan", "-plan", "b:INFORMATIONAL=drop"}, charonOptions: []string{"retransmit_tries = 3"}}
	play(t, s, func(b *bed) {
		b.setUp(b.left)
		begin := time.Now()
		_, err := swanctl(b.left.dir, "--terminate", "--ike", "lab", "--timeout", "120")
		b.empty()
		sent := 0
		for _, m := range b.tap.messages(b.t) {
			if m.exchange() == informational && m.response() {
				sent++
			}
		}
		switch b.right.kind {
		case "ikejd":
			if err != nil || sent != 2 {
				b.t.Errorf("the Delete was answered %d times, want 2, and done after %v: %v", sent, time.Since(begin), err)
			}
		case "charon":
			if sent != 1 {
				b.t.Errorf("charon answered a repeated Delete: %d responses", sent)
			}
			b.explain(b.left, "ike1", `We asked to delete it 8 times in [\d.]+s; no answer came`)
		}
	})
}
