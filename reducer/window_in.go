package reducer

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// The inbound half of the window: which request is the next, which was answered and is asked for again.

// Takes reports whether the peer's request id is one we have still to answer (PROTOCOL.md, W-07).
func (w *Window) Takes(id uint32) bool {
	if id < w.NextIn || id-w.NextIn >= ourWindow || !answerable(id) {
		return false
	}
	_, known := w.response(id)
	return !known && (w.Answering == nil || w.Answering.ID != id)
}

func (w *Window) response(id uint32) (Response, bool) {
	for _, r := range w.Answered {
		if r.ID == id {
			return r, true
		}
	}
	return Response{}, false
}

// Recorded is the response to the peer's request id, for the door: a repeat is recognised by the digest of the request.
func (w *Window) Recorded(id uint32) (Response, bool) { return w.response(id) }

// Open is our request id while it is unanswered, for the door.
func (w *Window) Open(id uint32) (Request, bool) { return w.inFlight(id) }

// respond records the response to the peer's request id: from now on a repeat gets the same bytes.
func (t *step) respond(sa *IKESA, to Answering, bodies ...ike.Body) {
	because := Because{Edge: EdgeServes, Step: t.s.step}
	recorded := t.record(sa, to.ID, true, message{to.Exchange, bodies}, because, to.Path)
	w := &sa.Window
	w.Answering = nil
	kept := make([]Response, 0, ourWindow)
	for _, r := range w.Answered {
		if r.ID+ourWindow > to.ID {
			kept = append(kept, r)
		}
	}
	w.Answered = append(kept, Response{ID: to.ID, Request: to.Request, Recorded: recorded, LastCopy: t.now, Sends: 1})
	for {
		if _, done := w.response(w.NextIn); !done {
			return
		}
		w.NextIn++
	}
}

// repeatReceived sends a recorded response again, unchanged, to where the repeat came from (section 2.1). Nothing in the
// State changes but counters.
func (t *step) repeatReceived(ev *record.RepeatReceived) {
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ok {
		t.drop("no such ike sa")
		return
	}
	for i, r := range sa.Window.Answered {
		if r.ID != ev.GetMessageId() {
			continue
		}
		if a := sa.Window.Answering; a != nil && a.ID >= r.ID+ourWindow {
			t.drop("the response has arrived: the next request is here") // PROTOCOL.md, W-12, X-09
			return
		}
		if r.Request != ev.GetDigest() {
			t.drop("repeat with other content")
			return
		}
		answered := slices.Clone(sa.Window.Answered)
		answered[i].Sends++
		sa.LingerGap = t.now - r.LastCopy
		answered[i].LastCopy = t.now
		sa.Window.Answered = answered
		t.order(Effect{Kind: EffectResend, SA: sa.Number, MessageID: r.ID, Response: true, Sends: answered[i].Sends,
			Path:    pathOf(ev.GetPath()),
			Because: Because{Edge: EdgeServes, Step: r.Recorded.Step, Index: r.Recorded.Index}})
		t.lingerOn(&sa)
		t.put(sa)
		return
	}
	t.drop("repeat of a request whose response was forgotten")
}
