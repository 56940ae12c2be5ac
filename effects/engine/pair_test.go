package engine_test

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// TestTunnel sets up an SA with its child, closes it, and finds nothing left on either side.
func TestTunnel(t *testing.T) {
	t.Parallel()
	a, b := pair(newWire(t), nil)
	up(a, b)
	for _, n := range []*node{a, b} {
		n.wait("one child", func() bool { return n.children() == 1 })
		if n.vault() != 1 {
			t.Errorf("%s has %d secrets in the vault", n.name, n.vault())
		}
	}
	a.close(8, a.sas()[0].Number, 0)
	a.must(8)
	a.wait("empty", a.are())
	b.wait("lingering", b.are(reducer.Lingering))
	for _, n := range []*node{a, b} {
		n.settle()
		n.wait("clean", func() bool { return n.children() == 0 && n.vault() == 0 }) // D-22
	}
}

// TestResponderDeletes closes the SA from the other end, and its child alone before.
func TestResponderDeletes(t *testing.T) {
	t.Parallel()
	a, b := pair(newWire(t), nil)
	up(a, b)
	b.close(1, b.sas()[0].Number, b.sas()[0].Children[0].Number)
	b.must(1)
	for _, n := range []*node{a, b} {
		n.wait("childless", func() bool { return n.children() == 0 && len(n.sas()[0].Children) == 0 })
	}
	b.close(2, b.sas()[0].Number, 0)
	b.must(2)
	a.wait("lingering", a.are(reducer.Lingering))
	b.wait("empty", b.are())
}

// TestBothDelete: C-18, both Deletes cross.
func TestBothDelete(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a, b := pair(w, nil)
	up(a, b)
	a.settle()
	b.settle()
	isDelete := func(h ike.Header) bool { return h.Exchange == ike.INFORMATIONAL && !h.Response() }
	w.setLose(func(_, _ netip.AddrPort, h ike.Header) bool { return isDelete(h) })
	a.close(1, a.sas()[0].Number, 0)
	b.close(2, b.sas()[0].Number, 0)
	a.wait("deleting", a.are(reducer.Deleting))
	b.wait("deleting", b.are(reducer.Deleting))
	w.setLose(nil)
	a.must(1)
	b.must(2)
	for _, n := range []*node{a, b} {
		n.wait("over", func() bool { p := n.phases(); return len(p) == 0 || p[0] == reducer.Lingering })
	}
}

// TestLiveness: W-24, a quiet peer is asked, and one that does not answer is given up with its children.
func TestLiveness(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a, b := pair(w, func(c *record.Config) {
		c.Connections[0].DpdDelay = 100 * millisecond
		c.Settings.RetransmitSends = 4
	})
	up(a, b)
	asked := func(h ike.Header) bool { return h.Exchange == ike.INFORMATIONAL && !h.Response() && h.MessageID >= 3 }
	a.wait("asked twice", func() bool { return w.sent(asked) > 0 })
	if len(a.phases()) != 1 {
		t.Fatal("the SA ended while the peer answered")
	}
	w.setLose(func(netip.AddrPort, netip.AddrPort, ike.Header) bool { return true })
	a.wait("given up", a.are())
	a.wait("clean", func() bool { return a.children() == 0 && a.vault() == 0 })
}

// TestWildWire sets up and closes over a wire that loses, repeats and reorders; in the end both have nothing.
func TestWildWire(t *testing.T) {
	t.Parallel()
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		w := newWire(t)
		w.wild = rand.New(rand.NewPCG(seed, 1))
		a, b := pair(w, func(c *record.Config) {
			c.Settings.LingerLeast, c.Settings.LingerMost = 300*millisecond, 300*millisecond
			c.Settings.HalfOpen, c.Settings.HalfOpenLeast = 500*millisecond, 500*millisecond
		})
		a.initiate(7, b)
		if problem := a.answered(7); problem != "" && !strings.Contains(problem, "unanswered") {
			t.Fatal(problem)
		}
		for ticket, n := range []*node{a, b} {
			for _, sa := range n.sas() {
				n.close(10+uint64(ticket), sa.Number, 0)
			}
		}
		for _, n := range []*node{a, b} {
			n.wait("empty", n.are())
			n.wait("clean", func() bool { return n.children() == 0 && n.vault() == 0 })
			n.stop()
		}
	}
}

// TestTicketOnce: a ticket is answered once, and none of a run before.
func TestTicketOnce(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	a, b := pair(w, nil)
	w.setLose(func(_, _ netip.AddrPort, h ike.Header) bool { return h.Exchange == ike.IKE_AUTH && h.Response() })
	a.initiate(7, b)
	a.wait("waiting for IKE_AUTH", func() bool { return w.sent(func(h ike.Header) bool { return h.Exchange == ike.IKE_AUTH }) > 0 })
	a.kill()
	a.start("secret")
	w.setLose(nil)
	a.wait("established", a.are(reducer.Established))
	a.wait("child", func() bool { return a.children() == 1 })
	a.settle()
	if len(a.answers) != 0 {
		t.Errorf("answered in a run that did not ask: %v", a.answers)
	}
	a.close(7, a.sas()[0].Number, 0)
	a.close(9, a.sas()[0].Number, 0)
	a.must(7)
	a.must(9)
	a.settle()
	for ticket, all := range a.answers {
		if len(all) != 1 {
			t.Errorf("ticket %d was answered %d times: %q", ticket, len(all), all)
		}
	}
}

// TestShutdown: every SA gets its Delete, and the report comes when the kernel has removed the last child.
func TestShutdown(t *testing.T) {
	t.Parallel()
	a, b := pair(newWire(t), nil)
	up(a, b)
	r := a.running()
	a.shutdown(5 * time.Second)
	a.wait("reported", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return len(a.reports) > 0 })
	if got := a.reports[0].Counts[reducer.Acknowledged]; got != 1 {
		t.Errorf("report: %+v", a.reports[0])
	}
	a.stop()
	if list, _ := r.plane.List(); len(list) != 0 {
		t.Errorf("the kernel still has %v", list)
	}
}
