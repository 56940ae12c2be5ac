package cli

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/audit"
)

type auditOptions struct {
	selection
	rules   []string
	list    bool
	explain string
	follow  bool
	capture string
	with    string
}

func newAudit(a *app) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit [SA…]",
		Short: "Judge a journal by the rules of the RFCs and of the design",
		Long: `audit reads a journal from its beginning and judges it by rules that share no code with the daemon's decisions: each
finding names its rule, the RFC section, the SA and the step. SAs, --run, --since and --until choose which findings are
shown; what went before is read all the same, since rules remember. Inconclusive ones are counted; --explain says what
was missing.

Beside the records it reads the file they are in, and replays them. With --capture it compares what the journal says was
sent and received with a capture taken at the same host, and with --with the two ends of the same SAs.

Exit status: 0 no violation, 1 a violation, 2 it cannot be judged.`,
		Example: "  ikejd audit --run -1\n  ikejd audit gw-east --rule WIN-01\n  ikejd audit --explain DEL-05",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAudit(cmd.Context(), a, cmd, &o, a.takePath(args))
		},
	}
	o.bindSteps(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&o.rules, "rule", nil, "only the rule with this `ID`; may repeat")
	f.BoolVar(&o.list, "list", false, "list the rules")
	f.StringVar(&o.explain, "explain", "", "say what the rule with this `ID` proves, and with --journal what it could not decide there")
	f.BoolVar(&o.follow, "follow", false, "go on with each new record")
	f.StringVar(&o.capture, "capture", "", "compare with this pcap or pcapng `FILE`, taken at the same host")
	f.StringVar(&o.with, "with", "", "compare with the journal of the other end, a folder or .ikej `FILE`")
	return cmd
}

func runAudit(ctx context.Context, a *app, cmd *cobra.Command, o *auditOptions, args []string) error {
	switch {
	case o.list:
		return a.listRules()
	case o.explain != "":
		e, ok := audit.Find(o.explain)
		if !ok {
			return fmt.Errorf("there is no rule %q; try: ikejd audit --list", o.explain)
		}
		a.explainRule(e)
		if a.journal == "" {
			return nil
		}
		o.rules = []string{o.explain}
	}
	rules, err := o.chosen()
	if err != nil {
		return err
	}
	p, err := o.read(ctx, a, cmd, args)
	if err != nil {
		return err
	}
	defer p.Source.Close()
	if o.follow {
		p.until = 1<<64 - 1
	}
	j := judging{a: a, p: p, auditor: audit.New(rules...), all: o.explain != "", unsure: map[string]bool{}, print: a.findingText}
	if o.capture != "" {
		if j.wire, err = openCapture(o.capture, p.Source); err != nil {
			return err
		}
		defer j.wire.file.Close()
		j.auditor.Capture()
	}
	if err := j.read(ctx, p.Source, o.follow); err != nil {
		return err
	}
	if err := j.beside(ctx, o, rules); err != nil {
		return err
	}
	return j.verdict()
}

// judging is an audit under way: what it prints and counts are the findings that were asked for.
type judging struct {
	a          *app
	p          *picked
	auditor    *audit.Auditor
	all        bool // print what is inconclusive too
	tally      audit.Tally
	unsure     map[string]bool // rules that could not decide, and found nothing
	print      func(audit.Finding) error
	wire       *capture // nil: none
	firstDoubt string
}

// read feeds the journal, and its snapshots where they were taken.
func (j *judging) read(ctx context.Context, src replay.Source, follow bool) error {
	first := src.First()
	if src.Versions() != nil {
		j.auditor.Excerpt()
	}
	if first > 1 {
		s, err := replay.Snapshot(src, first)
		if err != nil {
			return err
		}
		j.auditor.Start(s)
	}
	snapshots, err := snapshotSteps(src)
	if err != nil {
		return err
	}
	entries := src.Entries(0)
	if f, ok := src.(replay.Follower); ok && follow {
		entries = f.Follow(ctx, 0)
	} else if follow {
		return fmt.Errorf("%s does not grow; leave --follow out", src.Where())
	}
	return j.feed(ctx, src, entries, snapshots)
}

func (j *judging) feed(ctx context.Context, src replay.Source, entries iter.Seq2[journal.Entry, error], snapshots []uint64) error {
	for e, err := range entries {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := j.frames(timeOf(e.Data)); err != nil {
			return err
		}
		found, err := j.auditor.Entry(e.Data)
		if err != nil {
			return err
		}
		if err := j.show(found); err != nil {
			return err
		}
		for len(snapshots) > 0 && snapshots[0] < e.Step {
			snapshots = snapshots[1:]
		}
		if len(snapshots) == 0 || snapshots[0] != e.Step {
			continue
		}
		s, err := replay.Snapshot(src, e.Step+1)
		if err != nil || s == nil {
			return err
		}
		if err := j.show(j.auditor.Snapshot(s)); err != nil {
			return err
		}
	}
	return nil
}

// snapshotSteps is the steps after which the journal has a snapshot, oldest first.
func snapshotSteps(src replay.Source) ([]uint64, error) {
	var steps []uint64
	for before := src.Last().Step + 1; ; {
		at, data, err := src.SnapshotBefore(before)
		if err != nil || data == nil || at == 0 {
			slices.Reverse(steps)
			return steps, err
		}
		if err := proto.Unmarshal(data, new(record.Snapshot)); err != nil {
			return nil, fmt.Errorf("the snapshot after step %d cannot be read: %w; try: ikejd journal verify", at, err)
		}
		steps, before = append(steps, at), at
	}
}

