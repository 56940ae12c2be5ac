package audit

import (
	"fmt"
	"time"

	"github.com/ikejd/ikejd/proto/record"
)

// now is what a rule sees beside the table: the record at hand, and where it may report.
type now struct {
	a       *Auditor
	j       *journal
	r       *record.Record
	ev      *record.Event
	step    uint64
	time    int64
	index   uint32   // of the effect at hand
	in      *message // that came with the event
	dropped string   // why the event changed nothing; empty where it did
	rule    *Rule
}

// acted reports whether the event was acted on.
func (n *now) acted() bool { return n.dropped == "" }

func (n *now) violation(s *ikeSA, evidence []uint64, format string, args ...any) {
	n.report(Violation, s, evidence, format, args...)
}

func (n *now) warning(s *ikeSA, evidence []uint64, format string, args ...any) {
	n.report(Warning, s, evidence, format, args...)
}

func (n *now) note(s *ikeSA, evidence []uint64, format string, args ...any) {
	n.report(Note, s, evidence, format, args...)
}

// inconclusive says what would be needed to decide.
func (n *now) inconclusive(s *ikeSA, missing, format string, args ...any) {
	n.add(Finding{Verdict: Inconclusive, Missing: missing, Text: fmt.Sprintf(format, args...)}, s)
}

// report makes a finding. Of an SA whose life we have not seen from its first record on, nothing worse than inconclusive
// can be said: what is missing may be what would have made it right.
func (n *now) report(v Verdict, s *ikeSA, evidence []uint64, format string, args ...any) {
	f := Finding{Verdict: v, Text: fmt.Sprintf(format, args...)}
	for _, step := range evidence {
		if step != 0 && step != n.step {
			f.Evidence = append(f.Evidence, step)
		}
	}
	if s != nil && s.partial && v > Note {
		f.Verdict, f.Missing = Inconclusive, "the records of this SA before this audit began, or before AUD-01 forgot it"
	}
	n.add(f, s)
}

func (n *now) add(f Finding, s *ikeSA) {
	f.Rule, f.Step, f.Time = n.rule.ID, n.step, n.time
	if s != nil {
		f.SA = s.number
	}
	n.a.found = append(n.a.found, f)
	n.a.summary.Tally.add(f.Verdict)
	t := n.a.summary.ByRule[f.Rule]
	t.add(f.Verdict)
	n.a.summary.ByRule[f.Rule] = t
}

// once reports whether the rule at hand has not said this of the SA yet, and notes that it has now.
func (n *now) once(s *ikeSA) bool {
	i := n.rule.number()
	if s.told[i/64]&(1<<(i%64)) != 0 {
		return false
	}
	s.told[i/64] |= 1 << (i % 64)
	return true
}

const (
	second = int64(1e9)
	minute = 60 * second
	ms     = int64(1e6)
)

// seconds is a span for people.
func seconds(ns int64) string {
	d := time.Duration(ns)
	if d > time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}
