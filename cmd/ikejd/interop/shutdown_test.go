//go:build interop

package interop

import (
	"testing"
)

// SIGTERM while an SA is up: ikejd deletes it, waits for the answer, and says in its report how it ended.
func TestShutdown(t *testing.T) {
	t.Parallel()
	eachSide(t, scene{}, "ikejd", func(b *bed, ends *end) {
		b.setUp(b.left)
		if err := ends.stop(); err != nil {
			b.t.Fatal(err)
		}
		b.gone(b.other(ends))
		b.saw(informational, ends, 1) // the Delete
		b.explain(ends, "ike1", `We asked to delete it \(shutdown\); the peer answered`)
		b.explain(ends, "shutdown", "1 IKE SA: 1 acknowledged")
	})
}

// SIGTERM when the peer is not there any more: the Delete goes out again and again within the budget.
func TestShutdownAlone(t *testing.T) {
	t.Parallel()
	eachSide(t, scene{}, "ikejd", func(b *bed, ends *end) {
		b.setUp(b.left)
		b.other(ends).kill()
		if err := ends.stop(); err != nil {
			b.t.Fatal(err)
		}
		b.explain(ends, "ike1", `We asked to delete it 1\d times in [\d.]+s; no answer came`)
		b.explain(ends, "shutdown", "1 IKE SA: 1 unacknowledged")
	})
}

// The peer is shut down: it deletes the SA, ikejd answers and lingers.
func TestShutdownOfPeer(t *testing.T) {
	t.Parallel()
	eachSide(t, scene{}, "charon", func(b *bed, ends *end) {
		b.setUp(b.left)
		if err := ends.stop(); err != nil {
			b.t.Fatal(err)
		}
		b.gone(b.other(ends))
		b.explain(b.other(ends), "ike1", `The peer asked to delete it \(request \d+\); we lingered 5`)
	})
}
