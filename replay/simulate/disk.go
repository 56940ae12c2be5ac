package simulate

import (
	"errors"
	"iter"
	"slices"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/proto"
)

// disk is where a node's journal is. After a death it holds every batch whose Append returned and, of the one that was
// being written, all or nothing: a torn one is cut at the start (DESIGN.md, "Recovery").
type disk interface {
	engine.Journal
	// reopen is a start after the end of a life.
	reopen() (disk, error)
	close() error
}

// memory is a disk that keeps whole batches. A new segment begins every so many records, with its snapshot and vault.
type memory struct {
	segment  int // records in one
	records  [][]byte
	first    uint64 // step of the first record
	snapshot []byte
	snapStep uint64
	sinceNew int
	vault    map[uint64][]byte
	last     journal.Position
	tear     func(*record.Record) bool // whether the write ends inside that record; nil: none does
}

// errTorn is a write that ended in the middle: nothing of the batch is there at the next start.
var errTorn = errors.New("the write was torn")

func newMemory(segment int) *memory {
	return &memory{segment: segment, first: 1, vault: map[uint64][]byte{}}
}

func (m *memory) Append(b *journal.Batch) error {
	for _, data := range b.Records {
		r := new(record.Record)
		if m.tear != nil && proto.Unmarshal(data, r) == nil && m.tear(r) {
			return errTorn
		}
	}
	for _, r := range b.Records {
		m.records = append(m.records, slices.Clone(r))
		m.sinceNew++
	}
	if len(b.Records) > 0 {
		m.last.Step, m.last.Time = b.First+uint64(len(b.Records))-1, b.Time
	}
	for _, change := range b.Vault {
		if change.Sealed == nil {
			delete(m.vault, change.Ref)
		} else {
			m.vault[change.Ref] = slices.Clone(change.Sealed)
		}
	}
	return nil
}

func (m *memory) NeedsRoll() bool { return m.sinceNew >= m.segment }

func (m *memory) Roll(snapshot []byte, vault []journal.VaultChange) error {
	m.snapshot, m.snapStep, m.sinceNew = slices.Clone(snapshot), m.last.Step, 0
	clear(m.vault)
	for _, change := range vault {
		m.vault[change.Ref] = slices.Clone(change.Sealed)
	}
	return nil
}

func (m *memory) Snapshot() (uint64, []byte, error) { return m.snapStep, m.snapshot, nil }

func (m *memory) Vault() (map[uint64][]byte, error) { return m.vault, nil }

func (m *memory) Read(from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for i := max(from, m.first) - m.first; i < uint64(len(m.records)); i++ {
			if !yield(journal.Entry{Step: m.first + i, Data: m.records[i]}, nil) {
				return
			}
		}
	}
}

func (m *memory) reopen() (disk, error) { return m, nil }
func (m *memory) close() error          { return nil }

// source makes a disk's journal one that package replay reads, from its first record on.
type source struct {
	entries func(from uint64) iter.Seq2[journal.Entry, error]
	last    journal.Position
}

func (s source) Where() string                                       { return "a simulated node's journal" }
func (s source) Live() bool                                          { return false }
func (s source) First() uint64                                       { return min(1, s.last.Step) }
func (s source) Last() journal.Position                              { return s.last }
func (s source) Entries(from uint64) iter.Seq2[journal.Entry, error] { return s.entries(max(from, 1)) }
func (s source) SnapshotBefore(uint64) (uint64, []byte, error)       { return 0, nil, nil }
func (s source) Versions() []byte                                    { return nil }
func (s source) Close() error                                        { return nil }

// files is a disk that is the journal of package journal, in a folder.
type files struct {
	*journal.Journal
	dir     string
	segment int64
}

func openFiles(dir string, segment int64) (disk, error) {
	j, err := journal.Open(dir, journal.Options{SegmentBytes: segment, NoPrewrite: true})
	if err != nil {
		return nil, err
	}
	return &files{j, dir, segment}, nil
}

func (f *files) reopen() (disk, error) {
	if err := f.Close(); err != nil {
		return nil, err
	}
	return openFiles(f.dir, f.segment)
}

func (f *files) close() error { return f.Close() }
