package daemon

import (
	"context"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/retain"
	"github.com/ikejd/ikejd/journal"
)

// pruneEvery is how often old segments are looked for. Ours: a segment is an hour old at most when it is closed.
const pruneEvery = time.Hour

// pruneAll removes segments that are older than journal.keep, now and then, until ctx ends.
func (d *Daemon) pruneAll(ctx context.Context) {
	for {
		if _, err := d.prune(d.config.settings().Journal.Keep, false); err != nil {
			d.log.Warn("old segments of the journal could not be removed; look after its folder", "error", err)
		}
		select {
		case <-time.After(pruneEvery):
		case <-ctx.Done():
			return
		}
	}
}

// prune removes the segments whose last record is older than keep, and of which nothing younger needs a part; or says
// which those are.
func (d *Daemon) prune(keep time.Duration, dryRun bool) ([]journal.SegmentInfo, error) {
	before, state := time.Unix(0, d.clock.Now()).Add(-keep), d.engine.State()
	if dryRun {
		return retain.Preview(d.journal, d.options.Journal, state, before)
	}
	gone, err := retain.Prune(d.journal, d.options.Journal, state, before)
	if len(gone) > 0 {
		d.log.Info("old segments of the journal were removed", "segments", len(gone), "up_to_step", gone[len(gone)-1].Last)
	}
	return gone, err
}
