package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"pgregory.net/rapid"
)

// What can happen in a walk, one function each.

// take gives an event to node i and its effects to the outside.
func (w *walk) take(i int, ev *record.Event) {
	n := w.nodes[i]
	n.now = max(n.now, w.now)
	if ev.Random == 0 {
		ev.Random = uint32(w.now/1000) | 1
	}
	effects, _ := n.take(ev)
	w.carryOut(i, effects)
}

func (w *walk) carryOut(i int, effects []Effect) {
	n := w.nodes[i]
	for k := range effects {
		e := &effects[k]
		switch e.Kind {
		case EffectRecord:
			w.send(i, e, e.Path)
		case EffectResend:
			sent := n.sent[Ref{e.Because.Step, e.Because.Index}]
			w.send(i, &sent, e.Path)
		case EffectSetTimer:
			n.old = append(n.old, timerKeyRef{timerKey{e.SA, e.Timer, e.MessageID}, Ref{n.s.step, uint32(k)}})
		case EffectRemoveChild:
			p := n.kernel[e.Child]
			delete(n.reserved, e.Install.InboundSPI)
			if e.Install.InboundSPI != 0 {
				delete(n.kernel, e.Child)
			} else {
				p.outbound = 0
				n.kernel[e.Child] = p
			}
		}
	}
	n.asks = withoutRemovals(n.asks)
}

// withoutRemovals: the kernel of a walk removes at once.
func withoutRemovals(asks []ask) []ask {
	var kept []ask
	for _, a := range asks {
		if a.effect.Kind != EffectRemoveChild {
			kept = append(kept, a)
		}
	}
	return kept
}

func (w *walk) send(from int, e *Effect, p Path) {
	h := e.Header()
	h.NextPayload, h.Length = e.First, uint32(ike.HeaderLen+len(e.Payloads))
	w.net = append(w.net, packet{1 - from, h, e.First, e.Payloads, Path{p.Remote, p.Local}})
}

// drawn takes any packet out of the network.
func (w *walk) drawn() packet {
	k := rapid.IntRange(0, len(w.net)-1).Draw(w.t, "packet")
	p := w.net[k]
	w.net = append(w.net[:k:k], w.net[k+1:]...)
	return p
}

func (w *walk) deliver(twice bool) {
	if len(w.net) == 0 {
		return
	}
	p := w.drawn()
	if twice {
		w.net = append(w.net, p)
	}
	if ev := w.nodes[p.to].door(p); ev != nil {
		w.take(p.to, ev)
	}
}

// complete answers one of node i's asks.
func (w *walk) complete(i, which int, refusal string) {
	n := w.nodes[i]
	if len(n.asks) == 0 {
		return
	}
	which = min(which, len(n.asks)-1)
	a := n.asks[which]
	n.asks = append(n.asks[:which:which], n.asks[which+1:]...)
	w.take(i, n.done(a, refusal))
}

// initiate asks for a connection, as an operator or instead of an engine that located it.
func (w *walk) initiate(i int, connection string) {
	asked := &record.InitiateAsked{Connection: connection, Ticket: uint64(w.now - epoch + 1), Path: PathRecord(w.nodes[i].path()), Others: w.nodes[i].others(0)}
	w.take(i, &record.Event{Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_InitiateAsked{InitiateAsked: asked}})
}

// some is any IKE SA of node i.
func (w *walk) some(i int) *IKESA {
	var all []*IKESA
	w.nodes[i].s.EachSA(0, func(sa *IKESA) bool {
		all = append(all, sa)
		return true
	})
	if len(all) == 0 {
		return nil
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(w.t, "sa")]
}

func (w *walk) close(i int, child bool) {
	sa := w.some(i)
	if sa == nil {
		return
	}
	asked := &record.CloseAsked{Ticket: uint64(w.now - epoch + 1)}
	if child && len(sa.Children) > 0 {
		asked.ChildSa = sa.Children[0].Number
	}
	w.take(i, &record.Event{IkeSa: sa.Number, Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_CloseAsked{CloseAsked: asked}})
}

func (w *walk) rekey(i int, child bool) {
	sa := w.some(i)
	if sa == nil {
		return
	}
	asked := &record.RekeyAsked{Ticket: uint64(w.now - epoch + 1)}
	if child && len(sa.Children) > 0 {
		asked.ChildSa = sa.Children[len(sa.Children)-1].Number
	}
	w.take(i, &record.Event{IkeSa: sa.Number, Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_RekeyAsked{RekeyAsked: asked}})
}

func (w *walk) kill(i int, withoutKeys []uint64) {
	n := w.nodes[i]
	n.now = max(n.now, w.now)
	effects, _ := n.restart(&record.Recovered{WithoutKeys: withoutKeys})
	n.reconcile()
	w.carryOut(i, effects)
}

// fireNext fires the timer that is due next, on whichever node.
func (w *walk) fireNext() bool {
	best := -1
	var when int64
	for i, n := range w.nodes {
		if _, a, ok := n.nextTimer(); ok && (best < 0 || a.deadline < when) {
			best, when = i, a.deadline
		}
	}
	if best < 0 {
		return false
	}
	w.now = max(w.now, when)
	n := w.nodes[best]
	n.now = max(n.now, w.now)
	key, _, _ := n.nextTimer()
	w.take(best, n.fired(key))
	return true
}
