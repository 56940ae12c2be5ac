package simulate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
)

// Options are how a seed is played.
type Options struct {
	Nodes  int           // at least 2
	For    time.Duration // how long the faults last
	Faults Choice
	Dir    string // where journals on a real disk may lie; empty: all are in memory

	only    map[string]bool                    // what alone may happen, by name; nil: everything
	objects func(*Node, *record.Record) string // a rule for tests: what is wrong with a record; empty: nothing
}

// How long a healed network may take: a request that was just sent is given up after 515 s at most (PROTOCOL.md, W-15),
// and whoever is wrong about the other notices by a liveness check, whose own request may have to be given up as well.
const (
	patience = 45 * time.Minute
	lookAt   = 5 * time.Second
)

// Seed plays one seed: faults for so long, then the network heals and both ends must agree, then all is closed and
// nothing may be left. The World has the journals; the Failure is nil where nothing was wrong.
func Seed(seed uint64, o Options) (*World, *Failure) {
	w := newWorld(seed, o.Faults.of(seed), o.Nodes)
	w.Tally.Seeds, w.only = 1, o.only
	if o.objects != nil {
		w.watch = func(n *Node, r *record.Record) {
			if what := o.objects(n, r); what != "" {
				w.fail("TEST-01", n, "%s", what)
			}
		}
	}
	w.configure()
	w.disks(o.Dir)
	for _, n := range w.Nodes {
		n.start()
	}
	w.operate()
	w.disturb()
	if w.run(begin+int64(o.For), nil) {
		w.heal()
		if w.agreed() {
			w.closeAll()
			if w.until(patience, "SHU-08", w.leftover) {
				w.finish()
			}
		}
	}
	w.close()
	return w, w.wrong
}

// until lets time pass until nothing is wrong any more, or says under that rule what still is.
func (w *World) until(wait time.Duration, rule string, problem func() (*Node, string)) bool {
	for end := w.now + int64(wait); w.now < end; {
		if !w.run(w.now+int64(lookAt), nil) {
			return false
		}
		if _, what := problem(); what == "" {
			return true
		}
	}
	n, what := problem()
	w.fail(rule, n, "%s, %v after the network healed", what, wait)
	return false
}

// operate has operators at work: each minute some SAs are wanted and some are not wanted any more.
func (w *World) operate() {
	for _, n := range w.Nodes {
		w.operator(n)
	}
}

func (w *World) operator(n *Node) {
	w.every("order", n.Name, 3, func(k uint64) {
		if r, asked := w.happens("order", n.Name, k, 1); asked {
			w.order(n, r)
		}
	})
}

// every has a thing happen so many times a minute, by chance, until the world heals: it is told which time it is.
func (w *World) every(kind, who string, aMinute float64, do func(k uint64)) {
	var next func(k uint64)
	next = func(k uint64) {
		wait := w.drawn("when "+kind, who, k).ExpFloat64() / aMinute
		w.after(time.Duration(wait*float64(time.Minute)), func() {
			if !w.healed {
				do(k)
				next(k + 1)
			}
		})
	}
	next(0)
}

func (w *World) order(n *Node, r *rand.Rand) {
	sas := living(n.state())
	order := func(what string, sa *reducer.IKESA) {
		w.Tally.met(metOrder, what)
		if sa != nil {
			what += fmt.Sprintf(" (ike%d)", sa.Number)
		}
		w.said("%s", what)
	}
	ofSome := func(what string, child bool, do func(sa, child uint64)) {
		sa := sas[r.IntN(len(sas))]
		order(what, sa)
		switch {
		case !child:
			do(sa.Number, 0)
		case len(sa.Children) > 0:
			do(sa.Number, sa.Children[0].Number)
		}
	}
	switch k := r.IntN(14); {
	case k < 5 || len(sas) == 0:
		list := n.config.GetConnections()
		connection := list[r.IntN(len(list))].GetName()
		order("initiate", nil)
		n.initiate(connection)
	case k < 8:
		ofSome("terminate ike", false, n.terminate)
	case k < 9:
		ofSome("terminate child", true, n.terminate)
	case k < 11:
		ofSome("rekey ike", false, n.rekey)
	case k < 13:
		ofSome("rekey child", true, n.rekey)
	default:
		order("reload", nil)
		n.reload()
	}
}

// living are the SAs of a State that an operator sees.
func living(s reducer.State) []*reducer.IKESA {
	var all []*reducer.IKESA
	s.EachSA(0, func(sa *reducer.IKESA) bool {
		all = append(all, sa)
		return true
	})
	return all
}

// disturb has the faults happen that are no datagram's and no completion's.
func (w *World) disturb() {
	for i, n := range w.Nodes {
		if w.faults.Kill > 0 {
			w.killer(n)
		}
		if w.faults.Restart > 0 {
			w.restarter(n)
		}
		if w.faults.Split > 0 {
			for _, other := range w.Nodes[i+1:] {
				w.splitter(n, other)
			}
		}
	}
}

