package engine

import (
	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// What a step orders: timers and internal work at once, what is visible after the commit.

// order is an effect to carry out, with its place in the journal, and the datagram where it sends one.
type order struct {
	effect     reducer.Effect
	at         reducer.Ref
	datagram   []byte
	connection *reducer.Connection // of a Locate, as configured at that step
}

// order does what an effect asks for, or puts it off until its record is durable.
func (c *core) order(b *reducer.Batch, at reducer.Ref, now int64, e reducer.Effect) {
	switch e.Kind {
	case reducer.EffectSetTimer:
		c.timers.Set(timers.Key{SA: e.SA, Kind: uint8(e.Timer), Arg: e.MessageID}, e.Deadline, at.Step, at.Index)
	case reducer.EffectCancelTimer:
		c.timers.Cancel(timers.Key{SA: e.SA, Kind: uint8(e.Timer), Arg: e.MessageID})
	case reducer.EffectRecord:
		datagram := c.seal(b, &e)
		c.sent.put(e.SA, at, datagram)
		c.visible(order{effect: e, at: at, datagram: datagram})
	case reducer.EffectResend:
		datagram := c.sent.get(e.SA, reducer.Ref{Step: e.Because.Step, Index: e.Because.Index})
		c.visible(order{effect: e, at: at, datagram: datagram})
	case reducer.EffectChanged, reducer.EffectDiscarded:
		c.batch.notes = append(c.batch.notes, Note{at.Step, now, e})
	case reducer.EffectDestroyKeys:
		c.batch.gone = append(c.batch.gone, e.KeyRef)
		c.visible(order{effect: e, at: at})
	case reducer.EffectReport:
		c.batch.notes = append(c.batch.notes, Note{at.Step, now, e})
		c.visible(order{effect: e, at: at})
	case reducer.EffectInstallChild, reducer.EffectRemoveChild:
		c.owed++
		c.removals.ordered(at, &e)
		c.visible(order{effect: e, at: at})
	case reducer.EffectAllocateSPI:
		c.owed++
		if sa := b.SA(e.SA); sa != nil {
			e.Path = sa.Path
		}
		c.start(order{effect: e, at: at})
	case reducer.EffectLocate:
		c.start(order{effect: e, at: at, connection: connection(b.State().Config(), e.Text)})
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

// connection is the configured one of that name, or nil.
func connection(config *reducer.Config, name string) *reducer.Connection {
	for i := range config.Connections {
		if config.Connections[i].Name == name {
			return &config.Connections[i]
		}
	}
	return nil
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

// fire turns timers that are due into events, at most so many. Those of many SAs may be due at once; one that is set again
// or cancelled before its turn is stale, and the reducer sees that.
func (c *core) fire(now int64, into []*record.Event, most int) []*record.Event {
	if len(c.due) == 0 {
		c.due = c.timers.Expired(now, c.due)
	}
	n := min(most, len(c.due))
	for _, due := range c.due[:n] {
		into = append(into, &record.Event{IkeSa: due.SA,
			Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: due.Step, Index: due.Index},
			Kind:    &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer(due.Kind), MessageId: due.Arg}}})
	}
	if c.due = c.due[n:]; len(c.due) == 0 {
		c.due = nil
	}
	return into
}
