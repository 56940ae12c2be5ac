package retain

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Journal is what Plan reads. SnapshotBefore is the newest snapshot of a state before a step, and the step after which it
// was taken.
type Journal interface {
	Prunable(before time.Time, needed func(journal.SegmentInfo) bool) ([]journal.SegmentInfo, error)
	SnapshotBefore(step uint64) (uint64, []byte, error)
}

// Plan is the segments that may go, oldest first: those whose last record is older than before, but for those with a part
// of an IKE SA that ended later. now is the State at the journal's end.
func Plan(j Journal, now reducer.State, before time.Time) ([]journal.SegmentInfo, error) {
	old, err := j.Prunable(before, nil)
	if err != nil || len(old) == 0 {
		return nil, err
	}
	oldest, err := oldestNeeded(j, old[len(old)-1], now)
	if err != nil {
		return nil, err
	}
	return j.Prunable(before, func(s journal.SegmentInfo) bool { return s.Last >= oldest })
}

// oldestNeeded is the first step of what has to stay although it is old: the life of an IKE SA that ended after the last
// old segment did. Those are in the snapshot that follows it and no longer in the State.
func oldestNeeded(j Journal, last journal.SegmentInfo, now reducer.State) (uint64, error) {
	none := last.Last + 1
	at, data, err := j.SnapshotBefore(none)
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

// Prune removes what Plan allows from j, which lies in dir and is this process's to write.
func Prune(j *journal.Journal, dir string, now reducer.State, before time.Time) ([]journal.SegmentInfo, error) {
	gone, err := Plan(writing{j, dir}, now, before)
	if err != nil || len(gone) == 0 {
		return nil, err
	}
	upTo := gone[len(gone)-1].Last
	return j.Prune(before, func(s journal.SegmentInfo) bool { return s.Last > upTo }, false)
}

// Preview is Plan for a journal that is this process's to write.
func Preview(j *journal.Journal, dir string, now reducer.State, before time.Time) ([]journal.SegmentInfo, error) {
	return Plan(writing{j, dir}, now, before)
}

// writing is a journal by both of its ends: the open segment's snapshot is the writer's alone to read, the closed ones lie
// on the disk.
type writing struct {
	*journal.Journal
	dir string
}

func (w writing) Prunable(before time.Time, needed func(journal.SegmentInfo) bool) ([]journal.SegmentInfo, error) {
	return w.Journal.Prune(before, needed, true)
}

func (w writing) SnapshotBefore(step uint64) (uint64, []byte, error) {
	r, err := journal.OpenReader(w.dir)
	if err != nil {
		return 0, nil, err
	}
	defer r.Close()
	at, data, err := r.SnapshotBefore(step)
	if err == nil && at+1 != step { // it is the open segment's
		return w.Journal.Snapshot()
	}
	return at, data, err
}
