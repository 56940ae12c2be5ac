package simulate

import (
	"context"
	"errors"
	"time"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/engine/model"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// life is one life of a node's daemon: it drives the engine's loop, and is its outside.
type life struct {
	n      *Node
	d      *model.Daemon
	number int
	over   bool // dead, or ended in order

	poked   bool  // a step is due at this moment
	wakeAt  int64 // when it looks at its timers next; 0: never
	cutAt   int64 // when the batch is handed to the disk; 0: no time is set
	busy    *engine.Batch
	closing bool // the shutdown is over: what is left is to be written and carried out
	sends   int  // datagrams that may still leave before it dies; -1: no such death

	kernel []func(context.Context)
}

// How long things take that nothing holds up.
const (
	lazy  = 200 * time.Millisecond // what nothing visible waits for
	grace = 2 * time.Second        // at the end of a life, for what the kernel owes

	// inHaste is how slow anything is during a shutdown: what the budget allows beyond its end is not the outside's to spend.
	inHaste = 200 * time.Millisecond
)

// poke has the life look at what has come, after all that happens at this moment.
func (l *life) poke() {
	if l.over || l.poked {
		return
	}
	l.poked = true
	l.n.w.at(l.n.w.now, func() {
		l.poked = false
		l.step()
	})
}

// step reduces what has come, and sets the times of the next commit and the next look at the timers.
func (l *life) step() {
	if l.over {
		return
	}
	for l.d.Feed(!l.closing) {
	}
	if l.closing && l.busy == nil {
		settled := l.d.Settled()
		if records, _ := l.d.Pending(); settled && records == 0 {
			l.end()
			return
		}
		if l.d.Waiting() {
			l.poke()
		}
	}
	l.planCommit()
	l.planWake()
}

func (l *life) planWake() {
	deadline, ok := l.d.NextTimer()
	if !ok || l.closing {
		return
	}
	w := l.n.w
	if deadline > w.now {
		if r, late := l.n.outside("late", w.faults.Late); late {
			wait := between(r, 0, l.atMost(3*time.Second))
			deadline += int64(wait)
			w.said("a timer is noticed %v late", wait.Round(time.Millisecond))
			w.Tally.met(metFault, "late timer")
		}
	}
	if l.wakeAt != 0 && l.wakeAt <= deadline && l.wakeAt > w.now {
		return
	}
	when := max(deadline, w.now+1)
	l.wakeAt = when
	w.at(when, func() {
		if l.wakeAt == when {
			l.wakeAt = 0
			l.step()
		}
	})
}

func (l *life) planCommit() {
	records, urgent := l.d.Pending()
	if records == 0 || l.busy != nil {
		return
	}
	w := l.n.w
	wait := lazy
	if urgent || l.closing {
		wait = between(l.n.chance, 0, 2*time.Millisecond)
	}
	when := w.now + int64(wait)
	if l.cutAt != 0 && l.cutAt <= when {
		return
	}
	l.cutAt = when
	w.at(when, func() {
		if l.cutAt == when {
			l.cutAt = 0
			l.commit()
		}
	})
}

// commit hands the batch to the disk, and carries it out when the disk has answered. A node may die before, while the
// disk writes, after, and while the batch is carried out.
func (l *life) commit() {
	if l.over || l.busy != nil {
		return
	}
	n := l.n
	n.commits++
	if n.dies(beforeWrite) {
		return
	}
	l.busy = l.d.Cut()
	wait := between(n.chance, 50*time.Microsecond, time.Millisecond)
	if r, slow := n.outside("disk", n.w.faults.Disk); slow {
		wait = between(r, time.Millisecond, l.atMost(2*time.Second))
		n.w.said("a commit takes %v", wait.Round(time.Millisecond))
		n.w.Tally.met(metFault, "slow disk")
	}
	n.w.after(wait, func() {
		if l.over || n.dies(insideWrite) {
			return
		}
		b := l.busy
		l.busy = nil
		if !n.write(l, b) || n.dies(afterWrite) {
			return
		}
		if n.death.due(n.commits) && n.death.how == insideSends {
			l.sends = n.death.sends
		}
		l.d.CarryOut(b)
		if l.sends >= 0 { // it had less to send
			l.sends = 0
			n.dies(insideSends)
		}
		l.step()
	})
}

// write makes a batch durable and looks at what it says.
func (n *Node) write(l *life, b *engine.Batch) bool {
	err := l.d.Commit(b)
	if errors.Is(err, errTorn) {
		n.die(insideWrite, false)
		return false
	}
	if err != nil {
		n.w.fail("JRN-01", n, "the journal cannot be written: %v", err)
		return false
	}
	n.look()
	return n.w.wrong == nil
}

// everySecond is what a daemon does every second.
func (l *life) everySecond() {
	l.n.w.after(time.Second, func() {
		if l.over {
			return
		}
		l.d.EverySecond()
		l.d.Rotate()
		if l.d.Waiting() {
			l.poke()
		}
		l.everySecond()
	})
}

// send is the daemon's way to the network.
func (l *life) send(out []model.Outgoing) {
	for _, o := range out {
		if l.over {
			return
		}
		if l.sends == 0 {
			l.n.dies(insideSends)
			return
		}
		if l.sends > 0 {
			l.sends--
		}
		l.n.w.network.send(l.n, o)
	}
}

func (l *life) answer(ticket uint64, problem string) {
	if !l.over {
		l.n.answers[ticket] = append(l.n.answers[ticket], problem)
	}
}

// ended is the word that the shutdown's report is durable.
func (l *life) ended(r *reducer.Report) {
	if l.over || l.closing {
		return
	}
	l.n.reports = append(l.n.reports, shutdownReport{r, l.number, l.n.w.now})
	l.d.Last(&record.Event{Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_RunEnded{RunEnded: &record.RunEnded{Reason: "shutdown"}}})
	l.d.Close()
	l.closing = true
	l.n.w.after(grace, l.end)
	l.poke()
}

// end is the end of a life in order.
func (l *life) end() {
	if l.over {
		return
	}
	l.over = true
	n := l.n
	n.life = nil
	n.kernel.Died()
	n.w.Tally.met(metDeath, "in order")
	if n.left = n.leaves; !n.left {
		n.comeBack()
	}
}

// The outside of the loop: work that takes its time.

func (l *life) took(usual time.Duration, most time.Duration) time.Duration {
	if r, slow := l.n.outside("slow", l.n.w.faults.Slow); slow {
		wait := between(r, usual, l.atMost(most))
		l.n.w.said("a completion takes %v", wait.Round(time.Millisecond))
		l.n.w.Tally.met(metFault, "slow completion")
		return wait
	}
	return between(l.n.chance, usual/10, usual)
}

// atMost is how slow anything may be now.
func (l *life) atMost(usual time.Duration) time.Duration {
	if l.d.State().Ending() != nil {
		return inHaste
	}
	return usual
}

// What a scenario may have come late: work of the keyring for a key exchange or for AUTH, and the kernel's.
const (
	forKE     = "ke"
	forAuth   = "auth"
	forKernel = "kernel"
)

// Keys does the keyring's work.
func (l *life) Keys(what reducer.EffectKind, do func()) {
	if what == reducer.EffectMakeAuth || what == reducer.EffectCheckAuth {
		l.later(forAuth, do)
		return
	}
	l.later(forKE, do)
}

func (l *life) later(what string, do func()) {
	wait := l.took(3*time.Millisecond, 4*time.Second)
	l.n.w.after(max(wait, l.n.slow[what]), func() {
		if !l.over {
			do()
			l.poke()
		}
	})
}

// Stranger does the keyring's work for somebody who has proved nothing: a key exchange.
func (l *life) Stranger(do func()) bool {
	l.later(forKE, do)
	return true
}

// Kernel does the kernel's work in order.
func (l *life) Kernel(do func(context.Context)) {
	l.kernel = append(l.kernel, do)
	if len(l.kernel) == 1 {
		l.nextKernel()
	}
}

func (l *life) nextKernel() {
	l.n.w.after(max(l.took(time.Millisecond, 3*time.Second), l.n.slow[forKernel]), func() {
		if l.over {
			return
		}
		do := l.kernel[0]
		l.kernel = l.kernel[1:]
		do(context.Background())
		if len(l.kernel) > 0 {
			l.nextKernel()
		}
		l.poke()
	})
}

// Locate asks a resolver.
func (l *life) Locate(do func()) { l.later("", do) }
