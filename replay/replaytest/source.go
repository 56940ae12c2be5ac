package replaytest

import (
	"iter"
	"path/filepath"
	"slices"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
	"google.golang.org/protobuf/proto"
)

// Memory is a Source that lies in memory.
type Memory struct {
	Steps    []journal.Entry
	End      journal.Position
	Snap     []byte // the state after SnapStep
	SnapStep uint64
	Running  bool
	Programs []byte
}

// Where is "memory".
func (m *Memory) Where() string { return "memory" }

// Live is whether the daemon is said to run.
func (m *Memory) Live() bool { return m.Running }

// First is the first step.
func (m *Memory) First() uint64 {
	if len(m.Steps) == 0 {
		return 0
	}
	return m.Steps[0].Step
}

// Last is the end.
func (m *Memory) Last() journal.Position { return m.End }

// Entries are the records from step from on.
func (m *Memory) Entries(from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for _, e := range m.Steps {
			if e.Step >= from && !yield(e, nil) {
				return
			}
		}
	}
}

// SnapshotBefore is the snapshot, where it is one of before step.
func (m *Memory) SnapshotBefore(step uint64) (uint64, []byte, error) {
	if m.Snap == nil || m.SnapStep >= step {
		return 0, nil, nil
	}
	return m.SnapStep, m.Snap, nil
}

// Versions is what a case file would say.
func (m *Memory) Versions() []byte { return m.Programs }

// Close does nothing.
func (m *Memory) Close() error { return nil }

// Source is the journal so far, in memory.
func (s *Script) Source() *Memory {
	m := &Memory{End: journal.Position{Step: s.Step(), Time: s.now}}
	first := s.Step() + 1 - uint64(len(s.records))
	for i, r := range s.records {
		m.Steps = append(m.Steps, journal.Entry{Step: first + uint64(i), Data: r})
		m.End.Time = s.times[i]
	}
	return m
}

// After is the journal so far without the steps up to and with step, which must be those of a State of the script: it
// begins with a snapshot. The snapshot is taken by running the reducer again.
func (s *Script) After(step uint64) *Memory {
	s.t.Helper()
	m := s.Source()
	state, err := replay.StateAt(s.t.Context(), m, step)
	if err != nil {
		s.t.Fatal(err)
	}
	if m.Snap, err = record.Marshal(state.Snapshot()); err != nil {
		s.t.Fatal(err)
	}
	for len(m.Steps) > 0 && m.Steps[0].Step <= step {
		m.Steps = m.Steps[1:]
	}
	m.SnapStep = step
	return m
}

// Journal writes the journal so far into a folder of the test and gives its path. Each of rolls is a step after which a
// new segment begins.
func (s *Script) Journal(rolls ...uint64) string {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "journal")
	s.Write(dir, rolls...)
	return dir
}

// mostBatch steps are in one transaction.
const mostBatch = 64

// Write is Journal into that folder.
func (s *Script) Write(dir string, rolls ...uint64) {
	s.t.Helper()
	j, err := journal.Open(dir, journal.Options{NoPrewrite: true})
	if err != nil {
		s.t.Fatal(err)
	}
	batch := journal.Batch{}
	for i, e := range s.Source().Steps {
		if len(batch.Records) == 0 {
			batch.First = e.Step
		}
		batch.Time, batch.Records = s.times[i], append(batch.Records, e.Data)
		roll := slices.Contains(rolls, e.Step)
		if roll || e.Step == s.Step() || e.Step%mostBatch == 0 {
			if err := j.Append(&batch); err != nil {
				s.t.Fatal(err)
			}
			batch = journal.Batch{}
		}
		if roll {
			if err := j.Roll(s.After(e.Step).Snap, nil); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	if err := j.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// Records are the records so far, decoded.
func (s *Script) Records() []*record.Record {
	s.t.Helper()
	var all []*record.Record
	for _, b := range s.records {
		r := new(record.Record)
		if err := proto.Unmarshal(b, r); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
