package engine

import (
	"cmp"
	"slices"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"google.golang.org/protobuf/proto"
)

// removals are the orders to remove a Child SA that the kernel has not answered. Their SA may be gone from the State, so
// they are kept beside it: the next run asks again (PROTOCOL.md, D-30).
type removals map[reducer.Ref]*record.Effect

// ordered notes an effect of a step, if it is one.
func (r removals) ordered(at reducer.Ref, e *reducer.Effect) {
	if e.Kind != reducer.EffectRemoveChild {
		return
	}
	var one record.Record // Effect has one encoding, and the reducer writes it
	if err := proto.Unmarshal(reducer.AppendEffects(nil, []reducer.Effect{*e}), &one); err != nil {
		panic("an effect cannot be read back: " + err.Error())
	}
	r[at] = one.GetEffects()[0]
}

// happened notes what an event settles. A run that takes over asks again for all.
func (r removals) happened(ev *record.Event) {
	switch ev.Kind.(type) {
	case *record.Event_ChildRemoved:
		delete(r, reducer.Ref{Step: ev.GetBecause().GetStep(), Index: ev.GetBecause().GetIndex()})
	case *record.Event_Recovered:
		clear(r)
	}
}

// list is what is not answered, in the order in which it was ordered.
func (r removals) list() []*record.OwedRemoval {
	var all []*record.OwedRemoval
	for at, e := range r {
		all = append(all, &record.OwedRemoval{Step: at.Step, Index: at.Index, Effect: e})
	}
	slices.SortFunc(all, func(a, b *record.OwedRemoval) int {
		return cmp.Or(cmp.Compare(a.GetStep(), b.GetStep()), cmp.Compare(a.GetIndex(), b.GetIndex()))
	})
	return all
}

// take is those of a snapshot.
func (r removals) take(s *record.Snapshot) {
	for _, owed := range s.GetRemovals() {
		r[reducer.Ref{Step: owed.GetStep(), Index: owed.GetIndex()}] = owed.GetEffect()
	}
}
