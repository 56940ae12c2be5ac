package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/audit"
)

// judged is what the audit rules say of one SA.
type judged struct {
	sa         uint64
	rules      int
	tally      audit.Tally
	violations []audit.Finding
	unsure     int // rules that could not decide
}

// judge audits the journal, and keeps what is about sa; nil where the journal is damaged.
func (a *app) judge(ctx context.Context, p *picked, sa *replay.SA) (*judged, error) {
	of := *p
	of.SAs, of.since, of.until = []*replay.SA{sa}, p.Catalog.First, p.Catalog.Last
	j := judging{a: a, p: &of, auditor: audit.New(a.judges...), unsure: map[string]bool{}}
	d := &judged{sa: sa.Number}
	j.print = func(f audit.Finding) error {
		if f.Verdict == audit.Violation {
			d.violations = append(d.violations, f)
		}
		return nil
	}
	err := j.read(ctx, p.Source, false)
	var damage *journal.Damage
	if errors.As(err, &damage) {
		return nil, nil // it was said already; what is behind it is not judged, so nothing is
	}
	if err != nil {
		return nil, err
	}
	sum := j.auditor.End()
	if err := j.show(sum.Last); err != nil {
		return nil, err
	}
	d.rules, d.tally, d.unsure = sum.Rules, j.tally, len(j.unsure)
	return d, nil
}

// String is `130 judged of ike7: no violation, 2 inconclusive`.
func (d *judged) String() string {
	said := fmt.Sprintf("%d judged of %s: ", d.rules, text.SA(d.sa))
	if len(d.violations) == 0 {
		said += "no violation"
	}
	for i, f := range d.violations {
		switch i {
		case 0:
			said += replay.Count(uint64(len(d.violations)), "violation") + ", " + f.Rule
		case mostRules:
			said += " and more"
		default:
			if i < mostRules {
				said += ", " + f.Rule
			}
			continue
		}
	}
	if d.tally.Warnings > 0 {
		said += ", " + replay.Count(d.tally.Warnings, "warning")
	}
	return said + fmt.Sprintf(", %d inconclusive", d.unsure)
}

// mostRules that were broken are named.
const mostRules = 5

type judgedJSON struct {
	Judged       int           `json:"judged"`
	Violations   []findingJSON `json:"violations"`
	Warnings     uint64        `json:"warnings"`
	Inconclusive int           `json:"inconclusive"`
}

func (d *judged) json() *judgedJSON {
	line := &judgedJSON{Judged: d.rules, Violations: []findingJSON{}, Warnings: d.tally.Warnings, Inconclusive: d.unsure}
	for _, f := range d.violations {
		line.Violations = append(line.Violations, findingOf(f))
	}
	return line
}
