package minimise

import (
	"context"

	"google.golang.org/protobuf/proto"
)

// Result is a journal made smaller.
type Result struct {
	Journal *Journal
	Events  int  // in the whole
	Slice   int  // in the causal slice of the finding
	Whole   bool // nothing smaller was found when all had been tried; false: ctx ended first
}

// Least is the least part of a journal that was found in which the finding shows, which shows in the whole.
func Least(ctx context.Context, whole *Journal, finding Finding) Result {
	result := Result{Journal: whole, Events: len(whole.Records)}
	at := finding(whole)
	slice := whole.Slice(at...)
	result.Slice = len(slice)
	until := whole.Last().Step
	for _, step := range at {
		until = min(until, step)
	}
	// What is tried first is least: the slice, then all that its SAs went through.
	steps := whole.steps(func(uint64) bool { return true })
	for _, wider := range []map[uint64]bool{slice, whole.lives(slice), whole.histories(slice, until), whole.histories(slice, whole.Last().Step)} {
		if ctx.Err() != nil {
			break
		}
		if part := whole.only(func(step uint64) bool { return wider[step] }); len(finding(part)) > 0 {
			steps = whole.steps(func(step uint64) bool { return wider[step] })
			break
		}
	}
	least, all := Shrink(ctx, steps, func(some []uint64) bool { return len(finding(whole.these(some))) > 0 })
	result.Journal, result.Whole = whole.these(least), all
	return result
}

// these is the journal of those steps.
func (j *Journal) these(steps []uint64) *Journal {
	kept := map[uint64]bool{}
	for _, step := range steps {
		kept[step] = true
	}
	return j.only(func(step uint64) bool { return kept[step] })
}

func (j *Journal) steps(keep func(uint64) bool) []uint64 {
	var all []uint64
	for _, r := range j.Records {
		if keep(r.GetStep()) {
			all = append(all, r.GetStep())
		}
	}
	return all
}

// kindOf is the kind of an event or an effect; empty for nil.
func kindOf(m proto.Message) string {
	r := m.ProtoReflect()
	if !r.IsValid() {
		return ""
	}
	if f := r.WhichOneof(r.Descriptor().Oneofs().ByName("kind")); f != nil {
		return string(f.Name())
	}
	return ""
}
