package reducer

import (
	"bytes"
	"testing"

	"github.com/ikejd/ikejd/proto/record"
)

// shutdownOf is an event that touches every SA of a State.
func shutdownOf() *record.Event {
	return &record.Event{Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_ShutdownAsked{
		ShutdownAsked: &record.ShutdownAsked{Signal: "SIGTERM", Budget: uint64(30 * second)}}}
}

// TestBatchIsManyReduces: events reduced in one batch give what they give one by one, and what the batch began with and
// every State on the way stay as they were.
func TestBatchIsManyReduces(t *testing.T) {
	s := newScript(t)
	for range 5 {
		must(t, s.given([]string{"established"}, ""))
	}
	from := s.n.s
	was := s.n.snapshotBytes(from)
	var events []*record.Event
	for number := range uint64(5) {
		events = append(events, &record.Event{IkeSa: number + 1, Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}})
	}
	events = append(events, shutdownOf())
	batch := Begin(from)
	var together, single []Effect
	one := from
	var ways [][]byte
	var states []State
	for i, ev := range events {
		now := s.n.now + int64(i)
		together = batch.Reduce(now, ev, together)
		if i < 5 && (len(batch.Changed()) != 1 || batch.Changed()[0] != uint64(i+1)) {
			t.Errorf("event %d changed %v", i, batch.Changed())
		}
		one, single = Reduce(one, now, ev, single)
		states, ways = append(states, one), append(ways, s.n.snapshotBytes(one))
	}
	if !bytes.Equal(AppendEffects(nil, together), AppendEffects(nil, single)) {
		t.Error("a batch ordered other effects than its events one by one")
	}
	if !bytes.Equal(s.n.snapshotBytes(batch.State()), s.n.snapshotBytes(one)) {
		t.Error("a batch ended in another State than its events one by one")
	}
	if !bytes.Equal(was, s.n.snapshotBytes(from)) {
		t.Error("the State the batch began with has changed")
	}
	for i := range states {
		if !bytes.Equal(ways[i], s.n.snapshotBytes(states[i])) {
			t.Errorf("the State after event %d has changed", i)
		}
	}
}

// TestPanicCostsOneEvent: the batch is what it was before, and goes on.
func TestPanicCostsOneEvent(t *testing.T) {
	s := newScript(t)
	must(t, s.given([]string{"half-open"}, ""))
	batch := Begin(s.n.s)
	effects := batch.Reduce(s.n.now, shutdownOf(), nil)
	was := s.n.snapshotBytes(batch.State())
	func() {
		defer func() {
			if recover() == nil {
				t.Error("time that runs back did not panic")
			}
		}()
		batch.Reduce(s.n.now-1, shutdownOf(), effects)
	}()
	// One that panics half way: an IKE_SA_INIT request the door let in without a key share.
	other := Begin(newScript(t).n.s)
	request := saidOf(t, "0 IKE_SA_INIT {SAi1 KEi Ni NAT}")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a request without a key share did not panic")
			}
		}()
		other.Reduce(epoch, request, nil)
	}()
	if other.State().SAs() != 0 || other.State().Step() != 1 {
		t.Errorf("after a panic: %d SAs, step %d", other.State().SAs(), other.State().Step())
	}
	if !bytes.Equal(was, s.n.snapshotBytes(batch.State())) {
		t.Error("a panic left something behind")
	}
}

// saidOf is the event of a request of the peer, without a key share.
func saidOf(t *testing.T, said string) *record.Event {
	s := newScript(t)
	m, err := s.message(splitWords(said), false)
	must(t, err)
	return m.received(root(record.Root_ROOT_PEER))
}
