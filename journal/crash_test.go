package journal

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// Crash images. What a commit changes in the file between two syncs may reach the disk in part and in any order, a
// sector (512 octets) being the least that does whole. From the file before a commit and after it we make images in
// which any of the changed sectors are still the old ones, and open each: it must hold the batches before, all of them
// acknowledged, and the new one whole or not at all.

const crashSegment = 256 << 10

// state is what a journal must hold after one commit.
type state struct {
	last  Position
	vault map[uint64][]byte
}

func (m *model) state() state {
	return state{Position{m.last(), m.time, m.head}, maps.Clone(m.vault)}
}

func (s state) is(j *Journal) error {
	if j.Last() != s.last {
		return fmt.Errorf("the journal ends at %+v, want %+v", j.Last(), s.last)
	}
	vault, err := j.Vault()
	if err == nil && !maps.EqualFunc(vault, s.vault, bytes.Equal) {
		err = fmt.Errorf("at step %d the vault is not the one of that step", s.last.Step)
	}
	return err
}

// image is one crash: files of a folder, and the states it may be found in (one or two).
type crashImage struct {
	files   map[string][]byte
	states  []state
	records [][]byte
	deep    bool // also read all of it, and go on from it
	how     string
}

// mixes are the ways a crash leaves a commit; changed are the sectors it changes in the order of writing: data pages
// ascending, then the meta page. They give the sectors that reached the disk.
var mixes = []struct {
	name string
	pick func(changed []int, r *rand.Rand) []int
}{
	{"none", func([]int, *rand.Rand) []int { return nil }},
	{"all", func(c []int, _ *rand.Rand) []int { return c }},
	{"meta only", func(c []int, _ *rand.Rand) []int { return c[len(c)-1:] }},
	{"all but one sector", func(c []int, r *rand.Rand) []int { i := r.IntN(len(c)); return slices.Delete(slices.Clone(c), i, i+1) }},
	{"all but one page", func(c []int, r *rand.Rand) []int {
		lost := c[r.IntN(len(c))] * sectorSize / pageSize
		return slices.DeleteFunc(slices.Clone(c), func(s int) bool { return s*sectorSize/pageSize == lost })
	}},
	{"any pages, and the meta page", func(c []int, r *rand.Rand) []int {
		keep, meta := map[int]bool{}, c[len(c)-1]
		for _, s := range c {
			if page := s * sectorSize / pageSize; page > 1 {
				if _, is := keep[page]; !is {
					keep[page] = r.IntN(2) == 0
				}
			}
		}
		return slices.DeleteFunc(slices.Clone(c), func(s int) bool { return s != meta && !keep[s*sectorSize/pageSize] })
	}},
	{"any sectors", func(c []int, r *rand.Rand) []int {
		share := []float64{.1, .5, .9, .99}[r.IntN(4)]
		return slices.DeleteFunc(slices.Clone(c), func(int) bool { return r.Float64() > share })
	}},
	{"any sectors, and the meta page", func(c []int, r *rand.Rand) []int {
		share, meta := []float64{.5, .9, .99}[r.IntN(3)], c[len(c)-1]
		return slices.DeleteFunc(slices.Clone(c), func(s int) bool { return s != meta && r.Float64() > share })
	}},
	{"the first ones, torn", func(c []int, r *rand.Rand) []int { return c[:r.IntN(len(c))] }},
	{"the last ones, torn", func(c []int, r *rand.Rand) []int { return c[r.IntN(len(c)):] }},
}

// changedSectors compares the file before and after, which may be longer then.
func changedSectors(before, after []byte) (changed []int) {
	before = append(bytes.Clone(before), make([]byte, len(after)-len(before))...)
	for s := range len(after) / sectorSize {
		if at := s * sectorSize; !bytes.Equal(before[at:at+sectorSize], after[at:at+sectorSize]) {
			changed = append(changed, s)
		}
	}
	meta := slices.IndexFunc(changed, func(s int) bool { return s*sectorSize >= 2*pageSize })
	if meta < 0 {
		return changed
	}
	return slices.Concat(changed[meta:], changed[:meta])
}

func mixed(before, after []byte, sectors []int) []byte {
	if len(sectors) == 0 {
		return before // not even longer
	}
	file := append(bytes.Clone(before), make([]byte, len(after)-len(before))...)
	for _, s := range sectors {
		copy(file[s*sectorSize:(s+1)*sectorSize], after[s*sectorSize:])
	}
	return file
}

// crashes makes count images of one commit.
func crashes(name string, before, after []byte, m *model, was, is state, count int, r *rand.Rand, to func(crashImage)) {
	changed := changedSectors(before, after)
	for i := range count {
		mix := mixes[i%len(mixes)]
		states := []state{was, is}
		switch mix.name {
		case "none", "the first ones, torn": // without its meta page
			states = states[:1]
		case "all":
			states = states[1:]
		}
		to(crashImage{
			files:   map[string][]byte{name: mixed(before, after, mix.pick(changed, r))},
			states:  states,
			records: m.records,
			deep:    r.IntN(60) == 0,
			how:     fmt.Sprintf("step %d, commit of %d sectors, %s", is.last.Step, len(changed), mix.name),
		})
	}
}

