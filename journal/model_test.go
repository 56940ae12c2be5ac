package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is the naive journal: a slice of records, a map for the vault.
type model struct {
	records   [][]byte // of step 1 + index
	seals     []uint64 // last steps of the batches
	vault     map[uint64][]byte
	snapStep  uint64
	snap      []byte
	head      Link
	time      int64
	firsts    []uint64        // of the segments
	snapped   map[uint64]bool // of them, those with a snapshot
	available uint64          // first step not pruned
}

func newModel() *model {
	return &model{vault: map[uint64][]byte{}, firsts: []uint64{1}, snapped: map[uint64]bool{}, available: 1}
}

func (m *model) last() uint64 { return uint64(len(m.records)) }

func (m *model) apply(b *Batch) {
	if len(b.Records) > 0 {
		m.head = naiveLink(m.head, b)
		m.time = b.Time
		m.records = append(m.records, b.Records...)
		m.seals = append(m.seals, m.last())
	}
	m.change(b.Vault)
}

func (m *model) change(changes []VaultChange) {
	for _, c := range changes {
		if delete(m.vault, c.Ref); c.Sealed != nil {
			m.vault[c.Ref] = c.Sealed
		}
	}
}

// naiveLink is the link as docs/journal.md defines it, written down a second time.
func naiveLink(prev Link, b *Batch) Link {
	number := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	text := slices.Concat(prev[:], number(b.First))
	for i, r := range b.Records {
		text = append(binary.AppendUvarint(text, uint64(len(r))),
			binary.LittleEndian.AppendUint32(nil, recordSum(b.First+uint64(i), r))...)
		text = append(text, r...)
	}
	return sha256.Sum256(slices.Concat(text, number(b.First+uint64(len(b.Records))-1), number(uint64(b.Time))))
}

// same compares everything readable in j with the model.
func (m *model) same(t tester, j *Journal) {
	t.Helper()
	if got := j.Last(); got != (Position{m.last(), m.time, m.head}) {
		t.Fatalf("the journal ends at %+v, the model at step %d, time %d, head %s", got, m.last(), m.time, m.head)
	}
	vault, err := j.Vault()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(vault, m.vault, bytes.Equal) {
		t.Fatalf("the vault has %d entries, the model %d, or others", len(vault), len(m.vault))
	}
	step, snap, err := j.Snapshot()
	if err != nil || step != m.snapStep || !bytes.Equal(snap, m.snap) {
		t.Fatalf("snapshot of step %d, %d octets, %v; want step %d, %d octets", step, len(snap), err, m.snapStep, len(m.snap))
	}
}

// sameFrom compares what a reading from step from yields.
func (m *model) sameFrom(t tester, from uint64, read func(func(Entry, error) bool)) {
	t.Helper()
	next := max(from, m.available)
	for e, err := range read {
		if err != nil {
			t.Fatalf("reading from %d: %v", from, err)
		}
		if e.Step != next || next > m.last() || !bytes.Equal(e.Data, m.records[next-1]) {
			t.Fatalf("reading from %d: step %d with %d octets is not step %d of the model", from, e.Step, len(e.Data), next)
		}
		if _, sealed := slices.BinarySearch(m.seals, e.Step); sealed != (e.Seal != nil) {
			t.Fatalf("reading from %d: step %d: sealed %v, and the model says %v", from, e.Step, e.Seal != nil, sealed)
		}
		next++
	}
	if next <= m.last() && from <= m.last() {
		t.Fatalf("reading from %d ended before step %d of %d", from, next, m.last())
	}
}

func (m *model) drawBatch(t *rapid.T) *Batch {
	b := &Batch{First: m.last() + 1, Time: m.time + 1}
	n := rapid.SampledFrom([]int{0, 1, 1, 2, 5, 40, 300}).Draw(t, "records")
	big := rapid.IntRange(0, 9).Draw(t, "big") == 0
	for i := range n {
		size := int(b.First*7+uint64(i)*131) % 700
		if big && i == n/2 {
			size = rapid.SampledFrom([]int{maxChunk - 8, maxChunk - 6, maxChunk - 5, maxChunk, 3*maxChunk + 17, 200_000}).Draw(t, "size")
		}
		b.Records = append(b.Records, fill8(b.First+uint64(i), size))
	}
	for range rapid.IntRange(0, 3).Draw(t, "vault") {
		c := VaultChange{Ref: rapid.Uint64Range(1, 60).Draw(t, "ref")}
		if rapid.Bool().Draw(t, "put") {
			c.Sealed = fill8(b.First*1000+c.Ref, int(c.Ref)*5)
		}
		b.Vault = append(b.Vault, c)
	}
	return b
}

// fill8 is size octets that depend on seed.
func fill8(seed uint64, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		seed = seed*6364136223846793005 + 1442695040888963407
		b[i] = byte(seed >> 56)
	}
	return b
}

func withoutSync(func() error) error { return nil }

