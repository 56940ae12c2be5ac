package why_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
	"github.com/ikejd/ikejd/replay/why"
)

// many is a journal in which SAs end in several ways, over a restart.
func many(t testing.TB) *replaytest.Script {
	s := replaytest.New(t)
	east := replaytest.Connection("gw-east", "203.0.113.9")
	east.DpdDelay = uint64(30 * time.Second)
	east.Children[0].StartAction = record.StartAction_START_ACTION_START
	s.Start("0.1.0", east, replaytest.Connection("gw-lab", "198.51.100.4"))
	one := s.Up("gw-east")
	two := s.Accept("gw-lab", false)
	s.Check(one)
	s.Close(one)
	s.Fire(one, record.Timer_TIMER_RETRANSMIT)
	s.Answer(one)
	s.Recover("0.2.0")
	s.Answer(one)
	s.PeerDeletes(two)
	s.Fire(two, record.Timer_TIMER_LINGER)
	three := s.Up("gw-east")
	s.Check(three)
	s.GiveUp(three)
	s.Initiate("gw-lab")
	s.Up("gw-east")
	s.Shutdown(20 * time.Second)
	s.Elapse(time.Minute)
	return s
}

// Every step of a journal has a chain that ends at roots: what does not is a bug of ours (REPLAY-UX.md).
func TestEveryChainEndsAtARoot(t *testing.T) {
	src := many(t).Source()
	c, err := replay.List(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	for step := c.First; step <= c.Last; step++ {
		for _, full := range []bool{false, true} {
			a, err := why.Step(src, c, step, why.Options{Full: full, Place: time.UTC})
			if err != nil {
				t.Fatal(err)
			}
			if a.Ends != "" {
				t.Errorf("step %d: %s", step, a.Ends)
			}
			checkRows(t, a)
		}
	}
}

// checkRows holds that a chain is newest first, leads to older steps only, and that its last row has a root.
func checkRows(t *testing.T, a *why.Answer) {
	t.Helper()
	rooted := false
	for i, row := range a.Rows {
		if i > 0 && row.Step >= a.Rows[i-1].Step {
			t.Errorf("%s: row %d follows %d", a.Subject, row.Step, a.Rows[i-1].Step)
		}
		if len(row.Edges) == 0 || row.What == "" {
			t.Errorf("%s: row %d says nothing", a.Subject, row.Step)
		}
		rooted = false
		for _, e := range row.Edges {
			if e.To >= row.Step {
				t.Errorf("%s: step %d came of %d", a.Subject, row.Step, e.To)
			}
			rooted = rooted || e.To == 0
		}
	}
	if !rooted {
		t.Errorf("%s: the last row has no root", a.Subject)
	}
}

// Every SA that ended has a verdict and a chain; what an earlier part of the journal had is named where it is missing.
func TestEnded(t *testing.T) {
	s := many(t)
	for name, src := range map[string]replay.Source{"whole": s.Source(), "second half": s.After(s.Step() / 2)} {
		c, err := replay.List(context.Background(), src)
		if err != nil {
			t.Fatal(err)
		}
		for _, sa := range c.SAs {
			if sa.End == nil {
				t.Fatalf("ike%d lives", sa.Number)
			}
			a, err := why.Ended(context.Background(), src, c, sa, "", why.Options{Place: time.UTC})
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Verdict) == 0 || len(a.Verdict) > 3 || strings.Contains(a.Verdict[0], "no cause") || len(a.Rows) == 0 || a.Peer == "" || len(a.Next) < 2 {
				t.Errorf("%s: %+v", name, a)
			}
			switch {
			case name == "whole" && a.Ends != "":
				t.Errorf("ike%d: %s", sa.Number, a.Ends)
			case a.Ends != "" && !strings.Contains(a.Ends, "before this journal begins"):
				t.Errorf("%s: ike%d: %s", name, sa.Number, a.Ends)
			}
		}
	}
}

