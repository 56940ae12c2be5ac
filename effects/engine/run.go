package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// How often commits are made. Each costs a sync, however little it holds, so they are not made oftener than the gap; what
// nothing visible waits for is written within the lazy time, so that whoever follows the journal sees it.
const (
	commitGap  = 5 * time.Millisecond
	commitLazy = 200 * time.Millisecond
	takeEvents = 1024            // before the State is published again
	lookAgain  = time.Second     // Go's timers stand still while the machine is suspended, event time does not
	stopGrace  = 2 * time.Second // at Stop, for what the kernel still owes
)

// Engine is the loop of DESIGN.md.
type Engine struct {
	c       Config
	core    core
	queue   *queue
	door    *door
	work    *workers
	child   *children
	vault   *vault
	tickets tickets

	commits   chan *batch   // to the committer; nothing is in it while one is being synced
	committed chan struct{} // that one is durable
	outgoing  chan *batch   // durable, to be carried out
	failed    chan error
	stopping  chan struct{}
	closed    atomic.Bool // the door lets nothing in any more
	stopOnce  sync.Once
	locating  sync.WaitGroup
	free      sync.Pool // of batches
}

// New makes an Engine; Start takes over the State of the journal, Run runs it.
func New(c Config) (*Engine, error) {
	if c.Random == nil {
		var seed [32]byte
		if _, err := rand.Read(seed[:]); err != nil {
			return nil, fmt.Errorf("no randomness: %w", err)
		}
		c.Random = mathrand.NewChaCha8(seed)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Limits = c.Limits.withDefaults()
	e := &Engine{c: c, queue: newQueue(c.Limits.Queue), commits: make(chan *batch), committed: make(chan struct{}, 1),
		outgoing: make(chan *batch, 4), failed: make(chan error, 1), stopping: make(chan struct{})}
	e.tickets.begin(0)
	e.core = core{state: reducer.New(), index: newIndex(), timers: timers.New(c.Clock), sent: sent{}, keyring: c.Keyring,
		random: c.Random, log: c.Log, batch: &batch{}}
	e.free.New = func() any { return &batch{} }
	e.door = newDoor(e)
	e.work = newWorkers(e)
	e.child = newChildren(e)
	e.vault = &vault{e: e}
	e.core.start = e.startInternal
	e.core.poisoned = e.door.refuseDigest
	e.core.settled = e.door.settled
	state := e.core.state
	e.core.published.Store(&state)
	return e, nil
}

// State is the State as last published. It may be ahead of what is durable.
func (e *Engine) State() reducer.State { return *e.core.published.Load() }

// Stats is what the loop has done so far.
type Stats struct {
	Events     uint64 // reduced
	Poisoned   uint64 // of them, those the reducer failed on
	SealFailed uint64 // messages that could not be sealed, and so were not sent
}

// Stats counts since New.
func (e *Engine) Stats() Stats {
	s := &e.core.stats
	return Stats{s.events.Load(), s.poisoned.Load(), s.sealFailed.Load()}
}

// Post hands in an event: a command of an operator, a configuration. It owns the event from then on. One that the journal
// cannot hold, for a text that is not UTF-8, is refused under its ticket.
func (e *Engine) Post(ev *record.Event) {
	if _, err := record.MarshalAppend(nil, ev); err != nil {
		e.c.Log.Error("an event was refused", "error", err)
		if of := ticketOf(ev); of != nil && *of != 0 && e.c.Answer != nil {
			e.c.Answer(*of, "it holds text that is not UTF-8")
		}
		return
	}
	e.tickets.enter(ev)
	e.queue.push(ev)
}

// Stop makes Run return after what was posted and is reduced is durable and carried out. Datagrams are dropped from now on.
func (e *Engine) Stop() {
	e.stopOnce.Do(func() {
		e.closed.Store(true)
		close(e.stopping)
	})
}

// Run reduces until Stop or the end of ctx, or until the journal fails: then nothing more is sent, and the error says why.
func (e *Engine) Run(ctx context.Context) error {
	// The outsides have a context of their own: they end when there is nothing left to carry out.
	outside, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg, durable, carried sync.WaitGroup
	e.work.run(&wg)
	e.child.run(outside, &wg)
	e.door.run(outside, &wg)
	durable.Go(e.commitAll)
	carried.Go(func() {
		for b := range e.outgoing {
			e.carryOut(b)
		}
	})
	err := e.reduceAll(ctx)
	e.closed.Store(true)
	close(e.commits)
	durable.Wait()
	close(e.outgoing)
	carried.Wait()
	cancel()
	e.work.stop()
	wg.Wait()
	e.locating.Wait()
	return err
}

// loop is what the reducing goroutine knows beside the core.
type loop struct {
	buffer, events []*record.Event // events are those of buffer that are not reduced yet
	busy           bool            // a batch is being synced
	lastCommit     time.Time
	began          time.Time // of the oldest record in the batch
	stopped        time.Time // when Stop was asked; zero: it was not
}

// reduceAll is the reducing goroutine.
func (e *Engine) reduceAll(ctx context.Context) error {
	l := loop{began: time.Now()}
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	stopping, ended := e.stopping, ctx.Done()
	for {
		b := e.core.batch
		e.feed(&l)
		if !l.busy && len(b.ends) > 0 && l.due(b) {
			e.handOver(b)
			l.busy, l.lastCommit = true, time.Now()
			continue
		}
		if !l.stopped.IsZero() && !l.busy && len(b.ends) == 0 && e.settled(&l) {
			return nil
		}
		if b.full() { // no event is taken until the disk has answered
			select {
			case err := <-e.failed:
				return err
			case <-e.committed:
				l.busy = false
			}
			continue
		}
		wake.Reset(e.pause(&l, b))
		select {
		case err := <-e.failed:
			return err
		case <-e.committed:
			l.busy = false
		case <-e.queue.ready:
		case <-wake.C:
		case <-stopping:
			stopping, l.stopped = nil, time.Now()
		case <-ended:
			e.closed.Store(true)
			ended, l.stopped = nil, time.Now()
		}
	}
}

// feed reduces what has come, up to a full batch. After Stop no timer fires any more, and after its grace nothing is taken.
func (e *Engine) feed(l *loop) {
	b := e.core.batch
	if b.full() || !l.stopped.IsZero() && time.Since(l.stopped) > stopGrace {
		return
	}
	now := e.c.Clock.Now()
	if len(l.events) == 0 {
		clear(l.buffer)
		l.buffer = l.buffer[:0]
		if l.stopped.IsZero() {
			l.buffer = e.core.fire(now, l.buffer, takeEvents)
		}
		l.buffer = e.queue.take(l.buffer, takeEvents)
		l.events = l.buffer
	}
	if len(b.ends) == 0 {
		l.began = time.Now()
	}
	l.events = l.events[e.core.reduce(now, l.events):]
}

// due reports whether the batch is to be committed now.
func (l *loop) due(b *batch) bool {
	return !l.stopped.IsZero() || b.full() || b.urgent && time.Since(l.lastCommit) >= commitGap || time.Since(l.began) >= commitLazy
}

// handOver gives the batch to the committer and begins another.
func (e *Engine) handOver(b *batch) {
	if e.c.Journal.NeedsRoll() {
		b.roll, b.sent = true, e.core.sent.clone()
	}
	e.commits <- b
	e.core.batch = e.free.Get().(*batch)
}

// settled reports whether a stopping loop has nothing to wait for: all that was posted is reduced, and the kernel has
// answered every order. A kernel that does not is waited for only so long.
func (e *Engine) settled(l *loop) bool {
	return time.Since(l.stopped) > stopGrace || len(l.events) == 0 && e.queue.empty() && e.core.owed == 0
}

// pause is how long there is nothing to do unless something comes.
func (e *Engine) pause(l *loop, b *batch) time.Duration {
	pause := time.Hour
	if !l.stopped.IsZero() {
		pause = stopGrace - time.Since(l.stopped)
	} else if d, ok := e.core.timers.Delay(); ok {
		pause = min(d, lookAgain)
	}
	if len(l.events) > 0 || len(e.core.due) > 0 && l.stopped.IsZero() {
		return 0
	}
	if !l.busy && len(b.ends) > 0 {
		pause = min(pause, commitLazy-time.Since(l.began))
		if b.urgent {
			pause = min(pause, commitGap-time.Since(l.lastCommit))
		}
	}
	return max(pause, 0)
}
