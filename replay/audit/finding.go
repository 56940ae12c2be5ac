package audit

import (
	"fmt"
	"strconv"
)

// Verdict is what a rule says of what it saw.
type Verdict uint8

const (
	Inconclusive Verdict = iota + 1 // something is missing, and Finding.Missing says what
	Note
	Warning
	Violation
)

func (v Verdict) String() string {
	return [...]string{"-", "inconclusive", "note", "warning", "violation"}[v]
}

// Finding is one thing that a rule saw, with the steps that prove it.
type Finding struct {
	Verdict  Verdict
	Rule     string
	SA       uint64   // 0: about no IKE SA
	Step     uint64   // where it showed
	Time     int64    // of that step
	Text     string   // what is wrong there
	Missing  string   // of an inconclusive one
	Evidence []uint64 // earlier steps that belong to it
}

// String is the line of a report: `violation  WIN-01  requests in flight … (RFC 7296 2.3)  ike31 at 47001: 12, 11 open`.
func (f Finding) String() string {
	e, _ := Find(f.Rule)
	place := "at "
	if f.SA != 0 {
		place = "ike" + strconv.FormatUint(f.SA, 10) + " at "
	}
	line := fmt.Sprintf("%-12s %-7s  %s (%s)  %s%d: %s", f.Verdict, f.Rule, e.Title, e.Section, place, f.Step, f.Text)
	if f.Missing != "" {
		line += "; missing: " + f.Missing
	}
	return line
}

// Tally is how often a rule said what.
type Tally struct {
	Violations, Warnings, Notes, Inconclusive uint64
}

func (t *Tally) add(v Verdict) {
	switch v {
	case Violation:
		t.Violations++
	case Warning:
		t.Warnings++
	case Note:
		t.Notes++
	case Inconclusive:
		t.Inconclusive++
	}
}

// Summary is the outcome of an audit.
type Summary struct {
	Rules   int // that judged
	Records uint64
	SAs     uint64 // IKE SAs seen
	Evicted uint64 // of them forgotten before their end (AUD-01)
	Tally          // findings of all rules
	ByRule  map[string]Tally
	Last    []Finding // what showed only at the end
}

// InconclusiveRules is how many rules could not decide somewhere and found nothing worse.
func (s Summary) InconclusiveRules() int {
	n := 0
	for _, t := range s.ByRule {
		if t.Inconclusive > 0 && t.Violations+t.Warnings == 0 {
			n++
		}
	}
	return n
}
