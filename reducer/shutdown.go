package reducer

import "github.com/ikejd/ikejd/proto/record"

// Shutdown (PROTOCOL.md, D-23): no new SAs, exchanges in flight end, every SA gets one Delete by way of its window, paced.
// It is over when no SA is left or the budget is spent, and reports how each SA ended.

// Ending is a shutdown under way.
type Ending struct {
	Step            uint64
	Began, Deadline int64
	Cursor          uint64 // the next SA to close; those below have been asked
	Keep            bool   // leave the SAs to the next start
	Counts          [NotRecovered + 1]uint64
	Lines           []EndingLine // SAs that did not end as they should, in the order of their ends
	Timer           ArmedTimer
	Reported        bool
}

// EndingLine names an SA of which the peer may not know that it is gone.
type EndingLine struct {
	SA         uint64
	Connection string
	Cause      Cause
	Detail     string
	Sends      uint32
}

// Report is the outcome of a shutdown.
type Report struct {
	Counts [NotRecovered + 1]uint64
	Lines  []EndingLine
	Took   int64
}

// shuttingDown reports whether SAs are being closed because this run ends; a shutdown that keeps them closes none.
func (t *step) shuttingDown() bool { return t.s.ending != nil && !t.s.ending.Keep }

const (
	pace      = 50 * millisecond // between two batches of Deletes
	mostLines = 1000             // of a report: more SAs are counted, not named
)

// shutdownAsked begins the end of this run. Asked twice is asked once.
func (t *step) shutdownAsked(ev *record.ShutdownAsked) {
	if t.s.ending != nil {
		t.drop("shutting down already")
		return
	}
	t.s.ending = &Ending{Step: t.s.step, Began: t.now, Deadline: t.now + int64(ev.GetBudget()), Keep: ev.GetKeep()}
	for len(t.s.waits) > 0 {
		t.dropWait(t.s.waits[0].Name)
	}
	if ev.GetKeep() {
		t.endReport()
		return
	}
	t.closeSome()
}

// closeSome closes the next SAs: 2,000 a second, or as many more as close all within a third of the budget.
func (t *step) closeSome() {
	e := *t.s.ending
	t.s.ending = &e
	third := max((e.Deadline-e.Began)/3, pace)
	rate := max(int64(t.s.config.Settings.ShutdownRate), int64(t.s.sas.count)*second/third+1)
	most := max(rate*pace/second, 1)
	var batch []uint64
	more := false
	t.s.sas.from(e.Cursor, func(number uint64, _ *IKESA) bool {
		if int64(len(batch)) == most {
			more = true
			return false
		}
		batch = append(batch, number)
		return true
	})
	for _, number := range batch {
		if sa, ok := t.sa(number); ok {
			t.closeForShutdown(&sa)
		}
		t.s.ending.Cursor = number + 1
	}
	if !more {
		t.s.ending.Cursor = max(t.s.ending.Cursor, t.s.nextIKE)
	}
	deadline := t.now + pace
	if !more {
		deadline = t.s.ending.Deadline
	}
	set := t.order(Effect{Kind: EffectSetTimer, Timer: shutdownTimer, Deadline: deadline})
	t.s.ending.Timer = ArmedTimer{shutdownTimer, deadline, set}
}

// closeForShutdown ends one SA as its phase asks; what the budget leaves is its last resort.
func (t *step) closeForShutdown(sa *IKESA) {
	e := t.s.ending
	left := max(e.Deadline-t.now, 0)
	decided := Because{Edge: EdgeDecided, Step: e.Step}
	switch sa.Phase {
	case HalfOpen, Established, Rekeyed:
		if sa.Window.Wants(wishDeleteIKE, 0) {
			t.shorten(sa, left)
			return
		}
		t.closeIKESA(sa, decided, 0, left)
	case Deleting:
		t.shorten(sa, left)
	case Lingering:
		t.setTimer(sa, lingerTimer, t.lingerTime(sa))
		t.put(*sa)
	case NoPhase, Discarded:
		// not in the State
	}
}

// shorten ends a close that was asked for before with the budget, unless its own last resort comes first.
func (t *step) shorten(sa *IKESA, left int64) {
	if own, armed := sa.timer(discardTimer); armed && own.Deadline <= t.now+left {
		return
	}
	t.setTimer(sa, discardTimer, left)
	t.put(*sa)
}

// shutdownDue closes the next batch, or at the end of the budget reports what is left as cut off.
func (t *step) shutdownDue() {
	e := t.s.ending
	if e == nil || e.Reported || e.Timer.Set != (Ref{t.because.Step, t.because.Index}) {
		t.drop("stale timer")
		return
	}
	fired := *e
	fired.Timer = ArmedTimer{}
	t.s.ending = &fired
	if t.now < e.Deadline {
		t.closeSome()
		return
	}
	var rest []uint64
	t.s.sas.from(0, func(number uint64, _ *IKESA) bool {
		rest = append(rest, number)
		return true
	})
	for _, number := range rest {
		sa, ok := t.sa(number)
		switch {
		case !ok:
		case sa.Phase == Lingering:
			t.lingerOver(sa)
		default:
			t.discardDue(sa)
		}
	}
}

// tally counts an SA that ended in a shutdown; the last one ends that too.
func (t *step) tally(sa *IKESA, unfinished []Request) {
	if t.s.ending == nil {
		return
	}
	e := *t.s.ending
	e.Counts[sa.Cause]++
	if len(e.Lines) < mostLines && (sa.Cause == Unacknowledged || sa.Cause == CutOff || sa.Cause == Unanswered) {
		line := EndingLine{SA: sa.Number, Connection: sa.Connection, Cause: sa.Cause, Detail: sa.Detail}
		if len(unfinished) > 0 {
			line.Sends = unfinished[0].Sends
		}
		e.Lines = with(e.Lines, line)
	}
	t.s.ending = &e
}

// endingCheck ends the shutdown with the step that takes the last SA out of the State.
func (t *step) endingCheck() {
	if e := t.s.ending; e != nil && !e.Reported && t.there == 0 {
		t.endReport()
	}
}

func (t *step) endReport() {
	e := *t.s.ending
	e.Reported = true
	t.s.ending = &e
	if e.Timer.Kind != noTimer {
		t.order(Effect{Kind: EffectCancelTimer, Timer: shutdownTimer})
	}
	t.order(Effect{Kind: EffectReport, Report: &Report{Counts: e.Counts, Lines: e.Lines, Took: t.now - e.Began}})
}
