package why

import (
	"context"
	"fmt"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
)

// Alive says of an SA that is not gone what it waits for, since when, and what happens next. The State is the one that
// this binary comes to at the end of the journal.
func Alive(ctx context.Context, src replay.Source, catalog *replay.Catalog, sa *replay.SA, name string, o Options) (*Answer, error) {
	s, err := tell(ctx, src, catalog, sa)
	if err != nil {
		return nil, err
	}
	state, err := replay.StateAt(ctx, src, catalog.Last)
	if err != nil {
		return nil, err
	}
	a := &Answer{SA: sa, Subject: introduce(sa, name) + " It is not gone."}
	from := place{sa.Last, -1, sa.Number}
	since := ""
	if n := len(sa.Entered); n > 0 {
		from.step = sa.Entered[n-1].Step
		since = " since " + text.Clock(sa.Entered[n-1].Time, o.Place)
		if sa.Phase == record.Phase_PHASE_LINGERING {
			since += ", " + text.Cause(sa.Cause)
		}
	}
	a.Verdict = []string{fmt.Sprintf("%s is %s%s.", text.SA(sa.Number), text.Phase(sa.Phase), since)}
	now := state.SA(sa.Number)
	if now == nil {
		a.Verdict = append(a.Verdict, "This binary decides otherwise and has it no more; try: ikejd replay")
	} else {
		if from.step == 0 { // nothing happened to it in this journal
			from.step = now.CreatedStep
		}
		a.Verdict = append(a.Verdict, s.waitsFor(now, &from, o), s.comesNext(now, catalog, o))
	}
	c := s.trace(o.Full, from)
	a.Rows, a.Ends = c.rows, c.Ends()
	a.Next = []string{fmt.Sprintf("ikejd journal cat %s --since %d", text.SA(sa.Number), max(from.step, catalog.First))}
	return a, nil
}

// waitsFor says what the SA waits for, and lets the chain begin at that.
func (s *story) waitsFor(now *reducer.IKESA, from *place, o Options) string {
	w := &now.Window
	switch {
	case len(w.InFlight) > 0:
		open := w.InFlight[0]
		*from = place{open.Recorded.Step, int(open.Recorded.Index), now.Number}
		said := fmt.Sprintf("It waits for an answer to request %d (%s), sent %s since %s", open.ID,
			replay.Exchange(record.Wish(open.Wish.Wish), open.Wish.Child), times(open.Sends), seconds(open.FirstSent, o.Place))
		if len(w.Waiting) > 0 {
			*from = place{w.Waiting[0].Wanted.Step, int(w.Waiting[0].Wanted.Index), now.Number}
			said += fmt.Sprintf("; %s waits behind it", w.Waiting[0])
		}
		return said + "."
	case w.Answering != nil:
		return fmt.Sprintf("The peer waits for our answer to its request %d (%s).", w.Answering.ID, w.Answering.Exchange)
	case now.SetUp != nil:
		return fmt.Sprintf("Its set-up is under way: %s.", now.SetUp)
	}
	return "It waits for nothing: no request is in flight."
}

// comesNext is the timer that is due first, and whether anybody is there to see it fire.
func (s *story) comesNext(now *reducer.IKESA, catalog *replay.Catalog, o Options) string {
	next, at := "", int64(0)
	due := func(what string, deadline int64) {
		if at == 0 || deadline < at {
			next, at = what, deadline
		}
	}
	for _, armed := range now.Timers {
		due("the "+armed.Kind.String()+" timer fires", armed.Deadline)
	}
	for _, open := range now.Window.InFlight {
		due(fmt.Sprintf("request %d goes out again", open.ID), open.Timer.Deadline)
	}
	if at == 0 {
		return "Nothing is due: it stays until somebody asks."
	}
	said := fmt.Sprintf("Next, %s at %s", next, text.Clock(at, o.Place))
	if !catalog.Live {
		said += ", or when the next start takes it over: no daemon runs"
	}
	return said + "."
}
