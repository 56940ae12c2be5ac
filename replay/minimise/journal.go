package minimise

import (
	"fmt"
	"io"
	"iter"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
)

// Journal is a journal in memory, which begins with nothing or with a snapshot.
type Journal struct {
	Records  []*record.Record // Invariant: steps follow one another
	Snapshot *record.Snapshot // the State before the first record; nil: none
	Written  []byte           // what is said of the programs that wrote it
}

// Read takes all records of a source.
func Read(src replay.Source) (*Journal, error) {
	j := &Journal{Written: src.Versions()}
	if j.Written == nil {
		j.Written = replay.Versions(nil)
	}
	for r, err := range replay.Records(src, 0) {
		if err != nil {
			return nil, err
		}
		if n := len(j.Records); n > 0 && r.GetStep() != j.Records[n-1].GetStep()+1 {
			return nil, fmt.Errorf("step %d follows step %d: what was left out of this file is needed to make it smaller; try the whole journal",
				r.GetStep(), j.Records[n-1].GetStep())
		}
		j.Records = append(j.Records, r)
	}
	if len(j.Records) == 0 || j.Records[0].GetStep() == 1 {
		return j, nil
	}
	var err error
	j.Snapshot, err = replay.Snapshot(src, j.Records[0].GetStep())
	return j, err
}

// at is the record of a step; nil where there is none.
func (j *Journal) at(step uint64) *record.Record {
	if len(j.Records) == 0 || step < j.Records[0].GetStep() {
		return nil
	}
	if i := step - j.Records[0].GetStep(); i < uint64(len(j.Records)) {
		return j.Records[i]
	}
	return nil
}

// WriteCase writes it as a .ikej file.
func (j *Journal) WriteCase(w io.Writer) error {
	c := journal.Case{Versions: j.Written, Entries: j.Entries(0)}
	if j.Snapshot != nil {
		var err error
		if c.Snapshot, err = record.Marshal(j.Snapshot); err != nil {
			return fmt.Errorf("the state before step %d cannot be written: %w", j.Records[0].GetStep(), err)
		}
		c.SnapshotStep = j.Snapshot.GetStep()
	}
	return journal.WriteCase(w, c)
}

// Journal is a replay.Source.
var _ replay.Source = (*Journal)(nil)

// Where is what is read, for people.
func (j *Journal) Where() string { return "a part of a journal" }

// Live is false: nobody writes it.
func (j *Journal) Live() bool { return false }

// First is the first step, 0 where there is none.
func (j *Journal) First() uint64 {
	if len(j.Records) == 0 {
		return 0
	}
	return j.Records[0].GetStep()
}

// Last is the end.
func (j *Journal) Last() journal.Position {
	if len(j.Records) == 0 {
		return journal.Position{}
	}
	r := j.Records[len(j.Records)-1]
	return journal.Position{Step: r.GetStep(), Time: int64(r.GetTime())}
}

// Entries are the records from step from on, as they would be in a journal.
func (j *Journal) Entries(from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for _, r := range j.Records {
			if r.GetStep() < from {
				continue
			}
			data, err := record.Marshal(r)
			if !yield(journal.Entry{Step: r.GetStep(), Data: data}, err) || err != nil {
				return
			}
		}
	}
}

// SnapshotBefore is the State it begins with.
func (j *Journal) SnapshotBefore(step uint64) (uint64, []byte, error) {
	if j.Snapshot == nil || j.Snapshot.GetStep() >= step {
		return 0, nil, nil
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(j.Snapshot)
	return j.Snapshot.GetStep(), data, err
}

// Versions is what is said of the programs that wrote it.
func (j *Journal) Versions() []byte { return j.Written }

// Close does nothing.
func (j *Journal) Close() error { return nil }
