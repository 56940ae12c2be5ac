package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/minimise"
	"github.com/ikejd/ikejd/replay/simulate"
)

type minimiseOptions struct {
	rule     string
	diverges bool
	budget   time.Duration
	seed     uint64
	file     string
}

func newMinimise(a *app) *cobra.Command {
	var o minimiseOptions
	cmd := &cobra.Command{
		Use:   "minimise FILE -o FILE",
		Short: "Make what shows a finding as small as it can be",
		Long: `minimise leaves out of FILE what a finding does not need: first all that is not in its past, by the causes that every
step records, then ever smaller parts, as long as the finding stays.

  a journal or .ikej   its steps; what is left is a journal again, its steps and SAs numbered anew. Where this binary decides
                       the whole as it was recorded, it does so with what is left. The finding is a violation of the audit's
                       --rule, or with --diverges a step that this binary decides otherwise; without either, the first
                       there is. A message stands as it was sealed, so an exchange that later ids count on stays
  a scenario (.txt)    its statements, played with --seed; of a kept seed (sim-7741.txt) the faults and orders in it

Interrupt it, or give it a --budget: the best so far is written.

Exit status: 0 nothing more can be left out, 2 it cannot be done or shows nothing, 3 the budget ended it.`,
		Example: "  ikejd minimise case.ikej --rule WIN-01 -o small.ikej\n  ikejd minimise sim-7741.txt -o small.txt",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMinimise(cmd.Context(), a, &o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.rule, "rule", "", "the finding is a violation of the rule with this `ID`")
	f.BoolVar(&o.diverges, "diverges", false, "the finding is that this binary decides a step otherwise")
	f.DurationVar(&o.budget, "budget", time.Minute, "stop after this time")
	f.Uint64Var(&o.seed, "seed", 1, "the `SEED` with which a scenario fails")
	f.StringVarP(&o.file, "output", "o", "", "the `FILE` to write; it must not be there")
	cmd.MarkFlagsMutuallyExclusive("rule", "diverges")
	return cmd
}

func runMinimise(ctx context.Context, a *app, o *minimiseOptions, file string) error {
	if o.file == "" {
		return errors.New("minimise wants to know where to write; try: -o FILE")
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, o.budget)
	defer cancel()
	shrink := shrinkJournal
	if filepath.Ext(file) == ".txt" {
		shrink = shrinkScenario
	}
	small, err := shrink(limited, o, file)
	if err != nil {
		return err
	}
	if err := create(o.file, small.write); err != nil {
		return err
	}
	if a.json {
		if err := a.object(map[string]any{"v": 1, "type": "minimised", "events": small.events, "slice": small.slice, "before": small.before,
			"left": small.left, "whole": small.whole, "took": time.Since(began).Seconds(), "file": o.file}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.std.Out, "%s in %.1fs -> %s\n", small.line(), time.Since(began).Seconds(), o.file)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !small.whole:
		return &status{code: exitLimit, err: fmt.Errorf("%v were over before all was tried; try: a longer --budget", o.budget)}
	}
	return nil
}

// small is what is left.
type small struct {
	events, slice, before, left int
	whole                       bool
	write                       func(io.Writer) error
}

// line is `61 204 events -> cause slice 212 -> minimised 9`.
func (s *small) line() string {
	return fmt.Sprintf("%s -> cause slice %s -> minimised %s", replay.Count(uint64(s.events), "event"), replay.Grouped(uint64(s.slice)), replay.Grouped(uint64(s.left)))
}

func shrinkJournal(ctx context.Context, o *minimiseOptions, file string) (*small, error) {
	src, err := replay.Open(file)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	whole, err := minimise.Read(src)
	if err != nil {
		return nil, err
	}
	finding, err := findingIn(ctx, o, whole)
	if err != nil {
		return nil, err
	}
	result := minimise.Least(ctx, whole, finding)
	return &small{events: result.Events, slice: result.Slice, before: result.Events, left: len(result.Journal.Records), whole: result.Whole, write: result.Journal.WriteCase}, nil
}

// findingIn is what was asked for; where nothing was, the first violation, or a divergence.
func findingIn(ctx context.Context, o *minimiseOptions, whole *minimise.Journal) (minimise.Finding, error) {
	violates, diverges := minimise.Violates(whole, o.rule), minimise.Diverges(ctx, whole)
	if o.rule != "" {
		if _, err := audit.Pick(o.rule); err != nil {
			return nil, err
		}
	}
	switch {
	case !o.diverges && len(violates(whole)) > 0:
		return minimise.Replays(ctx, whole, violates), nil
	case o.rule == "" && len(diverges(whole)) > 0:
		return diverges, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the budget of %v was over before the journal was read; try: a longer --budget", o.budget)
	case o.rule != "":
		return nil, fmt.Errorf("%s is not violated there; try: ikejd audit", o.rule)
	}
	return nil, errors.New("it shows neither a violation nor a step that this binary decides otherwise; try: ikejd audit, ikejd replay")
}

func shrinkScenario(ctx context.Context, o *minimiseOptions, file string) (*small, error) {
	if o.rule != "" || o.diverges {
		return nil, errors.New("a scenario fails as it does; try without --rule and --diverges")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	play, err := simulate.ParsePlay(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s, err := simulate.ShrinkPlay(ctx, play, o.seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return smallOf(s), nil
}

func smallOf(s *simulate.Shrunk) *small {
	return &small{events: s.Events, slice: s.Slice, before: s.Before, left: s.Left, whole: s.Whole, write: func(w io.Writer) error {
		_, err := io.WriteString(w, s.Text)
		return err
	}}
}
