package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/audit"
)

// What an audit looks at beside the records: the file they are in, what this binary decides at the same events, a capture
// taken at the same host, the journal of another node.

// inputs are what the rules may need, as the flags have it.
func (o *auditOptions) inputs() audit.Input {
	var in audit.Input
	if !o.follow {
		in |= audit.Check
	}
	if o.capture != "" {
		in |= audit.Wire
	}
	if o.with != "" {
		in |= audit.Other
	}
	return in
}

// chosen are the rules of --rule, or all that can judge.
func (o *auditOptions) chosen() ([]*audit.Rule, error) {
	if o.follow && o.capture+o.with != "" {
		return nil, errors.New("--follow takes neither --capture nor --with; leave --follow out")
	}
	in := o.inputs()
	if len(o.rules) == 0 {
		return audit.With(in), nil
	}
	rules, err := audit.Pick(o.rules...)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		switch missing := r.Needs &^ in; {
		case missing == 0 || o.explain != "":
		case missing&audit.Wire != 0:
			return nil, fmt.Errorf("rule %s compares the journal with a capture; add --capture FILE", r.ID)
		case missing&audit.Other != 0:
			return nil, fmt.Errorf("rule %s compares the journal with another node's; add --with FILE", r.ID)
		default:
			return nil, fmt.Errorf("rule %s judges a journal that stands still; leave --follow out", r.ID)
		}
	}
	return rules, nil
}

// timeOf is the time of a record that is not decoded yet; 0 where it says none.
func timeOf(data []byte) int64 {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return 0
		}
		if data = data[n:]; number == 2 && kind == protowire.Fixed64Type {
			v, _ := protowire.ConsumeFixed64(data)
			return int64(v)
		}
		if n = protowire.ConsumeFieldValue(number, kind, data); n < 0 {
			return 0
		}
		data = data[n:]
	}
	return 0
}

// frames tells the auditor what the capture has from before a time.
func (j *judging) frames(before int64) error {
	if j.wire == nil {
		return nil
	}
	return j.wire.before(before, func(f audit.Frame) error { return j.show(j.auditor.Captured(f)) })
}

// beside is what is known once the journal is read: of its capture the rest, of its file, of a replay, of another node.
func (j *judging) beside(ctx context.Context, o *auditOptions, rules []*audit.Rule) error {
	if err := j.frames(math.MaxInt64); err != nil {
		return err
	}
	needs := func(id string) bool {
		return slices.ContainsFunc(rules, func(r *audit.Rule) bool { return r.ID == id })
	}
	src := j.p.Source
	var told []audit.Told
	if needs("JRN-03") {
		told = append(told, j.replayed(ctx, src)...)
	}
	if needs("JRN-04") {
		told = append(told, snapshots(ctx, src)...)
	}
	if needs("JRN-05") {
		told = append(told, j.stored()...)
	}
	for _, t := range told {
		if err := j.show(j.auditor.Told(t)); err != nil {
			return err
		}
	}
	if o.with == "" {
		return ctx.Err()
	}
	return j.joint(ctx, o.with)
}

// replayed is where this binary decides otherwise (JRN-03): a fault where it is the one that wrote the journal.
func (j *judging) replayed(ctx context.Context, src replay.Source) (told []audit.Told) {
	r, err := replay.Verify(ctx, src, replay.Options{})
	if err != nil {
		return []audit.Told{{About: audit.Effects, Step: src.First(), Text: "it was not replayed", Missing: err.Error()}}
	}
	for _, d := range r.Divergences {
		t := audit.Told{About: audit.Effects, Step: d.Step, SA: d.SA, Text: "this binary decides otherwise; see: ikejd replay"}
		if d.Version != j.a.version {
			t.Missing = "ikejd " + d.Version + ", which wrote it: this is " + j.a.version
		}
		told = append(told, t)
	}
	return told
}

// snapshots is which of them are not the State that the records lead to (JRN-04).
func snapshots(ctx context.Context, src replay.Source) (told []audit.Told) {
	steps, err := snapshotSteps(src)
	var found []replay.Misfit
	if err == nil {
		_, found, err = replay.Snapshots(ctx, src, steps)
	}
	for _, m := range found {
		told = append(told, audit.Told{About: audit.State, Step: m.Step, SA: m.SA, Text: m.String()})
	}
	if err != nil {
		told = append(told, audit.Told{About: audit.State, Step: src.First(), Text: "its snapshots were not compared", Missing: err.Error()})
	}
	return told
}

// stored is what the file is below its records (JRN-05).
func (j *judging) stored() []audit.Told {
	path := j.a.journal
	if path == "" {
		path = defaultJournal
	}
	r, err := journal.Verify(path)
	switch {
	case err != nil:
		return []audit.Told{{About: audit.Storage, Step: j.p.Source.First(), Text: "its batches were not looked at", Missing: err.Error()}}
	case r.LiveTail:
		return []audit.Told{{About: audit.Storage, Step: r.Last, Text: "its batches were looked at up to the open segment", Missing: "the end of the daemon that has it"}}
	}
	var told []audit.Told
	for _, d := range r.Damage {
		told = append(told, audit.Told{About: audit.Storage, Step: d.First, Text: d.Error()})
	}
	return told
}

// joint reads the journal of another node and judges the two together.
func (j *judging) joint(ctx context.Context, path string) error {
	src, err := replay.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	other := judging{a: j.a, p: &picked{}, auditor: audit.New(audit.With(audit.Other)...), unsure: map[string]bool{},
		print: func(audit.Finding) error { return nil }} // what is wrong in that journal alone is its own audit's
	if err := other.read(ctx, src, false); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := j.show(j.auditor.Joint(other.auditor, 0)); err != nil {
		return err
	}
	found := other.auditor.Joint(j.auditor, 0)
	for i := range found { // its numbers and steps mean nothing in ours
		f := &found[i]
		f.Text = fmt.Sprintf("in %s, ike%d at %d: %s", path, f.SA, f.Step, f.Text)
		f.SA, f.Step, f.Evidence = 0, j.p.Source.Last().Step, nil
	}
	return j.show(found)
}
