package engine

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
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
	removals  removals
	keyring   *keys.Keyring
	random    io.Reader
	log       *slog.Logger

	batch  *Batch // being built
	sealed [][]byte
	due    []timers.Fired // expired, and not events yet
	seen   []uint64       // digests of the datagrams reduced since the State was published
	owed   int            // orders to the kernel that no event has answered yet
	stats  stats

	// start begins an internal effect at once. poisoned is called with the digest of a datagram that poisoned a step,
	// settled with those whose outcome the published State shows.
	start    func(order)
	poisoned func(digest uint64)
	settled  func(digests []uint64)
}

type stats struct{ events, poisoned, sealFailed atomic.Uint64 }

// Batch is what one commit makes durable, and what may be done after it.
type Batch struct {
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
	owed    []*record.OwedRemoval
}

// A batch is full at this many records or bytes: then no event is taken until the disk has answered (DESIGN.md).
const (
	fullRecords = 4096
	fullBytes   = 8 << 20
)

func (b *Batch) full() bool { return len(b.ends) >= fullRecords || len(b.records) >= fullBytes }

func (b *Batch) reset() {
	clear(b.orders)
	clear(b.notes)
	*b = Batch{records: b.records[:0], ends: b.ends[:0], orders: b.orders[:0], refs: b.refs[:0], gone: b.gone[:0], notes: b.notes[:0]}
}

// reduce takes events one after the other at time now, until the batch is full, and publishes the State after the last.
// It gives how many it took.
func (c *core) reduce(now int64, events []*record.Event) int {
	b := reducer.Begin(c.state)
	var effects []reducer.Effect
	taken := 0
	for taken < len(events) && !c.batch.full() {
		effects = c.step(b, max(now, c.state.Time()), events[taken], effects[:0])
		taken++
	}
	if taken == 0 {
		return 0
	}
	c.state = b.State()
	state := c.state
	c.published.Store(&state)
	c.batch.state = state
	c.stats.events.Add(uint64(taken))
	if len(c.seen) > 0 {
		c.settled(c.seen) // not before: the door judges by the published State
		c.seen = c.seen[:0]
	}
	return taken
}

// step reduces one event and writes its record.
func (c *core) step(b *reducer.Batch, now int64, ev *record.Event, effects []reducer.Effect) []reducer.Effect {
	c.enrich(b, ev)
	c.answered(ev)
	c.removals.happened(ev)
	effects, broken := reduceOne(b, now, ev, effects)
	if broken != nil {
		ev = c.refuse(b, ev, broken)
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
			broken = &record.Poisoned{Event: ev, Panic: text(fmt.Sprint(failure)), Stack: text(string(debug.Stack()))}
		}
	}()
	return b.Reduce(now, ev, effects), nil
}

// text is s as an event can hold it.
func text(s string) string { return strings.ToValidUTF8(s, "?") }

// refuse is the event in the place of one the reducer failed on. A secret made for that one has no owner.
func (c *core) refuse(b *reducer.Batch, ev *record.Event, broken *record.Poisoned) *record.Event {
	c.stats.poisoned.Add(1)
	c.log.Error("an event was refused because the reducer failed on it; this is a bug in ikejd",
		"panic", broken.GetPanic(), "step", b.State().Step()+1, "sa", ev.GetIkeSa())
	if d := ev.GetDatagramReceived(); d != nil {
		c.poisoned(d.GetDigest())
	}
	if fresh := freshOf(ev); fresh.GetKeyRef() != 0 {
		c.keyring.Destroy(fresh.GetKeyRef())
	}
	return &record.Event{IkeSa: ev.GetIkeSa(), Because: ev.GetBecause(), Kind: &record.Event_Poisoned{Poisoned: broken}}
}

// freshOf is what the keyring made before the event.
func freshOf(ev *record.Event) *record.Fresh {
	if made := ev.GetKeyShareMade(); made != nil {
		return made.GetFresh()
	}
	return ev.GetDatagramReceived().GetFresh()
}

// answered notes what the event settles for those outside the loop.
func (c *core) answered(ev *record.Event) {
	switch kind := ev.Kind.(type) {
	case *record.Event_DatagramReceived:
		c.seen = append(c.seen, kind.DatagramReceived.GetDigest())
	case *record.Event_ChildInstalled, *record.Event_ChildRemoved, *record.Event_SpiAllocated:
		c.owed--
	}
}

// enrich adds to an event what only this goroutine knows: random bits, and the other SAs with the same peer.
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
	case *record.Event_AuthMade:
		if sa := b.SA(ev.GetIkeSa()); sa != nil {
			_, mine := c.index.crowd(source(sa.Path.Remote.Addr()))
			kind.AuthMade.Met = mine > 0 || len(without(c.index.between(sa.LocalID, sa.RemoteID), sa.Number)) > 0
		}
	case *record.Event_InitiateAsked:
		if wanted := connection(b.State().Config(), kind.InitiateAsked.GetConnection()); wanted != nil {
			kind.InitiateAsked.Others = c.index.between(wanted.LocalID, wanted.RemoteID)
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
