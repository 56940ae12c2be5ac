package journal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// threeSegments writes a journal of three segments and closes it.
func threeSegments(t testing.TB, dir string) *model {
	t.Helper()
	j, err := Open(dir, Options{SegmentBytes: crashSegment, NoPrewrite: true, sync: withoutSync})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	m := newModel()
	for i := range 60 {
		b := writerBatch(m.last() + 1)
		if i == 33 {
			b.Records = append(b.Records, fill8(1, 20_000))
		}
		if err := j.Append(b); err != nil {
			t.Fatal(err)
		}
		m.apply(b)
		if i%20 == 19 && i < 50 {
			m.snapStep, m.snap = m.last(), fill8(m.last(), 20_000)
			if err := j.Roll(m.snap, asChanges(m.vault)); err != nil {
				t.Fatal(err)
			}
			m.firsts = append(m.firsts, m.last()+1)
		}
	}
	return m
}

// spots gives, for each octet of the segment that is part of a row of the log in use, its place in the file and the
// step of its row.
func spots(t *testing.T, dir string, first uint64) (at []int64, steps []uint64) {
	t.Helper()
	im, f, err := openImage(dir, first)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := im.newest()
	if err != nil {
		t.Fatal(err)
	}
	im.seen = make([]uint64, c.meta.pages/64+1)
	if err := im.walk(c.meta, c.trees["log"], nil, func([]byte, []byte) error { return nil }, func(err error) error { return err }); err != nil {
		t.Fatal(err)
	}
	seen := im.seen
	im.seen = nil
	for id := uint64(2); id < c.meta.pages; id++ {
		page, err := im.read(c.meta, id, 0)
		if err != nil || seen[id/64]&(1<<(id%64)) == 0 || native.Uint16(page[8:]) != leafPage {
			continue
		}
		for i := range int(native.Uint16(page[10:])) {
			key, value, _, _ := element(page, i, false)
			step, _, err := parseRowKey(key)
			if err != nil {
				t.Fatal(err)
			}
			begin := int64(pageHeader+i*elementSize) + int64(native.Uint32(page[pageHeader+i*elementSize+4:])) + keySize
			for k := range value {
				at, steps = append(at, int64(id)*pageSize+begin+int64(k)), append(steps, step)
			}
		}
	}
	return at, steps
}

