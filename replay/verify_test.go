package replay_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
)

func verify(t *testing.T, src replay.Source, o replay.Options) replay.Result {
	t.Helper()
	r, err := replay.Verify(context.Background(), src, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEqual(t *testing.T) {
	s := replaytest.Life(t)
	sources := map[string]replay.Source{"memory": s.Source(), "after a snapshot": s.After(5)}
	for name, rolls := range map[string][]uint64{"journal": nil, "segments": {10, 25}} {
		src, err := replay.Open(s.Journal(rolls...))
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		sources[name] = src
	}
	for name, src := range sources {
		r := verify(t, src, replay.Options{})
		if !r.Equal() {
			t.Errorf("%s: %+v", name, r.Divergences)
		}
		if r.Last != s.Step() || r.Steps != s.Step()+1-r.First || r.Runs != 2 || r.State.Step() != s.Step() {
			t.Errorf("%s: %d steps, %d to %d, of %d runs", name, r.Steps, r.First, r.Last, r.Runs)
		}
		if r.First == 1 && strings.Join(r.Versions, " ") != "0.1.0 0.2.0" {
			t.Errorf("%s: written by %q", name, r.Versions)
		}
	}
}

// A poisoned event leaves the State as it is, and the step counts.
func TestPoisoned(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
	east := s.Up("gw-east")
	s.Event(&record.Event{IkeSa: east, Kind: &record.Event_Poisoned{Poisoned: &record.Poisoned{Panic: "x",
		Event: &record.Event{IkeSa: east, Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}}}}})
	s.Close(east)
	s.Answer(east)
	if r := verify(t, s.Source(), replay.Options{}); !r.Equal() || r.Last != s.Step() {
		t.Errorf("%+v", r)
	}
}

// Each way in which two sides can differ is told apart from the others.
func TestDivergences(t *testing.T) {
	for _, c := range []struct {
		kind            replay.Kind
		change          func([]reducer.Effect) []reducer.Effect
		journal, binary reducer.EffectKind
	}{
		{replay.Missing, func(e []reducer.Effect) []reducer.Effect {
			more := e[len(e)-2]
			more.MessageID++
			return append(e[:len(e):len(e)], more)
		}, reducer.EffectRecord, 0},
		{replay.Extra, func(e []reducer.Effect) []reducer.Effect { return drop(e, reducer.EffectRecord) }, 0, reducer.EffectRecord},
		{replay.Changed, func(e []reducer.Effect) []reducer.Effect {
			other := append([]reducer.Effect(nil), e...)
			for i := range other {
				if other[i].Kind == reducer.EffectRecord {
					other[i].MessageID += 7
				}
			}
			return other
		}, reducer.EffectRecord, reducer.EffectRecord},
		{replay.OutOfOrder, func(e []reducer.Effect) []reducer.Effect {
			other := append([]reducer.Effect(nil), e...)
			other[0], other[1] = other[1], other[0]
			return other
		}, reducer.EffectWanted, reducer.EffectSetTimer},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			s := replaytest.New(t)
			s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
			east := s.Up("gw-east")
			s.Otherwise(&record.Event{IkeSa: east, Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}}, c.change)
			at := s.Step()
			s.Answer(east)
			r := verify(t, s.Source(), replay.Options{})
			if len(r.Divergences) != 1 {
				t.Fatalf("%d divergences: %+v", len(r.Divergences), r.Divergences)
			}
			d := r.Divergences[0]
			if d.Kind != c.kind || d.Step != at || d.SA != east || d.Version != "0.1.0" || kindOf(d.Journal) != c.journal || kindOf(d.Binary) != c.binary {
				t.Errorf("%v at %d of ike%d (%s): %v | %v", d.Kind, d.Step, d.SA, d.Version, d.Journal, d.Binary)
			}
		})
	}
}

func drop(effects []reducer.Effect, kind reducer.EffectKind) []reducer.Effect {
	var rest []reducer.Effect
	for _, e := range effects {
		if e.Kind != kind {
			rest = append(rest, e)
		}
	}
	return rest
}

func kindOf(e *record.Effect) reducer.EffectKind {
	if e == nil {
		return 0
	}
	m := e.ProtoReflect()
	return reducer.EffectKind(m.WhichOneof(m.Descriptor().Oneofs().ByName("kind")).Number())
}

// An event on which this binary panics is a divergence, and the replay goes on behind it.
func TestPanic(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
	s.Wait(-time.Hour) // time runs back
	s.Unreducible(&record.Event{Kind: &record.Event_RunEnded{RunEnded: &record.RunEnded{}}})
	s.Wait(2 * time.Hour)
	s.Up("gw-east")
	r := verify(t, s.Source(), replay.Options{All: true})
	if len(r.Divergences) != 1 || r.Divergences[0].Kind != replay.Panicked || r.Divergences[0].Step != 3 || r.Last != s.Step() {
		t.Errorf("%+v", r.Divergences)
	}
}

// Without All the first divergence of each SA is kept; SA and Until narrow it.
func TestWhichDivergences(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"), replaytest.Connection("gw-lab", "198.51.100.4"))
	east, lab := s.Up("gw-east"), s.Up("gw-lab")
	less := func(e []reducer.Effect) []reducer.Effect { return e[:len(e)-1] }
	for _, number := range []uint64{east, lab, east} {
		s.Otherwise(&record.Event{IkeSa: number, Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: 1},
			Kind: &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer_TIMER_LINGER}}}, less)
	}
	for _, c := range []struct {
		o    replay.Options
		want int
	}{
		{replay.Options{}, 2}, {replay.Options{All: true}, 3}, {replay.Options{Until: s.Step() - 1, All: true}, 2},
		{replay.Options{All: true, SA: func(n uint64) bool { return n == east }}, 2},
	} {
		if r := verify(t, s.Source(), c.o); len(r.Divergences) != c.want {
			t.Errorf("%+v: %d divergences, want %d", c.o, len(r.Divergences), c.want)
		}
	}
}

func TestCannotReplay(t *testing.T) {
	s := replaytest.Life(t)
	left := s.Source()
	left.Steps = append(left.Steps[:5:5], left.Steps[7:]...)
	if _, err := replay.Verify(context.Background(), left, replay.Options{}); err == nil || !strings.Contains(err.Error(), "steps 6 to 7 were left out") {
		t.Errorf("steps left out: %v", err)
	}
	head := s.Source()
	head.Steps = head.Steps[5:]
	if _, err := replay.Verify(context.Background(), head, replay.Options{}); err == nil || !strings.Contains(err.Error(), "no snapshot") {
		t.Errorf("no beginning: %v", err)
	}
	if _, err := replay.Open(filepath.Join(t.TempDir(), "none.ikej")); err == nil {
		t.Error("a journal that is not there was opened")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := replay.Verify(ctx, s.Source(), replay.Options{}); err == nil {
		t.Error("an interrupted replay has a verdict")
	}
}
