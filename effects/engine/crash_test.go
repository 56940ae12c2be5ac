package engine_test

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// TestKilledAnywhere kills nodes at random moments of setting up, asking and closing. Whatever they were at, it goes on in
// the next run: the SA comes up, and once it was closed nothing is left on either side. The wire sees no IV twice.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	rounds := uint64(12)
	if testing.Short() {
		rounds = 2
	}
	for seed := range rounds {
		chance := rand.New(rand.NewPCG(seed, 2))
		w := newWire(t)
		if seed%2 == 1 {
			w.wild = rand.New(rand.NewPCG(seed, 3))
		}
		a, b := pair(w, func(c *record.Config) {
			c.Settings.LingerLeast, c.Settings.LingerMost = 400*millisecond, 400*millisecond
			c.Settings.HalfOpen, c.Settings.HalfOpenLeast = 2000*millisecond, 2000*millisecond
			c.Settings.RetransmitSends = 12 // whose peer has lingered in vain for the lost answers to it gives up in some seconds
			c.Connections[0].DpdDelay = 20 * millisecond
		})
		crash := func() {
			for range 1 + chance.IntN(3) {
				n := []*node{a, b}[chance.IntN(2)]
				time.Sleep(time.Duration(chance.IntN(12)) * time.Millisecond)
				n.kill()
				n.start("secret")
			}
		}
		a.initiate(7, b)
		crash()
		// The order to initiate may have died with the run before it was durable.
		if len(a.phases()) == 0 {
			a.initiate(8, b)
		}
		a.wait("established", a.are(reducer.Established))
		b.wait("established", func() bool { p := b.phases(); return len(p) > 0 && p[len(p)-1] == reducer.Established })
		a.wait("child", func() bool { return a.children() == 1 })
		crash()
		for _, n := range []*node{a, b} {
			for _, sa := range n.sas() {
				n.close(0, sa.Number, 0)
			}
		}
		crash()
		for _, n := range []*node{a, b} { // nor may a close have been durable
			for _, sa := range n.sas() {
				n.close(0, sa.Number, 0)
			}
		}
		for _, n := range []*node{a, b} {
			n.wait("empty", n.are())
			n.wait("clean", func() bool { return n.children() == 0 && n.vault() == 0 })
			n.stop()
		}
	}
}

// killedAt brings a pair to where a has sent what is, and nothing of b reaches it; then a is killed and started again.
func killedAt(t *testing.T, is func(ike.Header) bool, change func(*record.Config), bring func(a, b *node)) (w *wire, a, b *node) {
	w = newWire(t)
	a, b = pair(w, change)
	bring(a, b)
	a.wait("sent", func() bool { return w.sent(is) > 0 })
	a.settle()
	a.kill()
	a.start("secret")
	return w, a, b
}

func only(x ike.ExchangeType, response bool) func(ike.Header) bool {
	return func(h ike.Header) bool { return h.Exchange == x && h.Response() == response }
}

func lost(is func(ike.Header) bool) func(netip.AddrPort, netip.AddrPort, ike.Header) bool {
	return func(_, _ netip.AddrPort, h ike.Header) bool { return is(h) }
}

// TestDeletingResumes: D-30, the recorded Delete is sent on, and its count goes on.
func TestDeletingResumes(t *testing.T) {
	t.Parallel()
	isDelete := only(ike.INFORMATIONAL, false)
	slow := func(c *record.Config) {
		c.Settings.RetransmitFirst, c.Settings.RetransmitLeast, c.Settings.RetransmitMost = 60_000*millisecond, 60_000*millisecond, 60_000*millisecond
	}
	w, a, b := killedAt(t, isDelete, slow, func(a, b *node) {
		up(a, b)
		a.wire.setLose(lost(isDelete))
		a.close(1, a.sas()[0].Number, 0)
		a.wait("deleting", a.are(reducer.Deleting))
	})
	a.wait("sent again", func() bool { return w.sent(isDelete) == 2 }) // the wire has compared the bytes
	open := a.sas()[0].Window.InFlight
	if a.phases()[0] != reducer.Deleting || len(open) != 1 || open[0].Sends != 2 {
		t.Fatalf("%v, in flight %+v", a.phases(), open)
	}
	w.setLose(nil)
	a.kill()
	a.start("secret")
	a.wait("empty", a.are())
	b.wait("lingering", b.are(reducer.Lingering))
	a.wait("clean", func() bool { return a.children() == 0 && a.vault() == 0 })
}

// TestLingeringResumes: D-30, its time goes on, and it answers a repeat with the recorded bytes without having a key.
func TestLingeringResumes(t *testing.T) {
	t.Parallel()
	answer := func(h ike.Header) bool { return h.Exchange == ike.INFORMATIONAL && h.Response() }
	w, b, a := killedAtPeer(t, answer, func(a, b *node) {
		up(a, b)
		a.wire.setLose(lost(answer))
		a.close(1, a.sas()[0].Number, 0)
		b.wait("lingering", b.are(reducer.Lingering))
	})
	if sa := b.sas()[0]; sa.Phase != reducer.Lingering || sa.KeyRef != 0 || b.vault() != 0 {
		t.Fatalf("%v with key %d, %d in the vault", sa.Phase, sa.KeyRef, b.vault())
	}
	w.setLose(nil)
	a.must(1) // by the next repeat of its Delete
	b.wait("over", b.are())
}

