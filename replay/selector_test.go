package replay_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
)

func list(t testing.TB, src replay.Source) *replay.Catalog {
	t.Helper()
	c, err := replay.List(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// named are the SAs that a selector names, by number; an error is its text.
func named(c *replay.Catalog, what string) (numbers []uint64, problem string) {
	sel, err := replay.ParseSelector(what)
	if err != nil {
		return nil, err.Error()
	}
	sas, err := c.Select([]replay.Selector{sel})
	if err != nil {
		return nil, err.Error()
	}
	for _, sa := range sas {
		numbers = append(numbers, sa.Number)
	}
	return numbers, ""
}

func TestSelectors(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"), replaytest.Connection("beef", "198.51.100.4"))
	s.Up("gw-east")            // ike1, child1
	s.Accept("beef", false)    // ike2, child2
	s.Accept("gw-east", false) // ike3, child3
	c := list(t, s.Source())
	sa, _ := c.SA(1)
	spii := strings.ToLower(hexOf(sa.SPIi, 16))
	for _, k := range []struct {
		what string
		want []uint64
	}{
		{"ike1", []uint64{1}}, {"child2", []uint64{2}}, {"ike9", nil}, {"child9", nil}, {"ike0", nil}, {"ike01", nil},
		{"gw-east", []uint64{1, 3}}, {"beef", []uint64{2}}, {"gw-east.example", []uint64{1, 3}}, {`"gw-east.example"`, []uint64{1, 3}},
		{"203.0.113.9", []uint64{1, 3}}, {"203.0.113.9:500", []uint64{1, 3}}, {"203.0.113.9:4500", nil}, {"::ffff:198.51.100.4", []uint64{2}}, {"192.0.2.1", nil},
		{spii, []uint64{1}}, {spii[:8], []uint64{1, 2, 3}}, {"0x" + spii, []uint64{1}}, {strings.ToUpper(spii), []uint64{1}}, {spii[:3], nil},
		{"a11c", []uint64{2, 3}}, {"0xc1f20002", []uint64{2}}, {"c1f2", []uint64{1, 2, 3}}, {"d0000003", []uint64{3}}, {"0b77", []uint64{1}}, {"", nil}, {"a\x1bb", nil},
	} {
		got, problem := named(c, k.what)
		if len(got) != len(k.want) || (len(got) > 0) != (problem == "") {
			t.Errorf("%q names %v (%s), want %v", k.what, got, problem, k.want)
			continue
		}
		for i := range got {
			if got[i] != k.want[i] {
				t.Errorf("%q names %v, want %v", k.what, got, k.want)
			}
		}
		if problem != "" && !strings.Contains(problem, "try: ") {
			t.Errorf("%q: %s does not say what to do", k.what, problem)
		}
	}
}

func hexOf(v uint64, digits int) string {
	const hex = "0123456789abcdef"
	out := make([]byte, digits)
	for i := range out {
		out[digits-1-i] = hex[v>>(4*i)&15]
	}
	return string(out)
}

func TestPoints(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"), replaytest.Connection("gw-lab", "198.51.100.4")) // 1, 2
	s.Up("gw-east")                                                                                                    // 3 to 11
	up := s.Step()
	s.Wait(time.Hour)
	s.Up("gw-lab")
	second := up + 1
	s.Wait(time.Second)
	s.Close(1)
	closed := s.Step()
	s.Shutdown(30 * time.Second)
	asked := s.Step()
	s.Answer(1)
	s.Answer(2)
	src := s.Source()
	c := list(t, src)
	one, _ := c.SA(1)
	all := replay.Scope{Source: src, Catalog: c, Place: time.UTC}
	of1 := all
	of1.SAs = []*replay.SA{one}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	there := all
	there.Place = berlin
	end := s.Step()
	for _, k := range []struct {
		scope  replay.Scope
		what   string
		before bool
		want   uint64
	}{
		{all, "5", false, 5}, {all, "5+3", false, 8}, {all, "5-3", false, 2}, {all, "5-30", false, 1}, {all, "end+3", false, end},
		{all, "start", false, 1}, {all, "end", false, end}, {all, "shutdown", false, asked}, {all, "shutdown-1", false, asked - 1},
		{all, "02:07:10", false, 1}, {all, "02:07", true, 0}, {all, "02:07:10", true, up}, {all, "03:07:10", false, second}, {all, "03:07:09.999", true, up},
		{there, "04:07:10", false, second}, {all, "2026-11-23T03:00Z", false, second}, {all, "2026-11-23T04:00:00+01:00", false, second}, {there, "2026-11-23T04:00", false, second},
		{all, "2026-11-23", false, 1}, {all, "2026-11-24", true, end}, {all, "04:00", false, 1}, // of the day before
		{all, "-1s", false, second}, {all, "-1h", true, up}, {all, "-1m", false, second},
		{all, "ike1.established", false, 10}, {all, "ike1.deleting", false, closed}, {of1, ".discarded", false, asked + 1}, {of1, ".deleting-1", false, up},
		{of1, "end", false, end}, {of1, "end-1", false, asked + 1}, {of1, "ike1.established+1", false, up}, {of1, "start+1", false, 3},
	} {
		p, err := replay.ParsePoint(k.what, k.scope.Place)
		if err != nil {
			t.Errorf("%q: %v", k.what, err)
			continue
		}
		if got, err := k.scope.Step(p, k.before); err != nil || got != k.want {
			t.Errorf("%q (before %v) is step %d, want %d (%v)", k.what, k.before, got, k.want, err)
		}
	}
	for _, bad := range []string{"", "x", "-", "+3", "5+", "5+x", "0", "-5", "25:00", "ike.deleting", "ike1.gone", "2026-13-01", "--1s", "-+1s", "end+99999999999"} {
		if p, err := replay.ParsePoint(bad, time.UTC); err == nil {
			t.Errorf("%q is taken for a point: %+v", bad, p)
		}
	}
	for _, none := range []string{"ike9.established", "ike1.lingering"} {
		p, err := replay.ParsePoint(none, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := all.Step(p, false); err == nil {
			t.Errorf("%s was found", none)
		}
	}
}

// FuzzSelecting holds that no text upsets the parsers, and that what they take can be looked for.
func FuzzSelecting(f *testing.F) {
	for _, seed := range []string{"ike7", "child12", "5f3a", "0xc1f2", "203.0.113.9:500", "gw-east", "48913", "03:12:07.5", "2026-11-23T03:12Z", "-10m",
		"start", "shutdown+3", "end-3", "ike1.established", ".deleting", "\x1b[2J", "ike18446744073709551616", "2026-11-23T03:12:00+01:00-4", "-9223372036s"} {
		f.Add(seed)
	}
	s := replaytest.New(f)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
	s.Up("gw-east")
	s.Shutdown(time.Second)
	src := s.Source()
	c := list(f, src)
	f.Fuzz(func(t *testing.T, what string) {
		sel, err := replay.ParseSelector(what)
		if err == nil {
			if sel.String() != what {
				t.Fatalf("%q became %q", what, sel)
			}
			_, _ = c.Select([]replay.Selector{sel})
		}
		p, err := replay.ParsePoint(what, time.UTC)
		if err != nil {
			return
		}
		for _, before := range []bool{false, true} {
			step, err := replay.Scope{Source: src, Catalog: c, SAs: c.SAs, Place: time.UTC}.Step(p, before)
			if err == nil && step > c.Last+1 && (what[0] < '0' || what[0] > '9') { // a number may be of any step
				t.Fatalf("%q is step %d of %d", what, step, c.Last)
			}
		}
	})
}

// The catalog is what the notes say, also where the journal begins within an SA's life.
func TestCatalog(t *testing.T) {
	s := replaytest.Life(t)
	whole := list(t, s.Source())
	if len(whole.SAs) != 4 || len(whole.Runs) != 2 {
		t.Fatalf("%d SAs, %d runs", len(whole.SAs), len(whole.Runs))
	}
	for i, want := range []string{"acknowledged", "peer asked", "acknowledged", "unacknowledged, 18 sends"} {
		if sa := whole.SAs[i]; sa.Ending() != want || sa.Installed() != 1 || sa.Established == 0 || sa.Ended < sa.Established || sa.Peer() == "-" {
			t.Errorf("ike%d ended %q, %d children, peer %s", sa.Number, sa.Ending(), sa.Installed(), sa.Peer())
		}
	}
	run, err := whole.Run(-1)
	if err != nil || run.Number != 2 || run.Asked.GetSignal() != "SIGTERM" || run.Report == nil || run.Reason != "SIGTERM" {
		t.Errorf("%+v %v", run, err)
	}
	for at := uint64(1); at < s.Step(); at += 7 {
		part := list(t, s.After(at))
		for _, sa := range part.SAs {
			before, ok := whole.SA(sa.Number)
			if !ok || sa.Ending() != before.Ending() || sa.Ended != before.Ended || sa.Connection != before.Connection || sa.SPIi != before.SPIi ||
				sa.Established != before.Established || sa.Peer() != before.Peer() {
				t.Errorf("after step %d ike%d is %+v, was %+v", at, sa.Number, sa, before)
			}
		}
	}
	live := s.Source()
	live.Running = true
	if run, err := list(t, live).Run(-1); err != nil || run.Number != 1 {
		t.Errorf("the run before that of a living daemon is %+v, %v", run, err)
	}
	if run, err := list(t, live).Run(0); err != nil || run.Number != 2 {
		t.Errorf("the run of a living daemon is %+v, %v", run, err)
	}
}

// Walk gives the States on either side of each step, from wherever it begins.
func TestWalk(t *testing.T) {
	s := replaytest.Life(t)
	src, err := replay.Open(s.Journal(9, 21))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for _, from := range []uint64{0, 1, 9, 10, 22, s.Step()} {
		next := max(from, 1)
		for step, err := range replay.Walk(t.Context(), src, from) {
			if err != nil {
				t.Fatal(err)
			}
			if step.Record.GetStep() != next || step.Before.Step() != next-1 || step.After.Step() != next || len(step.Effects) != len(step.Record.GetEffects()) {
				t.Fatalf("from %d: step %d between %d and %d", from, step.Record.GetStep(), step.Before.Step(), step.After.Step())
			}
			next++
		}
		if next != s.Step()+1 {
			t.Errorf("from %d it ends before %d", from, next)
		}
	}
	for _, at := range []uint64{1, 9, 15, s.Step()} {
		state, err := replay.StateAt(t.Context(), src, at)
		if err != nil || state.Step() != at {
			t.Errorf("the State after %d is that after %d: %v", at, state.Step(), err)
		}
	}
}

// What a resend sent is found by the step that recorded it.
func TestSent(t *testing.T) {
	s := replaytest.Life(t)
	sent := replay.Sent(s.Source())
	found := 0
	for _, r := range s.Records() {
		for _, e := range r.GetEffects() {
			if e.GetResend() == nil {
				continue
			}
			found++
			if b := e.GetBecause(); b.GetEdge() != record.Edge_EDGE_SERVES || len(sent(b.GetStep(), b.GetIndex())) == 0 {
				t.Errorf("step %d sends again what nobody recorded", r.GetStep())
			}
		}
	}
	if found == 0 {
		t.Error("nothing was sent again")
	}
	if sent(10_000, 0) != nil {
		t.Error("a step that is not there has a datagram")
	}
}
