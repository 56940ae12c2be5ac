package journal

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

var errSkeleton = errors.New("journal: being written")

type Journal struct{}

func Open(dir string, o Options) (*Journal, error)                 { return nil, errSkeleton }
func (j *Journal) Close() error                                    { return errSkeleton }
func (j *Journal) Last() Position                                  { return Position{} }
func (j *Journal) Append(b *Batch) error                           { return errSkeleton }
func (j *Journal) NeedsRoll() bool                                 { return false }
func (j *Journal) Roll(snapshot []byte, vault []VaultChange) error { return errSkeleton }
func (j *Journal) Snapshot() (step uint64, data []byte, err error) { return 0, nil, errSkeleton }
func (j *Journal) Vault() (map[uint64][]byte, error)               { return nil, errSkeleton }
func (j *Journal) Read(from uint64) iter.Seq2[Entry, error]        { return func(func(Entry, error) bool) {} }
func (j *Journal) Follow(ctx context.Context, from uint64) iter.Seq2[Entry, error] {
	return func(func(Entry, error) bool) {}
}
func (j *Journal) Segments() ([]SegmentInfo, error) { return nil, errSkeleton }

// Prune drops closed segments whose last record is older than before, oldest first, up to the first that is needed.
func (j *Journal) Prune(before time.Time, needed func(SegmentInfo) bool, dryRun bool) ([]SegmentInfo, error) {
	return nil, errSkeleton
}

type Reader struct{}

func OpenReader(path string) (*Reader, error)                        { return nil, errSkeleton }
func (r *Reader) Close() error                                       { return errSkeleton }
func (r *Reader) Read(from uint64) iter.Seq2[Entry, error]           { return func(func(Entry, error) bool) {} }
func (r *Reader) First() uint64                                      { return 0 }
func (r *Reader) Last() Position                                     { return Position{} }
func (r *Reader) LiveTail() bool                                     { return false }
func (r *Reader) Versions() []byte                                   { return nil }
func (r *Reader) Segments() []SegmentInfo                            { return nil }
func (r *Reader) SnapshotBefore(step uint64) (uint64, []byte, error) { return 0, nil, errSkeleton }

// Damage is one place that is not as it was written.
type Damage struct {
	Segment     string
	First, Last uint64 // steps it touches
	What        string
}

type Report struct {
	Steps       uint64
	First, Last uint64
	Time        int64
	Head        Link
	TornTail    bool
	LiveTail    bool
	Damage      []Damage
	Heads       map[Link]uint64 // of the heads asked for, those met, and after which step
}

func Verify(path string, heads ...Link) (Report, error) { return Report{}, errSkeleton }

// A Case is what a .ikej file holds: versions (opaque), the snapshot before its records, the records.
type Case struct {
	Versions     []byte
	SnapshotStep uint64
	Snapshot     []byte
	Entries      iter.Seq2[Entry, error]
}

func WriteCase(w io.Writer, c Case) error { return errSkeleton }