// lay puts the image into an empty folder, with the lock's file of a writer that did not close it.
func (c crashImage) lay(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, content := range c.files {
		f, err := os.Create(filepath.Join(dir, name))
		if err == nil {
			_, err = f.Write(bytes.TrimRight(content, "\x00"))
		}
		if err == nil {
			err = f.Truncate(int64(len(content)))
		}
		if err != nil {
			return err
		}
		f.Close()
	}
	return os.WriteFile(filepath.Join(dir, lockName), []byte("1\n"+openLine), 0o600)
}

// try opens the image and compares.
func (c crashImage) try(dir string) error {
	defer os.RemoveAll(dir)
	if err := c.lay(dir); err != nil {
		return err
	}
	if c.deep {
		if report, err := Verify(dir); err != nil || len(report.Damage) > 0 {
			return fmt.Errorf("verify before opening: %+v, %w", report, err)
		}
	}
	j, err := Open(dir, Options{SegmentBytes: crashSegment, NoPrewrite: true, sync: withoutSync})
	if err != nil {
		return err
	}
	defer j.Close()
	var found *state
	for _, s := range c.states {
		if s.last == j.Last() {
			if err = s.is(j); err == nil {
				found = &s
				break
			}
		}
	}
	if found == nil {
		return fmt.Errorf("opened at %+v: neither before nor after the commit: %w", j.Last(), err)
	}
	if !c.deep {
		return nil
	}
	return c.goOn(j, dir, *found)
}

// goOn reads all of the journal, appends to it, and crashes again in that.
func (c crashImage) goOn(j *Journal, dir string, s state) error {
	m := &model{records: slices.Clip(c.records[:s.last.Step]), head: s.last.Head, time: s.last.Time, vault: maps.Clone(s.vault)}
	next := j.begin.first
	for e, err := range j.Read(next) {
		if err != nil || e.Step != next || !bytes.Equal(e.Data, m.records[next-1]) {
			return fmt.Errorf("reading step %d: step %d, or other octets, %w", next, e.Step, err)
		}
		next++
	}
	if next != s.last.Step+1 {
		return fmt.Errorf("reading ended before step %d of %d", next, s.last.Step)
	}
	path := filepath.Join(dir, segmentName(j.begin.first))
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b := Batch{First: m.last() + 1, Time: m.time + 1, Vault: []VaultChange{{7, []byte("again")}, {8, nil}}}
	for i := range uint64(20) {
		b.Records = append(b.Records, fill8(i, 300))
	}
	if err := j.Append(&b); err != nil {
		return err
	}
	m.apply(&b)
	if err := m.state().is(j); err != nil {
		return fmt.Errorf("after going on: %w", err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(s.last.Step, 1))
	crashes(filepath.Base(path), before, after, m, s, m.state(), len(mixes), r, func(again crashImage) {
		again.deep = false
		if failed := again.try(dir + "-again"); failed != nil && err == nil {
			err = fmt.Errorf("crashed again, %s: %w", again.how, failed)
		}
	})
	if err != nil {
		return err
	}
	if err := j.Close(); err != nil {
		return err
	}
	if report, err := Verify(dir); err != nil || len(report.Damage) > 0 || report.TornTail || report.Head != m.head {
		return fmt.Errorf("verify after going on: %+v, %w", report, err)
	}
	return nil
}

// JOURNAL_TEST_SEED chooses another run.
func TestCrashImages(t *testing.T) {
	seed := uint64(7)
	if n, err := strconv.ParseUint(os.Getenv("JOURNAL_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	commits, each := 230, 50
	if testing.Short() {
		commits = 60
	}
	dir := memDir(t)
	var tried, failed atomic.Int64
	images := make(chan crashImage, 8)
	var workers sync.WaitGroup
	for n := range 3 {
		workers.Go(func() {
			for c := range images {
				if err := c.try(filepath.Join(dir, fmt.Sprint("image-", n))); err != nil && failed.Add(1) < 10 {
					t.Errorf("%s: %v", c.how, err)
				}
				tried.Add(1)
			}
		})
	}
	write := func(name string, o Options) error {
		w := &crashWriter{dir: filepath.Join(dir, name), m: newModel(), r: rand.New(rand.NewPCG(uint64(len(name)), seed)), each: each}
		w.to = func(c crashImage) { c.how = name + ": " + c.how; images <- c }
		o.sync = w.sync
		var err error
		if w.j, err = Open(w.dir, o); err != nil {
			return err
		}
		defer w.j.Close()
		for i := range commits / 2 {
			if i%12 == 11 {
				if err := w.roll(); err != nil {
					return err
				}
			}
			if err := w.append(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := write("prewritten", Options{SegmentBytes: crashSegment}); err != nil {
		t.Error(err)
	}
	if err := write("plain", Options{SegmentBytes: crashSegment, NoPrewrite: true}); err != nil {
		t.Error(err)
	}
	close(images)
	workers.Wait()
	t.Logf("%d crash images, %d failed", tried.Load(), failed.Load())
	if !testing.Short() && tried.Load() < 10_000 {
		t.Errorf("only %d images were made", tried.Load())
	}
}
