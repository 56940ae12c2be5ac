package reducer

import (
	"bytes"
	"net/netip"
	"reflect"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/proto"
)

// What holds after every event of every test here, whatever the test is about: Reduce is pure, State and records survive
// their encoding, causes are named, and the window, timers, keys and counters are what they say they are.

// reduceChecked is Reduce, thrice: again from the same State, and from a State that was written and read.
func (n *node) reduceChecked(ev *record.Event) (State, []Effect, []uint64) {
	n.t.Helper()
	if ev.GetBecause() == nil {
		n.t.Fatalf("event without a cause: %v", ev)
	}
	if ev.Random == 0 {
		ev.Random = 1000 // no jitter
	}
	before := n.snapshotBytes(n.s)
	batch := Begin(n.s)
	effects := batch.Reduce(n.now, ev, nil)
	after := batch.State()
	changed := append([]uint64(nil), batch.Changed()...)
	if !bytes.Equal(n.snapshotBytes(n.s), before) {
		n.t.Fatalf("step %d: Reduce changed the State it was given\n%v", after.step, ev)
	}
	encoded := AppendEffects(nil, effects)
	again, effects2 := Reduce(n.s, n.now, ev, nil)
	snapshot := n.snapshotBytes(after)
	if !bytes.Equal(encoded, AppendEffects(nil, effects2)) || !bytes.Equal(snapshot, n.snapshotBytes(again)) {
		n.t.Fatalf("step %d: Reduce is not a function\n%v", after.step, ev)
	}
	decoded := FromSnapshot(n.snapshotDecoded(before))
	if !bytes.Equal(n.snapshotBytes(decoded), before) {
		n.t.Fatalf("step %d: a snapshot read and written is another", after.step)
	}
	n.sameState(n.s, decoded)
	third, effects3 := Reduce(decoded, n.now, ev, nil)
	if !bytes.Equal(encoded, AppendEffects(nil, effects3)) || !bytes.Equal(snapshot, n.snapshotBytes(third)) {
		n.t.Fatalf("step %d: a State that was read decides otherwise\n%v", after.step, ev)
	}
	n.checkBytes(after.step, ev, effects)
	return after, effects, changed
}

func (n *node) snapshotBytes(s State) []byte {
	n.t.Helper()
	b, err := s.AppendSnapshot(nil)
	if err != nil {
		n.t.Fatal(err)
	}
	if !proto.Equal(n.snapshotDecoded(b), s.Snapshot()) {
		n.t.Fatalf("step %d: a snapshot written SA by SA is another", s.step)
	}
	return b
}

func (n *node) snapshotDecoded(b []byte) *record.Snapshot {
	n.t.Helper()
	var s record.Snapshot
	if err := proto.Unmarshal(b, &s); err != nil {
		n.t.Fatal(err)
	}
	return &s
}

// sameState compares field by field what a snapshot must bring back.
func (n *node) sameState(a, b State) {
	n.t.Helper()
	a.sas, b.sas = trie[IKESA]{count: a.sas.count}, trie[IKESA]{count: b.sas.count}
	if diff := n.differs(a, b); diff != "" {
		n.t.Fatalf("a State read is another: %s", diff)
	}
	n.s.EachSA(0, func(sa *IKESA) bool {
		if diff := n.differs(sa, saFrom(saTo(sa))); diff != "" {
			n.t.Fatalf("ike%d read is another: %s", sa.Number, diff)
		}
		return true
	})
}

// differs is how a and b differ, where empty is as good as nil; equal ones are found equal the quick way.
func (n *node) differs(a, b any) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmp.AllowUnexported(State{}, trie[IKESA]{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }))
}

// checkBytes holds AppendRecord to the generated types: what it wrote is read by them and written again, equal.
func (n *node) checkBytes(step uint64, ev *record.Event, effects []Effect) {
	n.t.Helper()
	written, err := AppendRecord(nil, step, n.now, ev, effects, sealedOf(effects))
	if err != nil {
		n.t.Fatal(err)
	}
	var r record.Record
	if err := proto.Unmarshal(written, &r); err != nil {
		n.t.Fatalf("step %d: %v", step, err)
	}
	canonical, err := record.Marshal(&r)
	if err != nil || !bytes.Equal(written, canonical) {
		n.t.Fatalf("step %d: written by hand\n%x, by the generated types\n%x (%v)\n%v", step, written, canonical, err, &r)
	}
	if len(r.GetEffects()) != len(effects) || len(r.ProtoReflect().GetUnknown()) > 0 {
		n.t.Fatalf("step %d: %d effects became %d", step, len(effects), len(r.GetEffects()))
	}
	n.ordered = r.GetEffects()
	for i, e := range r.GetEffects() {
		if e.GetKind() == nil || len(e.ProtoReflect().GetUnknown()) > 0 {
			n.t.Fatalf("step %d: effect %d has fields the schema does not know", step, i)
		}
		n.checkCause(step, i, e)
	}
}

// checkCause: what has a cause names an earlier step (or this one), by the edge that fits.
func (n *node) checkCause(step uint64, i int, e *record.Effect) {
	n.t.Helper()
	b := e.GetBecause()
	if b.GetStep() > step {
		n.t.Fatalf("step %d: effect %d comes of step %d", step, i, b.GetStep())
	}
	named := b != nil && (b.GetStep() > 0 || b.GetRoot() != 0)
	switch e.GetKind().(type) {
	case *record.Effect_Record, *record.Effect_Resend:
		if !named || b.GetEdge() != record.Edge_EDGE_SERVES {
			n.t.Fatalf("step %d: a message serves nothing: %v", step, e)
		}
	case *record.Effect_Changed, *record.Effect_Discarded:
		if !named {
			n.t.Fatalf("step %d: a change without a cause: %v", step, e)
		}
		if c := e.GetChanged(); c != nil {
			seen.note(c)
		}
	case *record.Effect_Wanted:
		if d := e.GetWanted().GetDecided(); d.GetStep() == 0 {
			n.t.Fatalf("step %d: a wish without a cause: %v", step, e)
		}
	}
}

// checkRecord: one id, one content; nothing new on an SA that is gone.
func (n *node) checkRecord(e *Effect, at Ref) {
	n.t.Helper()
	if n.gone[e.SA] {
		n.t.Fatalf("step %d: a message on ike%d, which is gone", at.Step, e.SA)
	}
	key := message2{e.SA, e.Response, e.MessageID, e.SPIr} // another responder's keys are others (W-21)
	if was, again := n.said[key]; again && !(e.Unprotected && !e.Response && e.FromInitiator) {
		n.t.Fatalf("step %d: id %d of ike%d was recorded in step %d", at.Step, e.MessageID, e.SA, was.Step)
	}
	n.said[key] = at
	if !e.Unprotected && !n.keys[e.KeyRef] {
		n.t.Fatalf("step %d: sealed under key %d, which is not there", at.Step, e.KeyRef)
	}
}
