package replay

import (
	"context"
	"fmt"
	"iter"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"google.golang.org/protobuf/proto"
)

// Step is one step run again: the record, and what the reducer of this binary makes of its event.
type Step struct {
	Entry         journal.Entry
	Record        *record.Record
	Before, After reducer.State
	Effects       []reducer.Effect // this binary's; the record has those of the time
	Touched       []uint64         // IKE SAs that it made, changed or took away
}

// Walk runs the reducer of this binary over src and yields the steps from step from on (0: from the first). The States
// are those that this binary comes to. Steps before from are run and not yielded, beginning at a snapshot.
func Walk(ctx context.Context, src Source, from uint64) iter.Seq2[Step, error] {
	return walk(ctx, src, from, src.Entries)
}

// WalkOn is Walk that goes on with each new step of a running daemon.
func WalkOn(ctx context.Context, src Source, live Follower, from uint64) iter.Seq2[Step, error] {
	return walk(ctx, src, from, func(step uint64) iter.Seq2[journal.Entry, error] { return live.Follow(ctx, step) })
}

func walk(ctx context.Context, src Source, from uint64, entries func(uint64) iter.Seq2[journal.Entry, error]) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		from = max(from, src.First())
		s, err := begin(src, from)
		if err != nil {
			yield(Step{}, err)
			return
		}
		for e, err := range entries(s.Step() + 1) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil && e.Step != s.Step()+1 {
				err = gap(s.Step(), e.Step)
			}
			r := new(record.Record)
			if err == nil {
				if err = proto.Unmarshal(e.Data, r); err != nil {
					err = unreadable(e.Step, err)
				}
			}
			if err != nil {
				yield(Step{}, err)
				return
			}
			step := Step{Entry: e, Record: r, Before: s}
			step.After, step.Effects, step.Touched, _ = reduce(s, int64(r.GetTime()), r.GetEvent())
			s = step.After
			if e.Step >= from && !yield(step, nil) {
				return
			}
		}
	}
}

// StateAt is the State after step, as this binary comes to it.
func StateAt(ctx context.Context, src Source, step uint64) (reducer.State, error) {
	s, err := begin(src, step+1)
	if err != nil || step <= s.Step() {
		return s, err
	}
	for e, err := range src.Entries(s.Step() + 1) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && e.Step != s.Step()+1 {
			err = gap(s.Step(), e.Step)
		}
		var r raw
		if err == nil {
			if r, err = split(e.Data); err != nil {
				err = unreadable(e.Step, err)
			}
		}
		if err != nil {
			return s, err
		}
		if s, _, _, _ = reduce(s, r.time, r.event); e.Step >= step {
			break
		}
	}
	return s, nil
}

// begin is the State from which step can be reached: that of the newest snapshot before it, or the empty one.
func begin(src Source, step uint64) (reducer.State, error) {
	snapshot, err := Snapshot(src, step)
	switch {
	case err != nil:
		return reducer.State{}, err
	case snapshot != nil:
		return reducer.FromSnapshot(snapshot), nil
	case src.First() > 1:
		return reducer.State{}, fmt.Errorf("the steps before %d are missing and there is no snapshot: it cannot be replayed; try: ikejd journal cat", src.First())
	}
	return reducer.New(), nil
}

// reduce is one step. Where this binary panics the State stays and the step counts, as in the engine; the panic is given
// back.
func reduce(s reducer.State, now int64, ev *record.Event) (next reducer.State, effects []reducer.Effect, touched []uint64, panicked any) {
	defer func() {
		if panicked = recover(); panicked != nil {
			next, effects = reducer.Reduce(s, max(now, s.Time()), poisoned, nil)
		}
	}()
	b := reducer.Begin(s)
	effects = b.Reduce(now, ev, nil)
	return b.State(), effects, b.Changed(), nil
}

// Changes are what the step changed in the State, one path a line.
func (s Step) Changes() []record.Change {
	var all []record.Change
	for _, number := range s.Touched {
		all = append(all, reducer.Diff(s.Before.SA(number), s.After.SA(number))...)
	}
	return all
}

// poisoned takes the place of an event that cannot be reduced.
var poisoned = &record.Event{Kind: &record.Event_Poisoned{Poisoned: &record.Poisoned{}}}

func gap(last, next uint64) error {
	return fmt.Errorf("steps %d to %d were left out of this file: it cannot be replayed; try: ikejd journal cat", last+1, next-1)
}
