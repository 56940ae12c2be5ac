package why

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// Part is what one of two SAs did where they part.
type Part struct {
	SA   uint64
	Step uint64 // 0: nothing more happened to it here
	Time int64
	What string
}

// turnOf is a step as it compares to one of another SA: what happened and what came of it, without numbers and names.
type turnOf struct {
	step  uint64
	lines []string
}

// Unlike finds the first step in which other went another way than sa, and explains sa's. Both are read from their first
// step here on; what is sent again, comes again or changes nothing is passed over.
func Unlike(ctx context.Context, src replay.Source, catalog *replay.Catalog, sa, other *replay.SA, o Options) (*Answer, error) {
	if sa == other {
		return nil, &replay.NotThere{What: fmt.Sprintf("%s is that SA itself; try: ikejd journal ls", text.SA(sa.Number))}
	}
	a, err := tell(ctx, src, catalog, sa)
	if err != nil {
		return nil, err
	}
	b, err := tell(ctx, src, catalog, other)
	if err != nil {
		return nil, err
	}
	ours, theirs := a.path(), b.path()
	same := 0
	for same < len(ours) && same < len(theirs) && slices.Equal(ours[same].lines, theirs[same].lines) {
		same++
	}
	answer := &Answer{SA: sa, Subject: fmt.Sprintf("%s and %s go the same way for %s.", text.SA(sa.Number), text.SA(other.Number), replay.Count(uint64(same), "step"))}
	if same == len(ours) && same == len(theirs) {
		answer.Verdict = []string{"They part nowhere in this journal."}
		answer.Next = []string{"ikejd journal cat " + text.SA(sa.Number)}
		return answer, nil
	}
	answer.Parts = []Part{a.part(ours, theirs, same), b.part(theirs, ours, same)}
	for _, p := range answer.Parts {
		if p.Step == 0 {
			answer.Verdict = append(answer.Verdict, fmt.Sprintf("%s: %s", text.SA(p.SA), p.What))
			continue
		}
		answer.Verdict = append(answer.Verdict, fmt.Sprintf("%s, step %d, %s: %s", text.SA(p.SA), p.Step, text.Clock(p.Time, o.Place), p.What))
		answer.Next = append(answer.Next, fmt.Sprintf("ikejd journal cat %s --since %d", text.SA(p.SA), p.Step))
	}
	explained, s := answer.Parts[0], a
	if explained.Step == 0 {
		explained, s = answer.Parts[1], b
	}
	c := s.trace(o.Full, place{explained.Step, -1, explained.SA})
	answer.Rows, answer.Ends = c.rows, c.Ends()
	return answer, nil
}

// path is what happened to the SA, step by step.
func (s *story) path() []turnOf {
	var all []turnOf
	for _, step := range s.steps {
		r := s.records[step]
		if ev := r.GetEvent(); ev.GetRepeatReceived() != nil || ev.GetChildRemoved() != nil || dropped(r) {
			continue
		}
		lines := []string{s.nameless(strings.TrimPrefix(text.Event(r.GetEvent()), text.SA(s.sa.Number)+"  "))}
		again := false
		for _, e := range r.GetEffects() {
			if e.GetIkeSa() != s.sa.Number {
				continue
			}
			again = again || e.GetResend() != nil
			if said := outcome(e); said != "" {
				lines = append(lines, s.nameless(said))
			}
		}
		if again && len(lines) == 1 {
			continue
		}
		all = append(all, turnOf{step, lines})
	}
	return all
}

// outcome is what of an effect counts when two SAs are compared; empty where it does not.
func outcome(e *record.Effect) string {
	switch k := e.GetKind().(type) {
	case *record.Effect_Changed:
		if e.GetChildSa() != 0 {
			return "child " + text.ChildPhase(k.Changed.GetChildFrom()) + " -> " + text.ChildPhase(k.Changed.GetChildTo())
		}
		return text.Phase(k.Changed.GetFrom()) + " -> " + text.Phase(k.Changed.GetTo())
	case *record.Effect_Wanted:
		if e.GetBecause().GetEdge() == record.Edge_EDGE_BEHIND {
			return wish(e) + " waits"
		}
		return wish(e) + " wanted"
	case *record.Effect_Record:
		return text.Recorded(k.Record)
	case *record.Effect_Discarded:
		return "discarded, " + text.Cause(k.Discarded.GetCause())
	}
	return ""
}

// numbers are what differs between any two SAs: their numbers, SPIs, message ids.
var numbers = regexp.MustCompile(`\b(?:ike|child)?[0-9]+\b|\b[0-9a-f]{8,16}\b`)

// nameless takes the SA's numbers, its connection and its peer's name out of a line.
func (s *story) nameless(line string) string {
	for _, name := range []string{s.sa.Connection, string(s.sa.RemoteID.GetData())} {
		if name != "" {
			line = regexp.MustCompile(`(^|\W)`+regexp.QuoteMeta(name)+`(\W|$)`).ReplaceAllString(line, "${1}#${2}")
		}
	}
	return numbers.ReplaceAllString(line, "#")
}

// part is what the SA did at place n of its path, where another SA did something else or nothing.
func (s *story) part(mine, others []turnOf, n int) Part {
	p := Part{SA: s.sa.Number}
	if n >= len(mine) {
		p.What = "nothing more happened to it; it is " + s.sa.Ending()
		return p
	}
	r := s.records[mine[n].step]
	p.Step, p.Time = mine[n].step, int64(r.GetTime())
	p.What = s.describe(r, focus(r, place{p.Step, -1, p.SA}), p.SA)
	if n < len(others) && len(mine[n].lines) > 1 && mine[n].lines[0] == others[n].lines[0] { // the same happened, something else came of it
		var more []string
		for _, line := range mine[n].lines[1:] {
			if !slices.Contains(others[n].lines, line) {
				more = append(more, line)
			}
		}
		if len(more) > 0 {
			p.What += " (" + strings.Join(more, "; ") + ")"
		}
	}
	return p
}
