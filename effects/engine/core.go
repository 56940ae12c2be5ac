package engine

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// core is the loop without its goroutines: the State, what is derived from it, and the batch of records being built. One
// goroutine owns it; the door reads published and index.
type core struct {
	state     reducer.State
	published atomic.Pointer[reducer.State]
	index     *index
	timers    *timers.Queue
	sent      sent
	keyring   *keys.Keyring
	random    io.Reader
	log       *slog.Logger

	batch  *batch // being built
	sealed [][]byte
	stats  struct{ events, poisoned, sealFailed atomic.Uint64 }

	// start begins an internal effect at once. due is called with the digest of a datagram that poisoned a step.
	start    func(order)
	poisoned func(digest uint64)
}

// order is an effect to carry out, with its place in the journal, and the datagram where it sends one.
type order struct {
	effect   reducer.Effect
	at       reducer.Ref
	datagram []byte
}

// batch is what one commit makes durable, and what may be done after it.
type batch struct {
	first   uint64
	last    int64 // time of the last record
	records []byte
	ends    []int    // of each record in records
	orders  []order  // visible effects, in order
	refs    []uint64 // secrets to seal into the vault
	gone    []uint64 // secrets to destroy
	notes   []Note
	state   reducer.State // after its last step
	urgent  bool          // something visible waits for it
	roll    bool          // a new segment begins after it
	sent    sent          // for the snapshot of that segment
}

// A batch is full at this many records or bytes: then no event is taken until the disk has answered (DESIGN.md).
const (
	fullRecords = 4096
	fullBytes   = 8 << 20
)

func (b *batch) full() bool { return len(b.ends) >= fullRecords || len(b.records) >= fullBytes }

func (b *batch) reset() {
	clear(b.orders)
	clear(b.notes)
	*b = batch{records: b.records[:0], ends: b.ends[:0], orders: b.orders[:0], refs: b.refs[:0], gone: b.gone[:0], notes: b.notes[:0]}
}

// reduce takes events one after the other at time now and publishes the State after the last.
func (c *core) reduce(now int64, events []*record.Event) {
	if len(events) == 0 {
		return
	}
	b := reducer.Begin(c.state)
	var effects []reducer.Effect
	for _, ev := range events {
		effects = c.step(b, max(now, c.state.Time()), ev, effects[:0])
	}
	c.state = b.State()
	state := c.state
	c.published.Store(&state)
	c.batch.state = state
	c.stats.events.Add(uint64(len(events)))
}

// step reduces one event and writes its record.
func (c *core) step(b *reducer.Batch, now int64, ev *record.Event, effects []reducer.Effect) []reducer.Effect {
	c.enrich(b, ev)
	effects, broken := reduceOne(b, now, ev, effects)
	if broken != nil {
		c.stats.poisoned.Add(1)
		c.log.Error("an event was refused because the reducer failed on it; this is a bug in ikejd",
			"panic", broken.GetPanic(), "step", b.State().Step()+1, "sa", ev.GetIkeSa())
		if d := ev.GetDatagramReceived(); d != nil {
			c.poisoned(d.GetDigest())
		}
		ev = &record.Event{IkeSa: ev.GetIkeSa(), Because: ev.GetBecause(), Kind: &record.Event_Poisoned{Poisoned: broken}}
		effects = b.Reduce(now, ev, effects[:0])
	}
	step := b.State().Step()
	c.sealed = c.sealed[:0]
	for i := range effects {
		c.order(b, reducer.Ref{Step: step, Index: uint32(i)}, now, effects[i])
	}
	for _, number := range b.Changed() {
		sa := b.SA(number)
		c.index.update(number, sa)
		c.sent.prune(number, sa)
		if sa == nil {
			c.timers.CancelSA(number)
		}
	}
	c.secrets(b, ev)
	if len(c.batch.ends) == 0 {
		c.batch.first = step
	}
	var err error
	if c.batch.records, err = reducer.AppendRecord(c.batch.records, step, now, ev, effects, c.sealed); err != nil {
		panic(fmt.Sprintf("event of step %d cannot be written: %v", step, err)) // every text in an event is UTF-8
	}
	c.batch.ends = append(c.batch.ends, len(c.batch.records))
	c.batch.last = now
	return effects
}

// reduceOne turns a panic of the reducer into a Poisoned event: the old State is still there.
func reduceOne(b *reducer.Batch, now int64, ev *record.Event, effects []reducer.Effect) (out []reducer.Effect, broken *record.Poisoned) {
	defer func() {
		if failure := recover(); failure != nil {
			broken = &record.Poisoned{Event: ev, Panic: fmt.Sprint(failure), Stack: string(debug.Stack())}
		}
	}()
	return b.Reduce(now, ev, effects), nil
}

