package simulate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
)

// objection is a rule that objects to something ordinary.
func objection(shows func(*record.Effect) bool) func(*Node, *record.Record) string {
	return func(_ *Node, r *record.Record) string {
		if slices.ContainsFunc(r.GetEffects(), shows) {
			return "that is not wanted"
		}
		return ""
	}
}

// A seed with hundreds of faults and orders shrinks to the few that are needed, and its text is the same failure again.
func TestShrinkSeed(t *testing.T) {
	gone := func(cause record.Cause) func(*record.Effect) bool {
		return func(e *record.Effect) bool { return e.GetDiscarded().GetCause() == cause }
	}
	for _, c := range []struct {
		name  string
		most  int // happenings
		shows func(*record.Effect) bool
	}{
		{"an SA is up", 1, func(e *record.Effect) bool { return e.GetChanged().GetTo() == record.Phase_PHASE_ESTABLISHED }},
		{"acknowledged", 2, gone(record.Cause_CAUSE_ACKNOWLEDGED)},
		{"both at once", 4, gone(record.Cause_CAUSE_BOTH_AT_ONCE)},
		{"cut off", 10, gone(record.Cause_CAUSE_CUT_OFF)},
		{"third send", 5, func(e *record.Effect) bool { return e.GetResend().GetSends() == 4 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := Options{Nodes: 2, For: 10 * time.Minute, Faults: Choice{All: true}, objects: objection(c.shows)}
			seed := uint64(1)
			for _, wrong := Seed(seed, o); wrong == nil; _, wrong = Seed(seed, o) {
				seed++
			}
			small, err := ShrinkSeed(t.Context(), seed, o)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("seed %d: %d events, slice %d, %d of %d happenings:\n%s", seed, small.Events, small.Slice, small.Left, small.Before, small.Text)
			if small.Left > c.most || !small.Whole || small.Slice >= small.Events {
				t.Errorf("%d of %d happenings are left, slice %d of %d", small.Left, small.Before, small.Slice, small.Events)
			}
			play, err := ParsePlay(small.Text)
			if err != nil {
				t.Fatal(err)
			}
			number, again, _, _ := play.seeded()
			again.objects = o.objects
			if _, wrong := Seed(number, again); wrong == nil || wrong.Rule != "TEST-01" {
				t.Errorf("the text shows %v", wrong)
			}
		})
	}
}

// A scenario whose check cannot hold keeps what the check needs.
func TestShrinkPlay(t *testing.T) {
	play, err := ParsePlay(`# Too much
A>q5 INF (probe) lost
dup B>r5
@0.5 cmd A delete ike
@1 cmd B reload; @2 cmd A reload
hold B>r6 1s
check A gone acknowledged 1
check A>q6 x5
`)
	if err != nil {
		t.Fatal(err)
	}
	small, err := ShrinkPlay(t.Context(), play, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := "# Too much\ncheck A>q6 x5\n"; small.Left > 1 || !strings.HasSuffix(small.Text, "check A>q6 x5\n") || strings.Contains(small.Text, "acknowledged") {
		t.Errorf("%d of %d are left, not like %q:\n%s", small.Left, small.Before, want, small.Text)
	}
}
