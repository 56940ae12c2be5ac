package engine

import (
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// CarryOut does what a durable batch asks of the world, in step order over all SAs. Datagrams that follow one another go
// out in one call; the kernel's work is handed on in its order. The batch may not be used any more.
func (e *Loop) CarryOut(b *Batch) {
	var out []udp.Outgoing
	flush := func() {
		if len(out) > 0 {
			e.c.Net.Send(out)
			out = out[:0]
		}
	}
	for i := range b.orders {
		o := &b.orders[i]
		switch o.effect.Kind {
		case reducer.EffectRecord, reducer.EffectResend:
			if len(o.datagram) > 0 { // none: it could not be sealed
				out = append(out, udp.Outgoing{Local: o.effect.Path.Local, Remote: o.effect.Path.Remote, Bytes: o.datagram})
			}
		case reducer.EffectRefuse:
			if refusal, ok := e.door.refusal(&o.effect); ok {
				out = append(out, refusal)
			}
		case reducer.EffectInstallChild, reducer.EffectRemoveChild:
			e.child.ask(*o)
		case reducer.EffectDestroyKeys:
			e.c.Keyring.Destroy(o.effect.KeyRef)
		case reducer.EffectAnswer:
			if ticket, ok := e.tickets.take(o.effect.Ticket); ok && e.c.Answer != nil {
				e.c.Answer(ticket, o.effect.Text)
			}
		case reducer.EffectReport:
			flush()
			if e.c.Ended != nil {
				e.c.Ended(o.effect.Report)
			}
		}
	}
	flush()
	if e.c.Notice != nil {
		e.c.Notice(b.state, b.notes)
	}
	b.reset()
	e.free.Put(b)
}

// startInternal begins work that nobody outside can notice.
func (e *Loop) startInternal(o order) {
	switch o.effect.Kind {
	case reducer.EffectAllocateSPI:
		e.child.ask(o)
	case reducer.EffectLocate:
		e.locate(o)
	default:
		e.work.ask(o)
	}
}

// locate finds the addresses of a connection that is wanted up. It may ask a resolver.
func (e *Loop) locate(o order) {
	asked := &record.InitiateAsked{Connection: o.effect.Text, Child: o.effect.Name, Failure: "no such connection"}
	e.outside.Locate(func() {
		if o.connection != nil {
			path, err := e.c.Locate(o.connection)
			if asked.Failure = ""; err != nil {
				asked.Failure = text(err.Error())
			}
			asked.Path = reducer.PathRecord(path)
		}
		e.queue.push(completion(o, &record.Event{Kind: &record.Event_InitiateAsked{InitiateAsked: asked}}))
	})
}

// completion makes ev the answer to the effect of an order.
func completion(o order, ev *record.Event) *record.Event {
	ev.IkeSa = o.effect.SA
	ev.Because = &record.Because{Edge: record.Edge_EDGE_ANSWERS, Step: o.at.Step, Index: o.at.Index}
	return ev
}
