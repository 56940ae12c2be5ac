package why

import (
	"context"
	"fmt"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// Step explains one step: what it came of, down to the root.
func Step(src replay.Source, catalog *replay.Catalog, step uint64, o Options) (*Answer, error) {
	r, err := replay.Record(src, step)
	if err != nil {
		return nil, err
	}
	s := &story{src: src, catalog: catalog, records: map[uint64]*record.Record{step: r}}
	number := r.GetEvent().GetIkeSa()
	if number == 0 {
		for _, n := range replay.About(r) {
			number = n
			break
		}
	}
	c := s.trace(o.Full, place{step, -1, number})
	a := &Answer{Rows: c.rows, Ends: c.Ends(),
		Subject: fmt.Sprintf("Step %d, %s: %s.", step, text.Clock(int64(r.GetTime()), o.Place), text.Event(r.GetEvent())),
		Verdict: []string{s.reason(r.GetEvent())},
		Next:    []string{fmt.Sprintf("ikejd journal cat --since %d --limit 1", step)}}
	if said := changedNothing(r); said != "" {
		a.Verdict = append(a.Verdict, said)
	}
	return a, nil
}

// reason is the event's edge in words.
func (s *story) reason(ev *record.Event) string {
	b := ev.GetBecause()
	asked := s.effect(b)
	switch b.GetEdge() {
	case record.Edge_EDGE_FIRES:
		return fmt.Sprintf("The %s timer fired that step %d had set.", text.Timer(ev.GetTimerFired().GetTimer()), b.GetStep())
	case record.Edge_EDGE_ANSWERS:
		return fmt.Sprintf("It answers what step %d asked for.", b.GetStep())
	case record.Edge_EDGE_REPLIES:
		if m := asked.GetRecord(); m != nil {
			return fmt.Sprintf("The peer answered request %d (%s), recorded at step %d.", m.GetMessageId(), exchange(m), b.GetStep())
		}
		return fmt.Sprintf("It replies to what step %d recorded.", b.GetStep())
	case record.Edge_EDGE_ROOT:
		switch b.GetRoot() {
		case record.Root_ROOT_OPERATOR:
			return "The operator asked for it."
		case record.Root_ROOT_CONFIGURATION:
			return "The configuration says so."
		case record.Root_ROOT_PEER:
			return "The peer asked for it."
		case record.Root_ROOT_KERNEL:
			return "The kernel said so."
		case record.Root_ROOT_START:
			return "The daemon started."
		}
		return "The record names no cause."
	}
	return fmt.Sprintf("It came of step %d.", b.GetStep())
}

// Message explains a message of an SA: our request of that id, or where we have none the peer's.
func Message(ctx context.Context, src replay.Source, catalog *replay.Catalog, sa *replay.SA, id uint32, o Options) (*Answer, error) {
	s, err := tell(ctx, src, catalog, sa)
	if err != nil {
		return nil, err
	}
	for _, m := range s.requests() {
		if m.id == id {
			return s.ours(m, o), nil
		}
	}
	for _, step := range s.steps {
		r := s.records[step]
		d := r.GetEvent().GetDatagramReceived()
		h, err := ike.ParseHeader(d.GetDatagram())
		if d == nil || err != nil || h.Response() || h.MessageID != id || dropped(r) {
			continue
		}
		return s.theirs(r, h, o), nil
	}
	return nil, &replay.NotThere{What: fmt.Sprintf("%s has no request %d here; try: ikejd journal cat %s", text.SA(sa.Number), id, text.SA(sa.Number))}
}

// ours is one of our requests.
func (s *story) ours(m *sent, o Options) *Answer {
	c := s.trace(o.Full, place{m.step, int(m.index), s.sa.Number})
	what := m.exchange.String()
	if m.what() != what {
		what += ", " + m.what()
	}
	a := &Answer{SA: s.sa, Message: &m.id, Rows: c.rows, Ends: c.Ends(),
		Subject: fmt.Sprintf("Request %d of %s (%s) was recorded at step %d (%s).", m.id, text.SA(s.sa.Number), what, m.step, text.Clock(m.first, o.Place)),
		Next:    []string{fmt.Sprintf("ikejd journal cat %s --since %d", text.SA(s.sa.Number), m.step)}}
	went := fmt.Sprintf("It went out %s", times(m.sends))
	if m.sends > 1 {
		went += ", last at " + text.Clock(m.last, o.Place)
	}
	switch {
	case m.answered != 0:
		a.Verdict = []string{went + ".", fmt.Sprintf("The peer answered in %s, at step %d.", span(since(m.first, m.when)), m.answered)}
	case m.given != 0:
		a.Verdict = []string{went + ".", fmt.Sprintf("No answer came: it ended with %s at step %d, %s.", text.SA(s.sa.Number), m.given, text.Cause(s.sa.Cause))}
		a.Absent = []string{fmt.Sprintf("an answer to request %d", m.id)}
	case s.sa.End != nil:
		a.Verdict = []string{went + ".", fmt.Sprintf("It was dropped when %s came to its end, %s.", text.SA(s.sa.Number), text.Cause(s.sa.Cause))}
	default:
		a.Verdict = []string{went + ".", "Its answer is waited for."}
	}
	return a
}

// theirs is a request of the peer.
func (s *story) theirs(r *record.Record, h ike.Header, o Options) *Answer {
	step := r.GetStep()
	c := s.trace(o.Full, place{step, -1, s.sa.Number})
	a := &Answer{SA: s.sa, Rows: c.rows, Ends: c.Ends(),
		Subject: fmt.Sprintf("Request %d of %s is the peer's, received at step %d (%s): %s.", h.MessageID, text.SA(s.sa.Number), step,
			text.Clock(int64(r.GetTime()), o.Place), text.Received(r.GetEvent().GetDatagramReceived())),
		Next: []string{fmt.Sprintf("ikejd journal cat %s --since %d", text.SA(s.sa.Number), step)}}
	answered, repeats := uint64(0), uint64(0)
	for _, n := range s.steps {
		if again := s.records[n].GetEvent().GetRepeatReceived(); again != nil && again.GetMessageId() == h.MessageID {
			repeats++
		}
		for _, e := range s.records[n].GetEffects() {
			if m := e.GetRecord(); n >= step && answered == 0 && m.GetResponse() && m.GetMessageId() == h.MessageID && e.GetIkeSa() == s.sa.Number {
				answered = n
			}
		}
	}
	if answered == 0 {
		a.Verdict = []string{"It has no answer of ours here."}
		return a
	}
	a.Verdict = []string{fmt.Sprintf("We answered at step %d; the peer repeated it %s.", answered, times(uint32(repeats)))}
	if repeats == 0 {
		a.Verdict = []string{fmt.Sprintf("We answered at step %d, and it was not repeated.", answered)}
	}
	return a
}
