package engine

import (
	"context"
	"sync"
	"time"
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

// Engine drives a Loop: one goroutine reduces, one commits, one carries out, and the outsides have theirs.
type Engine struct {
	*Loop
	outside *outside

	commits   chan *Batch   // to the committer; nothing is in it while one is being synced
	committed chan struct{} // that one is durable
	outgoing  chan *Batch   // durable, to be carried out
	failed    chan error
	stopping  chan struct{}
	stopOnce  sync.Once
}

// New makes an Engine; Start takes over the State of the journal, Run runs it.
func New(c Config) (*Engine, error) {
	outside := newOutside(c.Workers)
	loop, err := NewLoop(c, outside)
	if err != nil {
		return nil, err
	}
	return &Engine{Loop: loop, outside: outside, commits: make(chan *Batch), committed: make(chan struct{}, 1),
		outgoing: make(chan *Batch, 4), failed: make(chan error, 1), stopping: make(chan struct{})}, nil
}

// Stop makes Run return after what was posted and is reduced is durable and carried out. Datagrams are dropped from now on.
func (e *Engine) Stop() {
	e.stopOnce.Do(func() {
		e.Close()
		close(e.stopping)
	})
}

// Run reduces until Stop or the end of ctx, or until the journal fails: then nothing more is sent, and the error says why.
func (e *Engine) Run(ctx context.Context) error {
	// The outsides have a context of their own: they end when there is nothing left to carry out.
	outside, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg, durable, carried sync.WaitGroup
	e.outside.workers.run(&wg)
	e.outside.kernel.run(outside, &wg)
	wg.Go(func() { e.everySecond(outside) })
	durable.Go(e.commitAll)
	carried.Go(func() {
		for b := range e.outgoing {
			e.CarryOut(b)
		}
	})
	err := e.reduceAll(ctx)
	e.Close()
	close(e.commits)
	durable.Wait()
	close(e.outgoing)
	carried.Wait()
	cancel()
	e.outside.workers.stop()
	wg.Wait()
	e.outside.locating.Wait()
	return err
}

func (e *Engine) everySecond(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.EverySecond()
			tick.Reset(time.Second) // a tick that came late must not be followed at once by the next
		case <-ctx.Done():
			return
		}
	}
}

// pace is what the reducing goroutine knows beside the Loop.
type pace struct {
	busy       bool // a batch is being synced
	lastCommit time.Time
	began      time.Time // of the oldest record in the batch
	stopped    time.Time // when Stop was asked; zero: it was not
}

// reduceAll is the reducing goroutine.
func (e *Engine) reduceAll(ctx context.Context) error {
	l := pace{began: time.Now()}
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	stopping, ended := e.stopping, ctx.Done()
	for {
		b := e.core.batch
		e.feed(&l)
		if !l.busy && len(b.ends) > 0 && l.due(b) {
			e.commits <- e.Cut()
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
			e.Close()
			ended, l.stopped = nil, time.Now()
		}
	}
}

// feed reduces what has come, up to a full batch. After Stop no timer fires any more, and after its grace nothing is taken.
func (e *Engine) feed(l *pace) {
	b := e.core.batch
	if b.full() || !l.stopped.IsZero() && time.Since(l.stopped) > stopGrace {
		return
	}
	if len(b.ends) == 0 {
		l.began = time.Now()
	}
	e.Feed(l.stopped.IsZero())
}

// due reports whether the batch is to be committed now.
func (l *pace) due(b *Batch) bool {
	return !l.stopped.IsZero() || b.full() || b.urgent && time.Since(l.lastCommit) >= commitGap || time.Since(l.began) >= commitLazy
}

// settled reports whether a stopping loop has nothing to wait for: all that was posted is reduced, and the kernel has
// answered every order. A kernel that does not is waited for only so long.
func (e *Engine) settled(l *pace) bool {
	return time.Since(l.stopped) > stopGrace || e.Settled()
}

// pause is how long there is nothing to do unless something comes.
func (e *Engine) pause(l *pace, b *Batch) time.Duration {
	pause := time.Hour
	if !l.stopped.IsZero() {
		pause = stopGrace - time.Since(l.stopped)
	} else if d, ok := e.core.timers.Delay(); ok {
		pause = min(d, lookAgain)
	}
	if len(e.events) > 0 || len(e.core.due) > 0 && l.stopped.IsZero() {
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
