package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/replay"
)

// selection is the options that say which steps are meant (REPLAY-UX.md, "Selecting").
type selection struct {
	sas          []string
	since, until string
	run          int64
	limit        int
}

// bindSteps binds what chooses steps: SAs, a run, from where to where.
func (s *selection) bindSteps(cmd *cobra.Command) {
	s.bindSA(cmd)
	s.bindRun(cmd)
	s.bindSince(cmd, "from this `POINT` on: a step, 03:12:07.5, -10m, start, shutdown, end, ike7.deleting, POINT+3")
	cmd.Flags().StringVar(&s.until, "until", "", "up to this `POINT`, it included")
}

func (s *selection) bindSA(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.sas, "sa", nil, "only this `SA`: ike7, child12, an SPI or its first digits, address, connection, identity; may repeat")
}

func (s *selection) bindRun(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&s.run, "run", 0, "only this life of the daemon: its `NUMBER`, 0 now, -1 the one before")
}

func (s *selection) bindSince(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&s.since, "since", "", usage)
}

func (s *selection) bindLimit(cmd *cobra.Command, what string) {
	cmd.Flags().IntVar(&s.limit, "limit", 0, "at most so many `"+what+"`")
}

// picked is a selection found in a journal.
type picked struct {
	replay.Scope
	since, until uint64 // steps, both included
}

// read opens the journal and finds what is selected in it; the caller closes the Source.
func (s *selection) read(ctx context.Context, a *app, cmd *cobra.Command, args []string) (*picked, error) {
	src, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.pick(ctx, a, cmd, src, args)
	if err != nil {
		src.Close()
		return nil, err
	}
	return p, nil
}

// pick finds what is selected in src; args are SAs too.
func (s *selection) pick(ctx context.Context, a *app, cmd *cobra.Command, src replay.Source, args []string) (*picked, error) {
	points := map[string]replay.Point{}
	for _, p := range []string{s.since, s.until} {
		if p == "" {
			continue
		}
		point, err := replay.ParsePoint(p, a.place())
		if err != nil {
			return nil, err
		}
		points[p] = point
	}
	var selectors []replay.Selector
	for _, arg := range slices.Concat(args, s.sas) {
		sel, err := replay.ParseSelector(arg)
		if err != nil {
			return nil, err
		}
		selectors = append(selectors, sel)
	}
	catalog, err := replay.List(ctx, src)
	if err != nil {
		return nil, err
	}
	if catalog.Stop != nil {
		fmt.Fprintf(a.std.Err, "damage: %v; nothing behind step %d is read\n", catalog.Stop, catalog.Last)
	}
	p := &picked{Scope: replay.Scope{Source: src, Catalog: catalog, Place: a.place()}, since: catalog.First, until: catalog.Last}
	if len(selectors) > 0 {
		if p.SAs, err = catalog.Select(selectors); err != nil {
			return nil, noSuch(err)
		}
	}
	if f := cmd.Flags().Lookup("run"); f != nil && f.Changed {
		if p.Run, err = catalog.Run(s.run); err != nil {
			return nil, noSuch(err)
		}
		p.since, p.until = p.Run.First, p.Run.Last
	}
	if s.since != "" {
		if p.since, err = p.Step(points[s.since], false); err != nil {
			return nil, noSuch(err)
		}
	}
	if s.until != "" {
		if p.until, err = p.Step(points[s.until], true); err != nil {
			return nil, noSuch(err)
		}
	}
	return p, nil
}

// noSuch gives what was asked for and is not there its exit status.
func noSuch(err error) error {
	var missing *replay.NotThere
	if errors.As(err, &missing) {
		return &status{exitFound, err}
	}
	return err
}

// takePath lets a .ikej file among the arguments be the journal to read.
func (a *app) takePath(args []string) []string {
	for i, arg := range args {
		if strings.HasSuffix(arg, ".ikej") && a.journal == "" {
			a.journal = arg
			return slices.Delete(slices.Clone(args), i, i+1)
		}
	}
	return args
}
