package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Loop is the loop of DESIGN.md without its goroutines: whoever drives it says when events are reduced, when a batch is
// committed and when it is carried out. Engine drives it with goroutines and the real clock, a simulator with one seed.
//
// Start comes first. Feed and Cut belong to one goroutine; Commit to one, a batch at a time, in order; CarryOut to one,
// after the batch's Commit; everything else may be called from any.
type Loop struct {
	c       Config
	core    core
	queue   *queue
	door    *door
	work    keyWork
	child   *children
	vault   *vault
	tickets tickets
	outside Outside
	closed  atomic.Bool // the door lets nothing in any more
	free    sync.Pool   // of batches
	last    atomic.Pointer[record.Event]

	buffer, events []*record.Event // events are those of buffer that are not reduced yet
	finished       bool            // the last event of the run was taken
}

// Outside does work that must not be done where events are reduced. None of its methods waits for the work.
type Outside interface {
	Keys(what reducer.EffectKind, do func()) // of the keyring, for an SA that is known: what was ordered
	Stranger(do func()) bool                 // for somebody who has proved nothing; false: too much of it waits (PROTOCOL.md, K-13)
	Kernel(do func(ctx context.Context))     // one after the other, in this order
	Locate(do func())
}

// NewLoop makes a Loop; Start takes over the State of the journal.
func NewLoop(c Config, outside Outside) (*Loop, error) {
	if c.Random == nil {
		var seed [32]byte
		if _, err := rand.Read(seed[:]); err != nil {
			return nil, fmt.Errorf("no randomness: %w", err)
		}
		c.Random = mathrand.NewChaCha8(seed)
	}
	if c.CookieRandom == nil {
		c.CookieRandom = rand.Reader
	}
	if c.BootID == "" {
		c.BootID = bootID()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Limits = c.Limits.withDefaults()
	l := &Loop{c: c, queue: newQueue(c.Limits.Queue), outside: outside}
	l.tickets.begin(0)
	l.core = core{state: reducer.New(), index: newIndex(), timers: timers.New(c.Clock), sent: sent{}, removals: removals{}, keyring: c.Keyring,
		random: c.Random, log: c.Log, batch: &Batch{}}
	l.free.New = func() any { return &Batch{} }
	l.door = newDoor(l)
	l.work = keyWork{l}
	l.child = newChildren(l)
	l.vault = &vault{e: l}
	l.core.start = l.startInternal
	l.core.poisoned = l.door.refuseDigest
	l.core.settled = l.door.settled
	state := l.core.state
	l.core.published.Store(&state)
	return l, nil
}

// State is the State as last published. It may be ahead of what is durable.
func (e *Loop) State() reducer.State { return *e.core.published.Load() }

// Stats is what the loop has done so far.
type Stats struct {
	Events     uint64 // reduced
	Poisoned   uint64 // of them, those the reducer failed on
	SealFailed uint64 // messages that could not be sealed, and so were not sent
}

// Stats counts since the start.
func (e *Loop) Stats() Stats {
	s := &e.core.stats
	return Stats{s.events.Load(), s.poisoned.Load(), s.sealFailed.Load()}
}

// Post hands in an event: a command of an operator, a configuration. It owns the event from then on. One that the journal
// cannot hold, for a text that is not UTF-8, is refused under its ticket.
func (e *Loop) Post(ev *record.Event) {
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

// Close shuts the door: datagrams are dropped from now on.
func (e *Loop) Close() { e.closed.Store(true) }

// Feed reduces what has come, up to a full batch: timers that are due, where fire says so, and what waits in the queue.
// It reports whether it reduced anything.
func (e *Loop) Feed(fire bool) bool {
	if e.core.batch.full() {
		return false
	}
	now := e.c.Clock.Now()
	if len(e.events) == 0 && !e.finished {
		clear(e.buffer)
		e.buffer = e.buffer[:0]
		if fire {
			e.buffer = e.core.fire(now, e.buffer, takeEvents)
		}
		e.buffer = e.queue.take(e.buffer, takeEvents)
		e.events = e.buffer
	}
	taken := e.core.reduce(now, e.events)
	e.events = e.events[taken:]
	return taken > 0
}

// Pending describes the batch being built: how many records it has, and whether something visible waits for it.
func (e *Loop) Pending() (records int, urgent bool) {
	return len(e.core.batch.ends), e.core.batch.urgent
}

// Cut ends the batch being built, for Commit, and begins another.
func (e *Loop) Cut() *Batch {
	b := e.core.batch
	if e.c.Journal.NeedsRoll() {
		b.roll, b.sent, b.owed = true, e.core.sent.clone(), e.core.removals.list()
	}
	e.core.batch = e.free.Get().(*Batch)
	return b
}

// Last hands in the event that ends the run: it is reduced when all else is settled.
func (e *Loop) Last(ev *record.Event) { e.last.Store(ev) }

// Settled reports whether all that was posted is reduced, and the kernel has answered every order.
func (e *Loop) Settled() bool {
	if len(e.events) > 0 || !e.finished && (!e.queue.empty() || e.core.owed != 0) {
		return false
	}
	if ev := e.last.Swap(nil); ev != nil {
		e.events, e.finished = []*record.Event{ev}, true // what is posted from now on comes too late
		return false
	}
	return true
}

// Waiting reports whether events wait to be reduced.
func (e *Loop) Waiting() bool {
	return len(e.events) > 0 || !e.finished && (len(e.core.due) > 0 || !e.queue.empty())
}

// NextTimer is the deadline of the timer that is due next, in event time; false: none runs.
func (e *Loop) NextTimer() (deadline int64, ok bool) { return e.core.timers.Next() }

// Held is what lives beside the State.
type Held struct {
	Timers    int // that run
	Datagrams int // kept to be sent again
	InHand    int // datagrams that are under way from the door to the reducer
	Owed      int // orders to the kernel that no event has answered yet
}

// Held counts. It belongs to the goroutine of Feed.
func (e *Loop) Held() Held {
	h := Held{Timers: e.core.timers.Len(), InHand: e.door.inHand.len(), Owed: e.core.owed}
	for _, list := range e.core.sent {
		h.Datagrams += len(list)
	}
	return h
}