// show prints what was asked for of what was found.
func (j *judging) show(found []audit.Finding) error {
	for _, f := range found {
		if f.Step < j.p.since || f.Step > j.p.until || j.p.SAs != nil && !j.p.picks(f.SA) {
			continue
		}
		switch f.Verdict {
		case audit.Violation:
			j.tally.Violations++
		case audit.Warning:
			j.tally.Warnings++
		case audit.Note:
			j.tally.Notes++
		case audit.Inconclusive:
			if len(j.unsure) == 0 {
				j.firstDoubt = f.Rule
			}
			j.unsure[f.Rule] = true
			if !j.all && !j.a.json {
				continue
			}
		}
		if err := j.print(f); err != nil {
			return err
		}
	}
	return nil
}

// findingText prints one finding.
func (a *app) findingText(f audit.Finding) error {
	switch {
	case a.json:
		return a.object(findingOf(f))
	case a.quiet:
		return nil
	}
	line := f.String()
	if f.Verdict == audit.Violation {
		line = a.strong(line)
	}
	_, err := fmt.Fprintln(a.out(), line)
	return err
}

// verdict is the last line, and the exit status.
func (j *judging) verdict() error {
	sum := j.auditor.End()
	if err := j.show(sum.Last); err != nil {
		return err
	}
	if j.a.json {
		if err := j.a.object(auditJSON{V: 1, Type: "audit", Rules: sum.Rules, Steps: sum.Records, SAs: sum.SAs, Violations: j.tally.Violations,
			Warnings: j.tally.Warnings, Notes: j.tally.Notes, Inconclusive: len(j.unsure)}); err != nil {
			return err
		}
	} else {
		doubt := ""
		if j.firstDoubt != "" && !j.all {
			doubt = " (--explain " + j.firstDoubt + ": what is missing)"
		}
		fmt.Fprintf(j.a.out(), "%s: %s, %s, %s, %d inconclusive%s\n", replay.Count(uint64(sum.Rules), "rule"), replay.Count(j.tally.Violations, "violation"),
			replay.Count(j.tally.Warnings, "warning"), replay.Count(j.tally.Notes, "note"), len(j.unsure), doubt)
	}
	if j.tally.Violations > 0 {
		return found()
	}
	return nil
}

func (a *app) listRules() error {
	for _, e := range audit.Catalogue {
		why := audit.Absent[e.ID]
		if a.json {
			if err := a.object(ruleJSON{V: 1, Type: "rule", ID: e.ID, Title: e.Title, Severity: e.Severity, Section: e.Section, Mark: e.Mark, Absent: why}); err != nil {
				return err
			}
			continue
		}
		line := fmt.Sprintf("%-7s  %s (%s)", e.ID, e.Title, e.Section)
		if why != "" {
			line += "  - not built yet: " + why
		}
		fmt.Fprintln(a.out(), line)
	}
	return nil
}

func (a *app) explainRule(e audit.Entry) {
	w := a.out()
	fmt.Fprintf(w, "%s  %s\n  severity  %s\n  section   %s\n  proves    %s\n  reads     %s\n  state     %s\n", e.ID, e.Title, e.Severity, e.Section,
		strings.TrimPrefix(e.Proves, "that "), e.Reads, e.State)
	if why, absent := audit.Absent[e.ID]; absent {
		fmt.Fprintln(w, "  not built yet: "+why)
	} else if limits := audit.Limits(e.ID); limits != "" {
		fmt.Fprintln(w, "  limits    "+limits)
	}
}

type findingJSON struct {
	V        int      `json:"v"`
	Type     string   `json:"type"`
	Verdict  string   `json:"verdict"`
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	Section  string   `json:"section"`
	SA       string   `json:"sa,omitempty"`
	Step     uint64   `json:"step"`
	Time     string   `json:"time,omitempty"`
	Text     string   `json:"text"`
	Missing  string   `json:"missing,omitempty"`
	Evidence []uint64 `json:"evidence,omitempty"`
}

func findingOf(f audit.Finding) findingJSON {
	e, _ := audit.Find(f.Rule)
	line := findingJSON{V: 1, Type: "finding", Verdict: f.Verdict.String(), Rule: f.Rule, Title: e.Title, Section: e.Section, Step: f.Step,
		Time: rfc3339(f.Time), Text: f.Text, Missing: f.Missing, Evidence: f.Evidence}
	if f.SA != 0 {
		line.SA = text.SA(f.SA)
	}
	return line
}

type ruleJSON struct {
	V        int    `json:"v"`
	Type     string `json:"type"`
	ID       string `json:"id"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Section  string `json:"section"`
	Mark     string `json:"mark"`
	Absent   string `json:"absent,omitempty"`
}

type auditJSON struct {
	V            int    `json:"v"`
	Type         string `json:"type"`
	Rules        int    `json:"rules"`
	Steps        uint64 `json:"steps"`
	SAs          uint64 `json:"sas"`
	Violations   uint64 `json:"violations"`
	Warnings     uint64 `json:"warnings"`
	Notes        uint64 `json:"notes"`
	Inconclusive int    `json:"inconclusive"`
}
