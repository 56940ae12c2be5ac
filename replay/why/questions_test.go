package why_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
	"github.com/ikejd/ikejd/replay/why"
)

// each calls ask for every journal of the samples, whole, in its second half, and as it was after each step.
func each(t *testing.T, ask func(t *testing.T, src replay.Source, c *replay.Catalog)) {
	for _, name := range []string{"ends", "children", "alive", "cutoff"} {
		t.Run(name, func(t *testing.T) {
			s := replaytest.New(t)
			replaytest.Samples[name](s)
			sources := []replay.Source{s.Source(), s.After(s.Step() / 2)}
			for step := uint64(1); step <= s.Step(); step += 13 {
				src, err := replay.UpTo(s.Source(), step)
				if err != nil {
					t.Fatal(err)
				}
				sources = append(sources, src)
			}
			for _, src := range sources {
				c, err := replay.List(t.Context(), src)
				if err != nil {
					t.Fatal(err)
				}
				ask(t, src, c)
			}
		})
	}
}

// sound holds that an answer says something, in three sentences at most, and that its chain leads back to a root.
func sound(t *testing.T, a *why.Answer, err error) {
	t.Helper()
	switch {
	case err != nil:
		t.Error(err)
	case len(a.Verdict) == 0 || len(a.Verdict) > 3 || a.Subject == "":
		t.Errorf("%+v", a)
	case a.Ends != "" && !strings.Contains(a.Ends, "before this journal begins"):
		t.Errorf("%s: %s", a.Subject, a.Ends)
	case a.Ends == "" && len(a.Rows) > 0:
		checkRows(t, a)
	}
}

// Every child of every SA has an explanation, at every moment.
func TestChildren(t *testing.T) {
	asked := 0
	each(t, func(t *testing.T, src replay.Source, c *replay.Catalog) {
		for _, sa := range c.SAs {
			for _, child := range sa.Children {
				a, err := why.Child(t.Context(), src, c, sa, child, "", why.Options{Place: time.UTC})
				sound(t, a, err)
				asked++
				if err == nil && (a.Child != child.Number || strings.Contains(a.Subject, "not gone") != (child.Phase != record.ChildPhase_CHILD_PHASE_REMOVED)) {
					t.Errorf("child%d, %v: %s", child.Number, child.Phase, a.Subject)
				}
			}
		}
	})
	if asked < 50 {
		t.Errorf("only %d were asked about", asked)
	}
}

// Why an SA is not in a state has an answer for each state, at every moment; what it says of the state is true.
func TestNot(t *testing.T) {
	words := []string{"halfopen", "established", "deleting", "lingering", "discarded"}
	each(t, func(t *testing.T, src replay.Source, c *replay.Catalog) {
		for _, sa := range c.SAs {
			for _, word := range words {
				state, err := replay.ParsePhase(word)
				if err != nil {
					t.Fatal(err)
				}
				a, err := why.Not(t.Context(), src, c, sa, "", state, why.Options{Place: time.UTC})
				sound(t, a, err)
				if err == nil && strings.HasSuffix(a.Subject, " It is "+text.Phase(state)+".") != (sa.Phase == state) {
					t.Errorf("%s is %s: %s", word, sa.Phase, a.Subject)
				}
			}
		}
	})
}

// Any two SAs have a place where they part, or none; asked the other way round it is the same place.
func TestUnlike(t *testing.T) {
	each(t, func(t *testing.T, src replay.Source, c *replay.Catalog) {
		for _, sa := range c.SAs {
			for _, other := range c.SAs {
				a, err := why.Unlike(t.Context(), src, c, sa, other, why.Options{Place: time.UTC})
				if sa == other {
					var missing *replay.NotThere
					if !errors.As(err, &missing) {
						t.Errorf("ike%d and itself: %v", sa.Number, err)
					}
					continue
				}
				if other.Number < sa.Number {
					continue // that was the other way round
				}
				sound(t, a, err)
				back, err := why.Unlike(t.Context(), src, c, other, sa, why.Options{Place: time.UTC})
				sound(t, back, err)
				if len(a.Parts) != len(back.Parts) || len(a.Parts) == 2 && (a.Parts[0] != back.Parts[1] || a.Parts[1] != back.Parts[0]) {
					t.Errorf("ike%d and ike%d: %+v, and the other way round %+v", sa.Number, other.Number, a.Parts, back.Parts)
				}
			}
		}
	})
}

// Two SAs to which the same happened part nowhere, though one sent its request twice.
func TestAlike(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"), replaytest.Connection("gw-lab", "198.51.100.4"))
	for _, name := range []string{"gw-east", "gw-lab"} {
		number := s.Up(name)
		s.Close(number)
		if number == 2 {
			s.Fire(number, record.Timer_TIMER_RETRANSMIT)
		}
		s.Answer(number)
	}
	src := s.Source()
	c, err := replay.List(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	a, err := why.Unlike(context.Background(), src, c, c.SAs[0], c.SAs[1], why.Options{Place: time.UTC})
	if err != nil || len(a.Parts) != 0 || a.Verdict[0] != "They part nowhere in this journal." {
		t.Errorf("%+v, %v", a, err)
	}
}