// Appending, rolling, pruning, closing and opening in any order, the journal reads like a slice and a map.
func TestModel(t *testing.T) {
	parent := memDir(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		dir := filepath.Join(parent, fmt.Sprint(n))
		defer os.RemoveAll(dir)
		o := Options{SegmentBytes: 1 << 20, NoPrewrite: rapid.Bool().Draw(t, "plain"), sync: withoutSync}
		j, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { j.Close() }()
		m := newModel()
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				b := m.drawBatch(t)
				if err := j.Append(b); err != nil {
					t.Fatal(err)
				}
				m.apply(b)
			},
			"roll": func(t *rapid.T) {
				snap := fill8(m.last(), rapid.SampledFrom([]int{0, 10, 5000, 300_000}).Draw(t, "snapshot"))
				var again []VaultChange
				m.vault = maps.Collect(func(yield func(uint64, []byte) bool) {
					for ref, sealed := range m.vault {
						sealed = append([]byte("again "), sealed...)
						again = append(again, VaultChange{ref, sealed})
						yield(ref, sealed)
					}
				})
				if err := j.Roll(snap, again); err != nil {
					t.Fatal(err)
				}
				m.snapStep, m.snap = m.last(), snap
				if len(snap) == 0 {
					m.snapStep = 0
				}
				m.snapped[m.last()+1] = len(snap) > 0
				if m.firsts[len(m.firsts)-1] != m.last()+1 {
					m.firsts = append(m.firsts, m.last()+1)
				}
			},
			"reopen": func(t *rapid.T) {
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				m.checkFiles(t, dir)
				if j, err = Open(dir, o); err != nil {
					t.Fatal(err)
				}
			},
			"prune": func(t *rapid.T) { m.prune(t, j) },
			"read": func(t *rapid.T) {
				from := rapid.Uint64Range(m.available, m.last()+1).Draw(t, "from")
				m.sameFrom(t, from, j.Read(from))
			},
			"": func(t *rapid.T) { m.same(t, j) },
		})
		m.sameFrom(t, 0, j.Read(0))
	})
}

func (m *model) prune(t *rapid.T, j *Journal) {
	keep := rapid.SampledFrom(m.firsts).Draw(t, "keep")
	dry := rapid.Bool().Draw(t, "dry")
	gone, err := j.Prune(future, func(s SegmentInfo) bool { return s.First >= keep }, dry)
	if err != nil {
		t.Fatal(err)
	}
	newest := m.firsts[0] // of those with a snapshot
	for _, first := range m.firsts {
		if m.snapped[first] {
			newest = first
		}
	}
	want := slices.Index(m.firsts, min(keep, newest))
	if len(gone) != want || want > 0 && gone[0].First != m.firsts[0] {
		t.Fatalf("pruned %v, want %v", gone, m.firsts[:want])
	}
	if !dry {
		m.firsts = m.firsts[want:]
		m.available = m.firsts[0]
	}
}

// checkFiles looks at the closed journal from outside.
func (m *model) checkFiles(t *rapid.T, dir string) {
	report, err := Verify(dir, m.head)
	if err != nil || len(report.Damage) > 0 || report.TornTail || report.LiveTail {
		t.Fatalf("verify: %+v, %v", report, err)
	}
	if report.Last != m.last() || report.Head != m.head || report.Steps != m.last()+1-m.available || report.Heads[m.head] != m.last() {
		t.Fatalf("verify: %+v, and the model ends at %d, head %s", report, m.last(), m.head)
	}
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := r.Last(); got != (Position{m.last(), m.time, m.head}) {
		t.Fatalf("the reader ends at %+v", got)
	}
	m.sameFrom(t, 0, r.Read(0))
	if m.available <= m.last() {
		from := rapid.Uint64Range(m.available, m.last()).Draw(t, "reader from")
		m.sameFrom(t, from, r.Read(from))
	}
	step, snap, err := r.SnapshotBefore(m.last() + 1)
	if err != nil || m.snapStep != 0 && (step != m.snapStep || !bytes.Equal(snap, m.snap)) {
		t.Fatalf("snapshot before the end: step %d, %d octets, %v", step, len(snap), err)
	}
}

// Follow yields what was there and what comes, over a roll, and ends with its context or with the journal.
func TestFollow(t *testing.T) {
	j, err := Open(memDir(t), Options{SegmentBytes: 1 << 20, sync: withoutSync})
	if err != nil {
		t.Fatal(err)
	}
	const steps = 2000
	follow := func(ctx context.Context, from, until uint64, stop func()) chan error {
		done := make(chan error, 1)
		go func() {
			next := from
			for e, err := range j.Follow(ctx, from) {
				if err == nil && (e.Step != next || !bytes.Equal(e.Data, fill8(e.Step, 100))) {
					err = fmt.Errorf("step %d instead of %d, or other octets", e.Step, next)
				}
				if err != nil {
					done <- err
					return
				}
				if next++; e.Step == until {
					stop()
				}
			}
			if next <= until {
				done <- fmt.Errorf("following ended before step %d", next)
				return
			}
			done <- nil
		}()
		return done
	}
	ctx, cancel := context.WithCancel(context.Background())
	byContext := follow(ctx, 1, steps/2, cancel)
	byClose := follow(context.Background(), 700, steps, func() {})
	for step := uint64(1); step <= steps; {
		b := Batch{First: step, Time: int64(step)}
		for range min(1+step%7, steps+1-step) {
			b.Records = append(b.Records, fill8(step, 100))
			step++
		}
		if err := j.Append(&b); err != nil {
			t.Fatal(err)
		}
		if step%10 == 0 {
			if err := j.Roll(nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := <-byContext; err != nil {
		t.Error("by context:", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-byClose; err != nil {
		t.Error("by close:", err)
	}
}

var future = time.Unix(1<<40, 0)

// tester is what testing.T and rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
