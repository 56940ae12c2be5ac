package minimise

import (
	"context"

	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/audit"
)

// Finding looks for what is to be shown in a journal: the steps at which it shows, the last of them last; none is that it
// does not.
type Finding func(*Journal) []uint64

// Violates is that a rule of the audit is violated; with an empty id any rule. A part in which rules are violated that are
// not in the whole is none that a daemon could have written, and shows nothing.
func Violates(whole *Journal, id string) Finding {
	known := violations(whole)
	return func(j *Journal) (at []uint64) {
		for rule, steps := range violations(j) {
			if known[rule] == nil {
				return nil
			}
			if id == "" || rule == id {
				at = append(at, steps[0])
			}
		}
		return at
	}
}

// violations are the steps at which each rule is violated.
func violations(j *Journal) map[string][]uint64 {
	all := map[string][]uint64{}
	judge := func(found []audit.Finding) {
		for _, f := range found {
			if f.Verdict == audit.Violation {
				all[f.Rule] = append(append(all[f.Rule], f.Step), f.Evidence...)
			}
		}
	}
	a := audit.New()
	if j.Snapshot != nil {
		a.Start(j.Snapshot)
	}
	for _, r := range j.Records {
		judge(a.Record(r))
	}
	judge(a.End().Last)
	return all
}

// Diverges is that this binary decides otherwise than the journal says: at an event of the same kind, in an effect of the
// same kind, as in the whole at first. Other differences, which come of leaving steps out, do not count.
func Diverges(ctx context.Context, whole *Journal) Finding {
	first, there := divergence(ctx, whole)
	return func(j *Journal) []uint64 {
		d, still := divergence(ctx, j)
		if !there || !still || what(d) != what(first) {
			return nil
		}
		return []uint64{d.Step}
	}
}

func divergence(ctx context.Context, j *Journal) (replay.Divergence, bool) {
	result, err := replay.Verify(ctx, j, replay.Options{})
	if err != nil || len(result.Divergences) == 0 {
		return replay.Divergence{}, false
	}
	return result.Divergences[0], true
}

// difference is what makes two divergences the same.
type difference struct {
	kind                    replay.Kind
	event, recorded, binary string
}

func what(d replay.Divergence) difference {
	return difference{d.Kind, kindOf(d.Event), kindOf(d.Journal), kindOf(d.Binary)}
}

// Replays holds a finding to parts that this binary decides as they say, where it decides the whole so: such a part is a
// history that can have been.
func Replays(ctx context.Context, whole *Journal, finding Finding) Finding {
	if _, diverges := divergence(ctx, whole); diverges {
		return finding
	}
	return func(j *Journal) []uint64 {
		at := finding(j)
		if len(at) == 0 {
			return nil
		}
		if _, diverges := divergence(ctx, j); diverges {
			return nil
		}
		return at
	}
}