// Every bit flipped in a record is noticed by Verify, which names the segment and steps next to it, and Open refuses
// an open segment with one, naming it too.
func TestFlipsInRecords(t *testing.T) {
	dir := memDir(t)
	m := threeSegments(t, dir)
	for n, first := range m.firsts {
		at, steps := spots(t, dir, first)
		if len(at) < 10_000 {
			t.Fatalf("segment %d has only %d octets of records", first, len(at))
		}
		path := filepath.Join(dir, segmentName(first))
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(first, 3))
		for range 350 {
			i := r.IntN(len(at))
			flipped := bytes.Clone(sound)
			flipped[at[i]] ^= 1 << r.IntN(8)
			if err := os.WriteFile(path, flipped, 0o600); err != nil {
				t.Fatal(err)
			}
			report, err := Verify(dir)
			if err != nil || len(report.Damage) == 0 || report.TornTail {
				t.Fatalf("a flip at %d of %s, in the rows of step %d: %+v, %v", at[i], path, steps[i], report, err)
			}
			// The row of steps[i] may hold a chunk of records behind it, so the damage may be named by a later one.
			if d := report.Damage[0]; d.Segment != segmentName(first) || d.Last < steps[i] || d.First > steps[i]+200 {
				t.Fatalf("a flip in the rows of step %d is named %v", steps[i], &d)
			}
			if n < len(m.firsts)-1 {
				continue
			}
			_, err = Open(dir, Options{SegmentBytes: crashSegment, NoPrewrite: true, sync: withoutSync})
			var d *Damage
			if !errors.As(err, &d) || d.Segment != segmentName(first) || d.First == 0 {
				t.Fatalf("a flip in the rows of step %d of the open segment: Open says %v", steps[i], err)
			}
		}
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// unchanged says whether all that can be read is as it was written.
func (m *model) unchanged(dir string) error {
	r, err := OpenReader(dir)
	if err != nil {
		return err
	}
	if r.Last() != (Position{m.last(), m.time, m.head}) {
		return fmt.Errorf("ends at %+v", r.Last())
	}
	next := uint64(1)
	for e, err := range r.Read(0) {
		if err != nil {
			return err
		}
		if e.Step != next || !bytes.Equal(e.Data, m.records[next-1]) {
			return fmt.Errorf("step %d is not as it was written", e.Step)
		}
		next++
	}
	step, snap, err := r.SnapshotBefore(m.last() + 1)
	if err == nil && (next != m.last()+1 || step != m.snapStep || !bytes.Equal(snap, m.snap)) {
		err = fmt.Errorf("ends before step %d, or another snapshot", next)
	}
	return err
}

// A bit flipped, or a sector replaced, anywhere in any file: nothing panics, and what is not noticed has changed
// nothing that can be read.
func TestFlipsAnywhere(t *testing.T) {
	dir := memDir(t)
	m := threeSegments(t, dir)
	sound := map[uint64][]byte{}
	for _, first := range m.firsts {
		var err error
		if sound[first], err = os.ReadFile(filepath.Join(dir, segmentName(first))); err != nil {
			t.Fatal(err)
		}
	}
	noticed := 0
	r := rand.New(rand.NewPCG(1, 4))
	for n := range 1500 {
		first := m.firsts[r.IntN(len(m.firsts))]
		path := filepath.Join(dir, segmentName(first))
		used := len(bytes.TrimRight(sound[first], "\x00"))
		bad := bytes.Clone(sound[first])
		at := r.IntN(used)
		if n%3 == 0 { // where the structure is
			at = min(at/pageSize*pageSize+r.IntN(120), used-1)
		}
		if n%10 == 0 {
			at = at / sectorSize * sectorSize
			from := r.IntN(used) / sectorSize * sectorSize
			copy(bad[at:at+sectorSize], sound[first][from:])
		} else {
			bad[at] ^= 1 << r.IntN(8)
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		report, err := Verify(dir)
		if err != nil || len(report.Damage) > 0 {
			noticed++
			for _, d := range report.Damage[:min(1, len(report.Damage))] {
				if !strings.Contains(d.Error(), segmentName(first)) {
					t.Errorf("damage at %d of %s is named %v", at, path, &d)
				}
			}
		} else if err := m.unchanged(dir); err != nil {
			t.Errorf("damage at %d of %s passed Verify, and then: %v", at, path, err)
		}
		if first == m.firsts[len(m.firsts)-1] {
			m.openDamaged(t, dir, at, len(report.Damage) > 0)
		}
		if err := os.WriteFile(path, sound[first], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of 1500 noticed; the others hit pages not in use", noticed)
	if noticed < 300 {
		t.Errorf("only %d were noticed", noticed)
	}
}

// openDamaged opens a journal whose open segment was damaged, as one that crashed and as one that was closed.
func (m *model) openDamaged(t *testing.T, dir string, at int, noticed bool) {
	t.Helper()
	for _, pid := range []string{"", "1\n" + openLine} {
		if err := os.WriteFile(filepath.Join(dir, lockName), []byte(pid), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(dir, Options{SegmentBytes: crashSegment, NoPrewrite: true, sync: withoutSync})
		var d *Damage
		switch {
		case err == nil:
			vault, err := j.Vault()
			torn := pid != "" && j.Last().Step < m.last() // the last transaction looks torn, and that it was not nobody knows
			if !torn && (noticed || err != nil || j.Last().Head != m.head || !maps.EqualFunc(vault, m.vault, bytes.Equal)) {
				t.Errorf("damage at %d: opened at %+v, %v", at, j.Last(), err)
			}
			j.Close()
		case !errors.As(err, &d):
			t.Errorf("damage at %d: %v names no segment", at, err)
		}
		if err := os.WriteFile(filepath.Join(dir, lockName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A whole segment gone, or cut short, is named.
func TestSegmentGone(t *testing.T) {
	dir := memDir(t)
	m := threeSegments(t, dir)
	gone := filepath.Join(dir, segmentName(m.firsts[1]))
	content, err := os.ReadFile(gone)
	if err != nil {
		t.Fatal(err)
	}
	check := func(how string) {
		t.Helper()
		report, err := Verify(dir)
		want := Damage{Segment: filepath.Base(gone), First: m.firsts[1], Last: m.firsts[2] - 1}
		if err != nil || len(report.Damage) == 0 {
			t.Fatalf("%s: %+v, %v", how, report, err)
		}
		if got := report.Damage[0]; got.Segment != want.Segment || got.First != want.First || got.Last != want.Last {
			t.Errorf("%s: named %v", how, &got)
		}
		r, err := OpenReader(dir)
		if err != nil {
			t.Fatal(err)
		}
		read, failed := uint64(0), error(nil)
		for e, err := range r.Read(0) {
			if failed = err; err == nil {
				read = e.Step
			}
		}
		var d *Damage
		if !errors.As(failed, &d) || d.Segment != filepath.Base(gone) || read < m.firsts[1]-1 {
			t.Errorf("%s: reading gave steps up to %d, then %v", how, read, failed)
		}
		next := m.firsts[2]
		for e, err := range r.Read(next) {
			if err != nil || e.Step != next {
				t.Fatalf("%s: behind the damage: step %d, %v", how, e.Step, err)
			}
			next++
		}
	}
	for _, size := range []int{0, 100, 2 * pageSize, len(content) / 2} {
		if err := os.WriteFile(gone, content[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprintf("cut to %d octets", size))
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	check("removed")
}