func (w *World) killer(n *Node) {
	w.every("kill", n.Name, w.faults.Kill, func(k uint64) {
		r, killed := w.happens("kill", n.Name, k, 1)
		switch {
		case !killed:
		case maybe(r, 0.3):
			w.said("it dies")
			n.die(anywhere, maybe(r, 0.5))
		case n.up():
			n.plan(r)
			w.said("it dies at its next commit, %v", n.death.how)
		}
	})
}

func (w *World) restarter(n *Node) {
	w.every("restart", n.Name, w.faults.Restart, func(k uint64) {
		r, asked := w.happens("restart", n.Name, k, 1)
		if !asked {
			return
		}
		order, keep := "shutdown", maybe(r, 0.25)
		if keep {
			order = "shutdown --keep-sas"
		}
		budget := []time.Duration{2 * time.Second, 8 * time.Second, 30 * time.Second, time.Minute}[r.IntN(4)]
		w.said("%s, budget %v", order, budget)
		w.Tally.met(metOrder, order)
		n.shutdown(budget, keep)
	})
}

// splitter has two nodes not hear each other: shorter or longer than a request is repeated.
func (w *World) splitter(a, b *Node) {
	var next func(k uint64)
	next = func(k uint64) {
		r := w.drawn("when split", a.Name+b.Name, k)
		long := between(r, time.Second, 40*time.Second)
		if maybe(r, 0.1) {
			long = between(r, time.Minute, 10*time.Minute)
		}
		pause := time.Duration(float64(long) * (1 - w.faults.Split) / w.faults.Split)
		w.after(between(r, 0, 2*pause), func() {
			if w.healed {
				return
			}
			if _, apart := w.happens("split", a.Name+b.Name, k, 1); apart {
				w.said("they do not hear each other for %v", long.Round(time.Millisecond))
				w.network.splits = append(w.network.splits, split{a, b, w.now, w.now + int64(long)})
			}
			w.after(long, func() { next(k + 1) })
		})
	}
	next(0)
}

// heal ends all faults and the operators' work. Who is down comes back by itself.
func (w *World) heal() {
	w.healed = true
	w.faults = Faults{}
	w.network.splits = nil
	for _, n := range w.Nodes {
		n.death = death{}
	}
}

// finish looks at what is whole only at the end: the reports of shutdowns, the operators' tickets, the audit; and some
// journals are replayed: the reducer must decide everything again as it did.
func (w *World) finish() {
	for _, n := range w.Nodes {
		w.checkTickets(n)
		w.judgeEnd(n)
		if w.Seed%8 == 0 {
			w.replay(n)
		}
	}
}

func (w *World) replay(n *Node) {
	n.keep = n.entries()
	result, err := replay.Verify(context.Background(), n.Source(), replay.Options{})
	if err != nil {
		w.fail("JRN-07", n, "the journal cannot be replayed: %v", err)
	} else if len(result.Divergences) > 0 {
		w.fail("JRN-07", n, "the journal replays differently: %+v", result.Divergences[0])
	}
}

// checkTickets: whoever waits is answered once, at most, and in the life that still runs at least.
func (w *World) checkTickets(n *Node) {
	for ticket := uint64(1); ticket <= n.tickets; ticket++ {
		switch answers := n.answers[ticket]; {
		case len(answers) > 1:
			w.fail("SHU-05", n, "order %d was answered %d times: %q", ticket, len(answers), answers)
		case len(answers) == 0 && n.up() && n.asked[ticket] == n.lives:
			w.fail("SHU-05", n, "order %d was never answered", ticket)
		}
	}
}

func (w *World) judgeEnd(n *Node) {
	n.judge(n.auditor.End().Last)
}

// Names are the nodes that have a journal.
func (w *World) Names() []string {
	var names []string
	for _, n := range w.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// closeAll closes every SA, by one end or the other, by orders or by a shutdown of a node.
func (w *World) closeAll() {
	if maybe(w.chance, 0.3) {
		n := w.Nodes[w.chance.IntN(len(w.Nodes))]
		n.back = time.Second
		n.shutdown(30*time.Second, false)
	}
	for _, n := range w.Nodes {
		for _, sa := range living(n.state()) {
			if sa.Phase == reducer.Established && maybe(w.chance, 0.7) {
				n.terminate(sa.Number, 0)
			}
		}
	}
	w.after(10*time.Second, func() { // and what was left to chance
		for _, n := range w.Nodes {
			for _, sa := range living(n.state()) {
				if sa.Phase == reducer.Established {
					n.terminate(sa.Number, 0)
				}
			}
		}
	})
}

// disks gives one node in many a journal on a real disk.
func (w *World) disks(dir string) {
	if dir == "" || w.Seed%64 != 0 {
		return
	}
	for _, n := range w.Nodes {
		d, err := openFiles(fmt.Sprintf("%s/%d-%s", dir, w.Seed, n.Name), 1<<20)
		if err != nil {
			w.fail("JRN-01", n, "no journal: %v", err)
			return
		}
		n.disk = d
	}
}

func (w *World) close() {
	for _, n := range w.Nodes {
		n.keep = slices.Clip(n.entries())
		if err := n.disk.close(); err != nil {
			w.fail("JRN-01", n, "the journal cannot be closed: %v", err)
		}
	}
}