// An SA that lives and to which nothing happened since the journal begins is told from its State; where its chain goes on
// is named.
func TestAliveBeforeTheJournal(t *testing.T) {
	s := replaytest.New(t)
	replaytest.Samples["alive"](s)
	for _, after := range []uint64{s.State().SA(1).Window.Waiting[0].Wanted.Step, s.Step() - 1} {
		src := s.After(after)
		c, err := replay.List(context.Background(), src)
		if err != nil {
			t.Fatal(err)
		}
		for number, waits := range map[uint64]string{1: "delete-ike waits behind it", 2: "no request is in flight", 3: "request 0 (IKE_SA_INIT)"} {
			sa, ok := c.SA(number)
			if !ok {
				t.Fatalf("no ike%d after step %d", number, after)
			}
			a, err := why.Alive(context.Background(), src, c, sa, "", why.Options{Place: time.UTC})
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Verdict) != 3 || !strings.Contains(a.Verdict[1], waits) || strings.Contains(a.Ends, "step 0") || strings.Contains(a.Next[0], "--since 0") {
				t.Errorf("after step %d: %+v", after, a)
			}
		}
	}
}

// A step that names no cause is said to be a bug, not passed over.
func TestChainWithoutARoot(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
	one := s.Up("gw-east")
	s.Event(&record.Event{IkeSa: one, Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}})
	src := s.Source()
	c, err := replay.List(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	a, err := why.Step(src, c, s.Step(), why.Options{Place: time.UTC})
	if err != nil || !strings.Contains(a.Ends, "names no cause: that is a bug of ikejd") {
		t.Errorf("%+v, %v", a, err)
	}
}

// The line that a shutdown leaves names the SAs of which the peer may not know, a few of each cause.
func TestReport(t *testing.T) {
	at := time.Date(2026, 11, 23, 3, 8, 41, 300e6, time.UTC).UnixNano()
	report := &record.Report{Took: uint64(30100 * time.Millisecond),
		Counts: []*record.ReportCount{{Cause: record.Cause_CAUSE_ACKNOWLEDGED, Count: 409}, {Cause: record.Cause_CAUSE_UNACKNOWLEDGED, Count: 1},
			{Cause: record.Cause_CAUSE_CUT_OFF, Count: 1}, {Cause: record.Cause_CAUSE_BOTH_AT_ONCE, Count: 1}},
		Lines: []*record.ReportLine{{IkeSa: 31, Connection: "gw-lab", Cause: record.Cause_CAUSE_UNACKNOWLEDGED, Sends: 18},
			{IkeSa: 7, Connection: "gw-east", Cause: record.Cause_CAUSE_CUT_OFF, Detail: "behind request 41", Sends: 27}}}
	want := "run 12 ended 03:08:41.3, 30.1s after SIGTERM. 412 IKE SAs: 409 acknowledged, 1 both at once, " +
		"1 unacknowledged (ike31 gw-lab, 18 sends), 1 cut off (ike7 gw-east, Delete never sent)"
	if got := why.Report(12, "SIGTERM", report, at, time.UTC); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	report = &record.Report{Counts: []*record.ReportCount{{Cause: record.Cause_CAUSE_UNACKNOWLEDGED, Count: 1200}}}
	for i := range uint64(10) {
		report.Lines = append(report.Lines, &record.ReportLine{IkeSa: i + 1, Cause: record.Cause_CAUSE_UNACKNOWLEDGED, Sends: 1})
	}
	want = "run 1 ended 03:08:41.3, 0.0s after SIGTERM. 1 200 IKE SAs: 1 200 unacknowledged (ike1, 1 send; ike2, 1 send; ike3, 1 send; and 1 197 more)"
	if got := why.Report(1, "SIGTERM", report, at, time.UTC); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	if got := why.Unheard(report); len(got) != 10 || got[9] != "ike10: unacknowledged, 1 send" {
		t.Errorf("of ten SAs these are named: %q", got)
	}
	report.Lines = report.Lines[:3]
	if got := why.Unheard(report); got != nil {
		t.Errorf("the report's line has named them: %q", got)
	}
}
