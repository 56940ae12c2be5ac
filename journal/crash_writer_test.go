package journal

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// rollCrashes makes the images of a roll: files are the folder's, taken at each sync of it and at its end.
func rollCrashes(spare []byte, unsynced, renamed, done map[string][]byte, m *model, was, is state, r *rand.Rand, to func(crashImage)) {
	send := func(how string, files map[string][]byte, s state) {
		to(crashImage{files: files, states: []state{s}, records: m.records, deep: r.IntN(3) == 0, how: how})
	}
	var begun string
	for name := range unsynced {
		if strings.HasSuffix(name, unfinished) && strings.HasPrefix(name, segmentPrefix) {
			begun = name
		}
	}
	if len(spare) > len(unsynced[begun]) {
		panic("the new segment is shorter than the spare it was made of")
	}
	changed := changedSectors(spare, unsynced[begun])
	for i := range 2 * len(mixes) {
		files := maps.Clone(unsynced)
		files[begun] = mixed(spare, unsynced[begun], mixes[i%len(mixes)].pick(changed, r))
		send("roll not synced, "+mixes[i%len(mixes)].name, files, was)
	}
	send("roll synced, not renamed", unsynced, was)
	send("roll renamed", renamed, is)
	send("roll done", done, is)
}

func readFolder(dir string) (map[string][]byte, error) {
	names, err := os.ReadDir(dir)
	files := map[string][]byte{}
	for _, n := range names {
		if err == nil && n.Name() != lockName {
			files[n.Name()], err = os.ReadFile(filepath.Join(dir, n.Name()))
		}
	}
	return files, err
}

// crashWriter appends and rolls, and hands out images of every commit.
type crashWriter struct {
	dir  string
	j    *Journal
	m    *model
	r    *rand.Rand
	at   []func() // what to do at the coming syncs
	to   func(crashImage)
	each int
}

func (w *crashWriter) sync(func() error) error {
	if len(w.at) > 0 {
		w.at[0]()
		w.at = w.at[1:]
	}
	return nil
}

func (w *crashWriter) append() error {
	b := &Batch{First: w.m.last() + 1, Time: w.m.time + 1}
	for range []int{0, 1, 1, 2, 3, 8, 30, 120}[w.r.IntN(8)] {
		size := w.r.IntN(500)
		if w.r.IntN(60) == 0 {
			size = w.r.IntN(30_000)
		}
		b.Records = append(b.Records, fill8(w.r.Uint64(), size))
	}
	for range w.r.IntN(4) {
		c := VaultChange{Ref: w.r.Uint64N(80)}
		if w.r.IntN(3) > 0 {
			c.Sealed = fill8(w.r.Uint64(), 20+w.r.IntN(200))
		}
		b.Vault = append(b.Vault, c)
	}
	path := filepath.Join(w.dir, segmentName(w.j.begin.first))
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	was := w.m.state()
	if err := w.j.Append(b); err != nil {
		return err
	}
	w.m.apply(b)
	after, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	crashes(filepath.Base(path), before, after, w.m, was, w.m.state(), w.each, w.r, w.to)
	return nil
}

func (w *crashWriter) roll() error {
	w.j.ahead.Wait()
	spare, err := os.ReadFile(filepath.Join(w.dir, spareName))
	if err != nil && !w.j.o.NoPrewrite {
		return err
	}
	was := w.m.state()
	var again []VaultChange
	for ref, sealed := range w.m.vault {
		again = append(again, VaultChange{ref, append([]byte("again "), sealed...)})
	}
	var unsynced, renamed map[string][]byte
	w.at = []func(){
		func() { unsynced, err = readFolder(w.dir) },
		func() { renamed, err = readFolder(w.dir) },
	}
	// Closed segments are not of interest, and only make the images bigger.
	for _, first := range w.j.past {
		if err := os.Remove(filepath.Join(w.dir, segmentName(first))); err != nil {
			return err
		}
	}
	w.j.past = nil
	if err := w.j.Roll(fill8(w.m.last(), w.r.IntN(30_000)), again); err != nil {
		return err
	}
	w.j.ahead.Wait()
	w.m.change(again)
	done, err := readFolder(w.dir)
	if err != nil {
		return err
	}
	delete(done, spareName)
	rollCrashes(spare, unsynced, renamed, done, w.m, was, w.m.state(), w.r, w.to)
	return nil
}