// enrich adds to an event what only this goroutine knows: random bits, and the other SAs between the same identities.
func (c *core) enrich(b *reducer.Batch, ev *record.Event) {
	var bits [4]byte
	if _, err := io.ReadFull(c.random, bits[:]); err != nil {
		panic("no randomness: " + err.Error())
	}
	ev.Random = binary.LittleEndian.Uint32(bits[:])
	switch kind := ev.Kind.(type) {
	case *record.Event_Authenticated:
		if sa := b.SA(ev.GetIkeSa()); sa != nil && kind.Authenticated.GetGood() {
			kind.Authenticated.Others = without(c.index.between(sa.LocalID, sa.RemoteID), sa.Number)
		}
	case *record.Event_InitiateAsked:
		for _, connection := range b.State().Config().Connections {
			if connection.Name == kind.InitiateAsked.GetConnection() {
				kind.InitiateAsked.Others = c.index.between(connection.LocalID, connection.RemoteID)
			}
		}
	}
}

func without(list []uint64, number uint64) []uint64 {
	kept := list[:0]
	for _, n := range list {
		if n != number {
			kept = append(kept, n)
		}
	}
	return kept
}

// order does what an effect asks for: timers and internal work at once, what is visible after the commit.
func (c *core) order(b *reducer.Batch, at reducer.Ref, now int64, e reducer.Effect) {
	switch e.Kind {
	case reducer.EffectSetTimer:
		c.timers.Set(timers.Key{SA: e.SA, Kind: uint8(e.Timer), Arg: e.MessageID}, e.Deadline, at.Step, at.Index)
	case reducer.EffectCancelTimer:
		c.timers.Cancel(timers.Key{SA: e.SA, Kind: uint8(e.Timer), Arg: e.MessageID})
	case reducer.EffectRecord:
		datagram := c.seal(b, &e)
		c.sent.put(e.SA, at, datagram)
		c.visible(order{e, at, datagram})
	case reducer.EffectResend:
		c.visible(order{e, at, c.sent.get(e.SA, reducer.Ref{Step: e.Because.Step, Index: e.Because.Index})})
	case reducer.EffectChanged, reducer.EffectDiscarded:
		c.batch.notes = append(c.batch.notes, Note{at.Step, now, e})
	case reducer.EffectDestroyKeys:
		c.batch.gone = append(c.batch.gone, e.KeyRef)
		c.visible(order{effect: e, at: at})
	case reducer.EffectReport:
		c.batch.notes = append(c.batch.notes, Note{at.Step, now, e})
		c.visible(order{effect: e, at: at})
	case reducer.EffectWanted, reducer.EffectDropped:
		// notes for the reader of the journal
	default:
		if e.Kind.Visible() {
			c.visible(order{effect: e, at: at})
		} else {
			c.start(order{effect: e, at: at})
		}
	}
}

func (c *core) visible(o order) {
	c.batch.orders = append(c.batch.orders, o)
	c.batch.urgent = true
}

// seal makes a message a datagram. What was sealed stands in the record beside the effects; an unprotected message is its
// header and payloads.
func (c *core) seal(b *reducer.Batch, e *reducer.Effect) []byte {
	if e.Unprotected {
		if sa := b.SA(e.SA); sa != nil && sa.SetUp != nil { // the State keeps it anyway
			if e.Response {
				return sa.SetUp.Response
			}
			return sa.SetUp.Request
		}
		return e.Message(nil)
	}
	datagram, err := c.keyring.Seal(nil, e.KeyRef, e.Header(), e.First, e.Payloads)
	if err != nil {
		// The exchange will end by its timers; the journal shows a message without its datagram.
		c.stats.sealFailed.Add(1)
		c.log.Error("a message could not be sealed", "sa", e.SA, "message", e.MessageID, "error", err)
	}
	c.sealed = append(c.sealed, datagram)
	return datagram
}

// fire turns the timers that are due into events.
func (c *core) fire(now int64, into []*record.Event) []*record.Event {
	if next, ok := c.timers.Next(); !ok || next > now {
		return into
	}
	for _, due := range c.timers.Expired(now, nil) {
		into = append(into, &record.Event{IkeSa: due.SA,
			Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: due.Step, Index: due.Index},
			Kind:    &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer(due.Kind), MessageId: due.Arg}}})
	}
	return into
}
