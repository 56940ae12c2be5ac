package replay

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"strings"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/proto"
)

// Source is where steps are read from.
type Source interface {
	// Where says what is read, for people: "journal in /var/lib/ikejd, no daemon".
	Where() string
	// Live reports whether the daemon that writes this journal is running.
	Live() bool
	// First is the first step that can be read, 0 where there is none; Last is the end.
	First() uint64
	Last() journal.Position
	// Entries are the records from step from on (0: from the first), as they are in the journal.
	Entries(from uint64) iter.Seq2[journal.Entry, error]
	// SnapshotBefore is the newest snapshot of a state before step, and the step after which it was taken; nil where
	// there is none.
	SnapshotBefore(step uint64) (uint64, []byte, error)
	// Versions is what a case file says of the programs that wrote it; nil elsewhere.
	Versions() []byte
	Close() error
}

// Follower is a Source whose end moves.
type Follower interface {
	// Follow is Entries, and then each new record when it is durable, until ctx ends or the daemon does.
	Follow(ctx context.Context, from uint64) iter.Seq2[journal.Entry, error]
}

// Open opens a journal's folder or a .ikej file for reading. It is in no daemon's way.
func Open(path string) (Source, error) {
	r, err := journal.OpenReader(path)
	if err != nil {
		return nil, err
	}
	return &stored{r, path}, nil
}

// stored is a Source on disk.
type stored struct {
	*journal.Reader
	path string
}

func (s *stored) Where() string {
	switch {
	case s.Segments() == nil && !s.LiveTail():
		return "case " + filepath.Base(s.path)
	case s.LiveTail():
		return "journal in " + s.path + ", closed segments only: a daemon (pid " + s.Writer() + ") has the open one"
	}
	return "journal in " + s.path + ", no daemon"
}

func (s *stored) Live() bool { return s.LiveTail() }

func (s *stored) Entries(from uint64) iter.Seq2[journal.Entry, error] { return s.Read(from) }

// Records are the records of src from step from on (0: from the first).
func Records(src Source, from uint64) iter.Seq2[*record.Record, error] {
	return decoded(src.Entries(from))
}

func decoded(entries iter.Seq2[journal.Entry, error]) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		for e, err := range entries {
			if err != nil {
				yield(nil, err)
				return
			}
			r := new(record.Record)
			if err := proto.Unmarshal(e.Data, r); err != nil {
				yield(nil, unreadable(e.Step, err))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Record is the record of one step.
func Record(src Source, step uint64) (*record.Record, error) {
	if step == 0 || step < src.First() || step > src.Last().Step {
		return nil, notThere("no step %d here: there are %d to %d; try: ikejd journal cat --limit 1", step, src.First(), src.Last().Step)
	}
	for r, err := range Records(src, step) {
		if err != nil || r.GetStep() == step {
			return r, err
		}
		break
	}
	return nil, notThere("step %d was left out of this case file", step)
}

// Snapshot is the newest snapshot of a state before step; nil where there is none.
func Snapshot(src Source, step uint64) (*record.Snapshot, error) {
	at, data, err := src.SnapshotBefore(step)
	if err != nil || data == nil {
		return nil, err
	}
	s := new(record.Snapshot)
	if err := proto.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("the snapshot after step %d cannot be read: %w; try: ikejd journal verify", at, err)
	}
	return s, nil
}

func unreadable(step uint64, err error) error {
	return fmt.Errorf("step %d cannot be read: %w; try: ikejd journal verify", step, err)
}

// WrittenBy is the list of programs that a case file names, oldest first: see Versions.
func WrittenBy(src Source) []string {
	rest, ok := strings.CutPrefix(string(src.Versions()), writtenBy)
	if !ok {
		return nil
	}
	return strings.Fields(rest)
}

// Versions is what a case file says of the programs that wrote it.
func Versions(versions []string) []byte {
	return []byte(writtenBy + strings.Join(versions, " ") + "\n")
}

const writtenBy = "written by ikejd "
