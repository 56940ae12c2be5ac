package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/live"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/retain"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/replay"
)

type pruneOptions struct {
	keep   string
	dryRun bool
}

func newPrune(a *app) *cobra.Command {
	var o pruneOptions
	cmd := &cobra.Command{
		Use:   "prune --keep TIME",
		Short: "Remove segments that are older than that",
		Long: `prune removes what a running daemon removes by itself (journal.keep in its configuration): whole segments, the oldest
first, whose last step is older than --keep. What SAs that live need, and "ikejd why" of them, is in the snapshot behind
the cut. A segment with a part of an SA that ended since stays, and all behind it.

A running daemon does it itself, asked over its control socket.`,
		Example: "  ikejd journal prune --keep 30d --dry-run\n  ikejd journal prune --keep 12h --journal old/journal",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runPrune(cmd.Context(), a, &o) },
	}
	cmd.Flags().StringVar(&o.keep, "keep", "", "`TIME` that a segment stays: 12h, 30d")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would go, and remove nothing")
	return cmd
}

func runPrune(ctx context.Context, a *app, o *pruneOptions) error {
	keep, err := conf.ParseTime(o.keep)
	if err != nil || keep <= 0 {
		return errors.New("prune wants to know what stays; try: --keep 30d, and --dry-run to see what would go")
	}
	dir := a.journal
	if dir == "" {
		gone, err := live.Prune(ctx, a.socket, keep, o.dryRun)
		if !errors.Is(err, vici.ErrNoDaemon) {
			return a.showPruned(gone, o.dryRun, err)
		}
		dir = defaultJournal
	}
	gone, err := pruneFolder(ctx, dir, a.std.Now().Add(-keep), o.dryRun)
	return a.showPruned(gone, o.dryRun, err)
}

// pruneFolder prunes a journal that no daemon has.
func pruneFolder(ctx context.Context, dir string, before time.Time, dryRun bool) ([]journal.SegmentInfo, error) {
	src, err := replay.Open(dir)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if src.Versions() != nil {
		return nil, fmt.Errorf("%s is a case file, which has no segments; try: --journal with a journal's folder", dir)
	}
	if src.Live() {
		return nil, fmt.Errorf("a daemon has the %s; try: ikejd journal prune without --journal, which asks it", src.Where())
	}
	now, err := replay.StateAt(ctx, src, src.Last().Step)
	if err != nil {
		return nil, err
	}
	if dryRun {
		r, err := journal.OpenReader(dir)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return retain.Plan(r, now, before)
	}
	j, err := journal.Open(dir, journal.Options{NoPrewrite: true})
	if err != nil {
		return nil, err
	}
	var gone []journal.SegmentInfo
	if last := j.Last().Step; last == now.Step() {
		gone, err = retain.Prune(j, dir, now, before)
	} else {
		err = fmt.Errorf("a daemon wrote steps %d to %d into %s meanwhile; prune again", now.Step()+1, last, dir)
	}
	return gone, errors.Join(err, j.Close())
}

// showPruned prints what went, also where an error ended it.
func (a *app) showPruned(gone []journal.SegmentInfo, dryRun bool, err error) error {
	if err != nil && len(gone) == 0 {
		return err
	}
	octets := int64(0)
	for _, s := range gone {
		octets += s.Bytes
		if a.json {
			if err := a.object(prunedJSON{V: 1, Type: "pruned", Segment: s.Name, First: s.First, Last: s.Last, Ended: rfc3339(s.End), Octets: s.Bytes,
				DryRun: dryRun}); err != nil {
				return err
			}
		} else if !a.quiet {
			fmt.Fprintf(a.out(), "%s  steps %d to %d, ended %s\n", s.Name, s.First, s.Last, time.Unix(0, s.End).In(a.place()).Format(time.DateTime))
		}
	}
	if a.json {
		return err
	}
	done := "removed"
	if dryRun {
		done = "would be removed"
	}
	if len(gone) == 0 {
		fmt.Fprintf(a.out(), "nothing %s\n", done)
	} else {
		fmt.Fprintf(a.out(), "%s %s, %.1f MiB\n", replay.Count(uint64(len(gone)), "segment"), done, float64(octets)/(1<<20))
	}
	return err
}

type prunedJSON struct {
	V       int    `json:"v"`
	Type    string `json:"type"`
	Segment string `json:"segment"`
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	Ended   string `json:"ended,omitempty"`
	Octets  int64  `json:"octets"`
	DryRun  bool   `json:"dryRun,omitempty"`
}
