package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// How often commits are made. Each costs a sync, however little it holds, so they are not made oftener than the gap; what
// nothing visible waits for is written within the lazy time, so that whoever follows the journal sees it.
const (
	commitGap  = 5 * time.Millisecond
	commitLazy = 200 * time.Millisecond
	takeEvents = 1024 // before the State is published again
	epochLife  = 3 * time.Minute
)

// Engine is the loop of DESIGN.md.
type Engine struct {
	c     Config
	core  core
	queue *queue
	door  *door
	work  *workers
	child *children

	commits   chan *batch   // to the committer; nothing is in it while one is being synced
	committed chan struct{} // that one is durable
	outgoing  chan *batch   // durable, to be carried out
	failed    chan error
	stopping  chan struct{}
	stopOnce  sync.Once
	free      sync.Pool // of batches

	vaultBuffer []journal.VaultChange
	destroyed   bool // a secret was destroyed since the epoch began; the committer's
	lastRotated int64
	lastSeen    reducer.State // the State of the last commit; the committer's
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
		outgoing: make(chan *batch, 4), failed: make(chan error, 4), stopping: make(chan struct{})}
	e.core = core{state: reducer.New(), index: newIndex(), timers: timers.New(c.Clock), sent: sent{}, keyring: c.Keyring,
		random: c.Random, log: c.Log, batch: &batch{}}
	e.free.New = func() any { return &batch{} }
	e.door = newDoor(e)
	e.work = newWorkers(e)
	e.child = newChildren(e)
	e.core.start = e.startInternal
	e.core.poisoned = e.door.refuseDigest
	state := e.core.state
	e.core.published.Store(&state)
	return e, nil
}

// State is the State as last published. It may be ahead of what is durable.
func (e *Engine) State() reducer.State { return *e.core.published.Load() }

// Post hands in an event: a command of an operator, a configuration.
func (e *Engine) Post(ev *record.Event) { e.queue.push(ev) }

// Stop makes Run return after what is reduced is durable and carried out.
func (e *Engine) Stop() { e.stopOnce.Do(func() { close(e.stopping) }) }

// Run reduces until Stop, or until the journal fails: then nothing more is sent, and the error says why.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	e.work.run(ctx, &wg)
	e.child.run(ctx, &wg)
	e.door.run(ctx, &wg)
	wg.Go(e.commitAll)
	carried := make(chan struct{})
	go func() {
		defer close(carried)
		for b := range e.outgoing {
			e.carryOut(b)
		}
	}()
	err := e.reduceAll(ctx)
	close(e.commits)
	cancel()
	wg.Wait()
	close(e.outgoing)
	<-carried
	return err
}

// reduceAll is the reducing goroutine.
func (e *Engine) reduceAll(ctx context.Context) error {
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	var events []*record.Event
	var lastCommit time.Time
	began := time.Now() // of the oldest record in the batch
	busy, stopping := false, false
	stopped := e.stopping
	for {
		b := e.core.batch
		if !b.full() {
			now := e.c.Clock.Now()
			events = e.core.fire(now, events[:0])
			events = e.queue.take(events, takeEvents)
			if len(b.ends) == 0 {
				began = time.Now()
			}
			e.core.reduce(now, events)
			clear(events)
		}
		if !busy && len(b.ends) > 0 && (stopping || b.full() || b.urgent && time.Since(lastCommit) >= commitGap || time.Since(began) >= commitLazy) {
			if e.c.Journal.NeedsRoll() {
				b.roll, b.sent = true, e.core.sent.clone()
			}
			e.commits <- b
			busy, lastCommit = true, time.Now()
			e.core.batch = e.free.Get().(*batch)
			continue
		}
		if stopping && !busy && len(b.ends) == 0 {
			return nil
		}
		wake.Reset(e.pause(b, busy, lastCommit, began))
		select {
		case err := <-e.failed:
			return err
		case <-e.committed:
			busy = false
		case <-e.queue.ready:
			if b.full() {
				e.queue.ring() // not yet: the disk has the word
				select {
				case err := <-e.failed:
					return err
				case <-e.committed:
					busy = false
				}
			}
		case <-wake.C:
		case <-stopped:
			stopping, stopped = true, nil
		case <-ctx.Done():
			stopping = true
			ctx = context.Background()
		}
	}
}

// pause is how long there is nothing to do unless something comes.
func (e *Engine) pause(b *batch, busy bool, lastCommit, began time.Time) time.Duration {
	pause := time.Hour
	if d, ok := e.core.timers.Delay(); ok {
		pause = d
	}
	if !busy && len(b.ends) > 0 {
		pause = min(pause, commitLazy-time.Since(began))
		if b.urgent {
			pause = min(pause, commitGap-time.Since(lastCommit))
		}
	}
	return max(pause, 0)
}

// commitAll is the committer: one batch at a time, durable before anything of it is carried out.
func (e *Engine) commitAll() {
	for b := range e.commits {
		if err := e.commit(b); err != nil {
			e.failed <- err
			for range e.commits { // nothing more is written, and nothing more is sent
			}
			return
		}
	}
}

func (e *Engine) commit(b *batch) error {
	out := journal.Batch{First: b.first, Time: b.last, Vault: e.vaultChanges(b)}
	out.Records = make([][]byte, len(b.ends))
	start := 0
	for i, end := range b.ends {
		out.Records[i] = b.records[start:end:end]
		start = end
	}
	if err := e.c.Journal.Append(&out); err != nil {
		return err
	}
	e.destroyed = e.destroyed || len(b.gone) > 0
	if b.roll {
		if err := e.roll(b); err != nil {
			return err
		}
	}
	if e.c.Epochs != nil && e.destroyed && b.last-e.lastRotated >= int64(epochLife) {
		e.lastRotated = b.last
		if err := e.rotateEpoch(b.state); err != nil {
			return err
		}
	}
	e.committed <- struct{}{}
	e.outgoing <- b
	return nil
}

// roll begins a new segment with a snapshot of the State after the batch, and the datagrams its windows may resend.
func (e *Engine) roll(b *batch) error {
	snapshot := b.state.Snapshot()
	snapshot.Sent = b.sent.record()
	data, err := record.Marshal(snapshot)
	if err != nil {
		return fmt.Errorf("snapshot of step %d: %w", b.state.Step(), err)
	}
	return e.c.Journal.Roll(data, e.living(b.state))
}
