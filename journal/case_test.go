package journal

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"testing"
)

// writeCaseFile writes the journal in dir from the snapshot before step on, with its entries passed through change.
func writeCaseFile(t *testing.T, dir string, step uint64, change func(iter.Seq2[Entry, error]) iter.Seq2[Entry, error]) string {
	t.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	at, snap, err := r.SnapshotBefore(step)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "case.ikej")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteCase(f, Case{[]byte("ikejd 0.9.4"), at, snap, change(r.Read(at + 1))}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func same(s iter.Seq2[Entry, error]) iter.Seq2[Entry, error] { return s }

// A case file reads like the journal it was made of, and carries its proof.
func TestCase(t *testing.T) {
	dir := memDir(t)
	m := threeSegments(t, dir)
	m.available = m.firsts[1]
	path := writeCaseFile(t, dir, m.firsts[1]+5, same)
	report, err := Verify(path, m.head)
	if err != nil || report.Unproven != 0 || report.Head != m.head || report.Heads[m.head] != m.last() ||
		report.Steps != m.last()+1-m.available || report.First != m.available || report.Last != m.last() {
		t.Fatalf("verify: %+v, %v; want steps %d to %d, head %s", report, err, m.available, m.last(), m.head)
	}
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if string(r.Versions()) != "ikejd 0.9.4" || r.LiveTail() || r.First() != m.available || r.Last() != (Position{m.last(), m.time, m.head}) {
		t.Errorf("versions %q, steps %d to %+v", r.Versions(), r.First(), r.Last())
	}
	m.sameFrom(t, 0, r.Read(0))
	for _, from := range []uint64{m.available, m.available + 1, m.available + 63, m.available + 64, m.last()} {
		m.sameFrom(t, from, r.Read(from))
	}
	for range r.Read(m.last() + 1) {
		t.Error("there is a step behind the last")
	}
	for _, err := range r.Read(1) {
		if err == nil {
			t.Error("a step that the case does not have is read")
		}
	}
	step, snap, err := r.SnapshotBefore(m.available)
	if err != nil || step != m.available-1 || !bytes.Equal(snap, fill8(step, 20_000)) {
		t.Errorf("snapshot of step %d, %d octets, %v", step, len(snap), err)
	}
	if step, snap, err := r.SnapshotBefore(m.available - 1); step != 0 || snap != nil || err != nil {
		t.Errorf("snapshot of step %d before all", step)
	}
}

// What leaves records out or renames in them still reads, and says that it is not proved.
func TestCaseUnproven(t *testing.T) {
	dir := memDir(t)
	m := threeSegments(t, dir)
	batch := uint64(len(writerBatch(1).Records)) // steps 1 to batch are the first batch
	for name, change := range map[string]func(Entry) (Entry, bool){
		"left out": func(e Entry) (Entry, bool) { return e, e.Step != 3 },
		"renamed": func(e Entry) (Entry, bool) {
			if e.Step == 3 {
				e.Data = append([]byte("x"), e.Data...)
			}
			return e, true
		},
	} {
		path := writeCaseFile(t, dir, 1, func(s iter.Seq2[Entry, error]) iter.Seq2[Entry, error] {
			return func(yield func(Entry, error) bool) {
				for e, err := range s {
					if e, keep := change(e); keep && !yield(e, err) {
						return
					}
				}
			}
		})
		want := batch
		if name == "left out" {
			want--
		}
		report, err := Verify(path)
		if err != nil || report.Unproven != want || report.Head != m.head {
			t.Errorf("%s: %+v, %v; want %d unproven", name, report, err, want)
		}
	}
}

// A case file cut short or with any bit flipped is refused.
func TestCaseDamaged(t *testing.T) {
	dir := memDir(t)
	threeSegments(t, dir)
	path := writeCaseFile(t, dir, 1, same)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(how string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenReader(path); err == nil {
			t.Errorf("%s: opened", how)
		}
		if _, err := Verify(path); err == nil {
			t.Errorf("%s: verified", how)
		}
	}
	for at := 0; at < len(sound); at += 1 + len(sound)/200 {
		refused("cut", sound[:at])
		flipped := bytes.Clone(sound)
		flipped[at] ^= 1 << (at % 8)
		refused("flipped", flipped)
	}
	refused("more behind it", append(bytes.Clone(sound), 0))
}

type fullDisk struct{ left int }

var errFull = errors.New("full")

func (f *fullDisk) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// Every failing write shows.
func TestCaseWriteFails(t *testing.T) {
	entries := func(yield func(Entry, error) bool) {
		for step := uint64(1); step <= 2000 && yield(Entry{Step: step, Data: fill8(step, 100)}, nil); step++ {
		}
	}
	for _, left := range []int{0, 70_000, 140_000} {
		if err := WriteCase(&fullDisk{left}, Case{Entries: entries}); !errors.Is(err, errFull) {
			t.Errorf("with room for %d octets: %v", left, err)
		}
	}
	if err := WriteCase(&fullDisk{1 << 20}, Case{Entries: entries}); err != nil {
		t.Error(err)
	}
	broken := func(yield func(Entry, error) bool) { yield(Entry{}, context.Canceled) }
	if err := WriteCase(&fullDisk{1 << 20}, Case{Entries: broken}); !errors.Is(err, context.Canceled) {
		t.Errorf("an error of the reader became %v", err)
	}
}
