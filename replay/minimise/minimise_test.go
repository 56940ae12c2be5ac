package minimise

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
)

// What is needed is found, wherever it lies.
func TestShrink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfNDistinct(rapid.Int(), 1, 60, rapid.ID[int]).Draw(t, "items")
		needed := rapid.SliceOfDistinct(rapid.SampledFrom(items), rapid.ID[int]).Draw(t, "needed")
		least, whole := Shrink(context.Background(), items, func(some []int) bool {
			for _, n := range needed {
				if !slices.Contains(some, n) {
					return false
				}
			}
			return true
		})
		if !whole || len(least) != len(needed) {
			t.Fatalf("of %v, which needs %v, %v is left", items, needed, least)
		}
	})
}

// An interrupted search gives the best so far.
func TestShrinkInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	least, whole := Shrink(ctx, make([]int, 64), func(some []int) bool {
		if calls++; calls == 3 {
			cancel()
		}
		return len(some) > 3
	})
	if whole || len(least) != 32 && len(least) != 16 {
		t.Errorf("%d are left, whole %v", len(least), whole)
	}
}

func sample(t *testing.T, name string) *Journal {
	t.Helper()
	s := replaytest.New(t)
	replaytest.Samples[name](s)
	j, err := Read(s.Source())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A journal of many SAs shrinks to the one that shows what is objected to, and replays.
func TestLeast(t *testing.T) {
	for _, c := range []struct {
		sample string
		most   int // events
		shows  func(*record.Record) bool
	}{
		{"ends", 14, func(r *record.Record) bool { return discarded(r, record.Cause_CAUSE_ACKNOWLEDGED) }},
		{"ends", 12, func(r *record.Record) bool { return discarded(r, record.Cause_CAUSE_REFUSED) }},
		{"ends", 16, func(r *record.Record) bool { return discarded(r, record.Cause_CAUSE_BOTH_AT_ONCE) }},
	} {
		whole := sample(t, c.sample)
		finding := Replays(t.Context(), whole, func(j *Journal) (at []uint64) {
			for _, r := range j.Records {
				if c.shows(r) {
					at = append(at, r.GetStep())
				}
			}
			return at
		})
		result := Least(t.Context(), whole, finding)
		if n := len(result.Journal.Records); n > c.most || n >= result.Events || !result.Whole || len(finding(result.Journal)) == 0 {
			t.Errorf("%s: %d events, slice %d, %d are left, whole %v", c.sample, result.Events, result.Slice, n, result.Whole)
		}
		if again, err := replay.Verify(t.Context(), result.Journal, replay.Options{}); err != nil || !again.Equal() {
			t.Errorf("%s: the part replays differently: %v %+v", c.sample, err, again.Divergences)
		}
	}
}

func discarded(r *record.Record, cause record.Cause) bool {
	return slices.ContainsFunc(r.GetEffects(), func(e *record.Effect) bool { return e.GetDiscarded().GetCause() == cause && e.GetDiscarded() != nil })
}

// A violation, and a decision that is another today, shrink too.
func TestLeastOfFindings(t *testing.T) {
	whole := sample(t, "otherwise")
	for name, finding := range map[string]Finding{"WIN-01": Violates(whole, "WIN-01"), "any": Violates(whole, ""), "diverges": Diverges(t.Context(), whole)} {
		if len(finding(whole)) == 0 {
			t.Fatalf("%s does not show in the whole", name)
		}
		result := Least(t.Context(), whole, finding)
		if n := len(result.Journal.Records); n >= result.Events || !result.Whole || len(finding(result.Journal)) == 0 {
			t.Errorf("%s: %d events, %d are left, whole %v", name, result.Events, n, result.Whole)
		}
	}
}
