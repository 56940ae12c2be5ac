package bench

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ikejd/ikejd/proto/ike"
)

// A phase begins SAs at its pace, makes up for what a timer was late and not for more, and never has more in flight than
// it may.
func TestPace(t *testing.T) {
	start := time.Unix(1000, 0)
	begun := 0
	request := ike.AppendMessage(nil, ike.Header{SPIi: 1, Exchange: ike.IKE_SA_INIT})
	g := &generator{o: Options{FirstWait: time.Second}}
	g.phase = phase{limit: 25, pace: 10 * time.Millisecond, flying: map[*sa]struct{}{}, next: start, until: start, done: make(chan struct{}),
		begin: func(*sa) ([]byte, error) { begun++; return request, nil }}
	for range 100 {
		g.phase.todo = append(g.phase.todo, new(sa))
	}
	for _, step := range []struct {
		at   time.Duration
		want int
	}{
		{0, 1}, {5 * time.Millisecond, 1}, {10 * time.Millisecond, 2}, {40 * time.Millisecond, 5},
		{time.Second, 17},                    // what was due, a backlog's worth, and not a second's
		{time.Second + time.Millisecond, 17}, // nor later
		{time.Second + 10*time.Millisecond, 18},
		{2 * time.Second, 25}, {3 * time.Second, 25}, // all that may wait do
	} {
		g.fill(start.Add(step.at))
		if begun != step.want {
			t.Fatalf("after %v: %d begun, want %d", step.at, begun, step.want)
		}
	}
	for s := range g.phase.flying {
		g.ended(s, nil)
	}
	g.phase.todo = nil
	g.fill(start.Add(4 * time.Second))
	if !g.phase.over || g.phase.result.Done() != 25 {
		t.Errorf("over: %v, %d done", g.phase.over, g.phase.result.Done())
	}
}

// While SAs are held each has its turn again and again; one that waits for an answer is passed over, one that is gone
// comes no more.
func TestTurns(t *testing.T) {
	start := time.Unix(1000, 0)
	var order []int
	request := ike.AppendMessage(nil, ike.Header{SPIi: 1, Exchange: ike.INFORMATIONAL})
	g := &generator{o: Options{FirstWait: time.Second}}
	g.phase = phase{limit: 3, pace: 10 * time.Millisecond, lasts: time.Second, flying: map[*sa]struct{}{}, next: start, until: start.Add(time.Second),
		done: make(chan struct{}), result: Phase{Failures: map[string]int{}},
		begin: func(s *sa) ([]byte, error) { order = append(order, s.number); return request, nil }}
	all := []*sa{{number: 0, up: true}, {number: 1, up: true}, {number: 2, up: true}}
	g.phase.todo = slices.Clone(all)
	for i := range 12 {
		g.fill(start.Add(time.Duration(i) * 10 * time.Millisecond))
		for s := range g.phase.flying {
			if s.number != 1 || i > 6 {
				g.ended(s, nil)
			}
		}
		if i == 8 {
			all[2].up = false
		}
	}
	if want := []int{0, 1, 2, 0, 2, 0, 2, 0, 1}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
	g.fill(start.Add(2 * time.Second))
	if !g.phase.over || g.phase.result.Asked != len(order) {
		t.Errorf("over: %v, asked %d", g.phase.over, g.phase.result.Asked)
	}
}

// Quantiles are those of the sorted times, to one part in 64.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(0, 1<<45), 1, 200).Draw(t, "times")
		var w waits
		for _, v := range times {
			w.add(time.Duration(v))
		}
		slices.Sort(times)
		for _, q := range []float64{0, .5, .9, .99, .999, 1} {
			want := times[min(int(q*float64(len(times))), len(times)-1)]
			if got := int64(w.quantile(q)); got < want || got > want+want>>fine {
				t.Fatalf("q %v of %v: %d, want %d", q, times, got, want)
			}
		}
		if got := int64(w.quantile(1)); got != times[len(times)-1] {
			t.Fatalf("longest %d, want %d", got, times[len(times)-1])
		}
	})
	if new(waits).quantile(.5) != 0 {
		t.Error("a quantile of nothing")
	}
}
