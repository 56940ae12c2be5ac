package export

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
)

// Range is which steps are written: First to Last, and where a format can leave out steps, of which IKE SAs.
type Range struct {
	First, Last uint64
	About       func(*record.Record) bool // nil: all
}

// Of is the range that the selection needs: from the first step of any of the SAs to the last one of them, within
// [first, last]. What lies between stays whole: numbers and timers of the SAs hang on it.
func Of(sas []*replay.SA, first, last uint64) Range {
	r := Range{First: last, Last: first}
	for _, sa := range sas {
		r.First, r.Last = min(r.First, max(sa.First, first)), max(r.Last, min(sa.Last, last))
	}
	if sas == nil {
		r.First, r.Last = first, last
	}
	return r
}

// Case writes the steps of a range as a .ikej file that replays: it begins with the State before them. Where a snapshot of
// the journal says that State, it is taken as it is; else the reducer of this binary comes to it.
func Case(ctx context.Context, w io.Writer, src replay.Source, catalog *replay.Catalog, r Range) error {
	c := journal.Case{Versions: replay.Versions(writers(src, catalog, r)), Entries: upTo(ctx, src, r)}
	if r.First > 1 {
		c.SnapshotStep = r.First - 1
		at, snapshot, err := src.SnapshotBefore(r.First)
		if err != nil {
			return err
		}
		if c.Snapshot = snapshot; snapshot == nil || at != c.SnapshotStep {
			state, err := replay.StateAt(ctx, src, c.SnapshotStep)
			if err != nil {
				return err
			}
			if c.Snapshot, err = record.Marshal(state.Snapshot()); err != nil {
				return fmt.Errorf("the state after step %d cannot be written: %w", c.SnapshotStep, err)
			}
		}
	}
	return journal.WriteCase(w, c)
}

func upTo(ctx context.Context, src replay.Source, r Range) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for e, err := range src.Entries(r.First) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil && e.Step > r.Last {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// writers are the programs that wrote the steps.
func writers(src replay.Source, catalog *replay.Catalog, r Range) []string {
	var all []string
	for _, run := range catalog.Runs {
		if run.First > r.Last || run.Last < r.First {
			continue
		}
		version := run.Version
		if version == "" { // it began before: the file this one is made from may know
			if known := replay.WrittenBy(src); len(known) > 0 {
				version = known[0]
			}
		}
		if version != "" && !slices.Contains(all, version) {
			all = append(all, version)
		}
	}
	return all
}