// killedAtPeer is killedAt with the ends exchanged.
func killedAtPeer(t *testing.T, is func(ike.Header) bool, bring func(a, b *node)) (w *wire, b, a *node) {
	w, b, a = killedAt(t, is, func(c *record.Config) {
		c.Settings.LingerLeast, c.Settings.LingerMost = 1500*millisecond, 1500*millisecond
	}, func(b, a *node) {
		a.config.Connections[0].RemoteId, b.config.Connections[0].RemoteId = fqdn(b.name), fqdn(a.name)
		bring(a, b)
	})
	return w, b, a
}

// TestHalfOpenResumes: a responder that died after its IKE_SA_INIT response takes the IKE_AUTH for it.
func TestHalfOpenResumes(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a, b := pair(w, nil)
	w.setLose(lost(only(ike.IKE_AUTH, false)))
	a.initiate(7, b)
	b.wait("half-open", b.are(reducer.HalfOpen))
	a.wait("in IKE_AUTH", func() bool { return w.sent(only(ike.IKE_AUTH, false)) > 0 })
	number := b.sas()[0].Number
	b.kill()
	b.start("secret")
	w.setLose(nil)
	a.must(7)
	b.wait("established", b.are(reducer.Established))
	if b.sas()[0].Number != number {
		t.Error("it is another SA")
	}
	for _, n := range []*node{a, b} {
		n.wait("child", func() bool { return n.children() == 1 })
	}
}

// TestInitiatorResumes: an initiator that died at each stage of the set-up comes up in its next run.
func TestInitiatorResumes(t *testing.T) {
	t.Parallel()
	for _, x := range []ike.ExchangeType{ike.IKE_SA_INIT, ike.IKE_AUTH} {
		for _, response := range []bool{false, true} {
			w := newWire(t)
			a, b := pair(w, nil)
			w.setLose(lost(only(x, response)))
			a.initiate(7, b)
			a.wait("waiting", func() bool { return w.sent(only(x, response)) > 0 })
			a.kill()
			a.start("secret")
			w.setLose(nil)
			a.wait("established", a.are(reducer.Established))
			a.wait("child", func() bool { return a.children() == 1 })
			a.stop()
			b.stop()
		}
	}
}

// TestWithoutKeys: an SA whose vault entry cannot be opened ends as not recovered, and the others go on.
func TestWithoutKeys(t *testing.T) {
	t.Parallel()
	a, b := pair(newWire(t), nil)
	up(a, b)
	a.settle()
	a.kill()
	epochs := filepath.Join(a.dir, "epochs")
	if err := os.RemoveAll(epochs); err != nil {
		t.Fatal(err)
	}
	a.start("secret")
	a.wait("empty", a.are())
	a.settle()
	a.wait("clean", func() bool { return a.children() == 0 && a.vault() == 0 })
	if ends := endings(t, a.running().journal); len(ends) != 1 || ends[0] != record.Cause_CAUSE_NOT_RECOVERED {
		t.Errorf("ended as %v", ends)
	}
}

// endings are the causes of the SAs that were discarded, in order.
func endings(t *testing.T, j *journal.Journal) []record.Cause {
	var all []record.Cause
	for _, r := range records(t, j) {
		for _, e := range r.GetEffects() {
			if d := e.GetDiscarded(); d != nil {
				all = append(all, d.GetCause())
			}
		}
	}
	return all
}

// TestRollsAndRecovers runs with segments that are full at once: recovery is from a snapshot and the records after it, and
// what windows may send again is in it.
func TestRollsAndRecovers(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a, b := newNode(t, w, "a.example", "192.0.2.1:500"), newNode(t, w, "b.example", "192.0.2.2:500")
	busy := func(c *record.Config) { c.Connections[0].DpdDelay = 10 * millisecond }
	a.connect(b, busy)
	b.connect(a, busy)
	a.segment, b.segment = 1, 1
	a.start("secret")
	b.start("secret")
	up(a, b)
	segments := func(n *node) int {
		all, err := n.running().journal.Segments()
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	for range 3 {
		for _, n := range []*node{a, b} {
			before := segments(n)
			n.wait("rolled", func() bool { return segments(n) > before+3 })
			n.kill()
			n.start("secret")
			n.wait("established", n.are(reducer.Established))
		}
	}
	// A recorded response outlives the roll: b answers a's repeated Delete out of its snapshot.
	lingers := b.are(reducer.Lingering)
	w.setLose(func(from, _ netip.AddrPort, _ ike.Header) bool { return from == b.address && lingers() })
	a.close(5, a.sas()[0].Number, 0)
	b.wait("lingering", b.are(reducer.Lingering))
	before := segments(b)
	for ticket := uint64(100); segments(b) == before; ticket++ {
		b.close(ticket, 1<<60, 0)
		b.answered(ticket)
	}
	b.kill()
	b.start("secret")
	w.setLose(nil)
	a.must(5)
}
