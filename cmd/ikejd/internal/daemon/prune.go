package daemon

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// pruneEvery is how often old segments are looked for. Ours: a segment is an hour old at most when it is closed.
const pruneEvery = time.Hour

// pruneAll removes segments that are older than journal.keep, now and then, until ctx ends.
func (d *Daemon) pruneAll(ctx context.Context) {
	for {
		d.prune(time.Unix(0, d.clock.Now()).Add(-d.config.settings().Journal.Keep))
		select {
		case <-time.After(pruneEvery):
		case <-ctx.Done():
			return
		}
	}
}

// prune removes the segments whose last record is older than before, and of which nothing younger needs a part.
func (d *Daemon) prune(before time.Time) {
	old, err := d.journal.Prune(before, nil, true)
	if err != nil || len(old) == 0 {
		d.pruned(nil, err)
		return
	}
	oldest, err := d.oldestNeeded(old[len(old)-1], d.engine.State())
	if err != nil {
		d.pruned(nil, err)
		return
	}
	gone, err := d.journal.Prune(before, func(s journal.SegmentInfo) bool { return s.Last >= oldest }, false)
	d.pruned(gone, err)
}

func (d *Daemon) pruned(gone []journal.SegmentInfo, err error) {
	if err != nil {
		d.log.Warn("old segments of the journal could not be removed; look after its folder", "error", err)
	}
	if len(gone) > 0 {
		d.log.Info("old segments of the journal were removed", "segments", len(gone), "up_to_step", gone[len(gone)-1].Last)
	}
}

// oldestNeeded is the first step of what has to stay although it is old: the life of an IKE SA that ended after the last
// old segment did. Those are in the snapshot that follows it and no longer in the State. What living SAs need is in the
// snapshots.
func (d *Daemon) oldestNeeded(last journal.SegmentInfo, now reducer.State) (uint64, error) {
	none := last.Last + 1
	r, err := journal.OpenReader(d.options.Journal)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	at, data, err := r.SnapshotBefore(none)
	if err == nil && at != last.Last { // it is the open segment's
		at, data, err = d.journal.Snapshot()
	}
	if err != nil || at != last.Last {
		return 0, err // nothing is known: nothing is removed
	}
	var snapshot record.Snapshot
	if err := proto.Unmarshal(data, &snapshot); err != nil {
		return 0, err
	}
	oldest := none
	reducer.FromSnapshot(&snapshot).EachSA(0, func(sa *reducer.IKESA) bool {
		if now.SA(sa.Number) == nil {
			oldest = min(oldest, sa.CreatedStep)
		}
		return true
	})
	return oldest, nil
}
