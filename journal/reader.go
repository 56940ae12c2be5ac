package journal

import (
	"bytes"
	"fmt"
	"iter"
	"os"
	"sort"
	"time"
)

// A Reader reads a journal that is not its own: the closed segments, and the open one where no daemon has it, as it
// was when the Reader was opened; or a case file. It holds no lock, so it is in no daemon's way.
type Reader struct {
	dir   string
	infos []SegmentInfo
	tail  *image // the open segment, copied
	end   contents
	lost  error // why there is no tail, although no daemon has it
	live  bool
	pid   string // of the daemon that has it
	kase  *caseFile
}

// OpenReader opens a journal's folder or a .ikej file for reading. Damage shows when it is reached.
func OpenReader(path string) (*Reader, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w; try: --journal PATH, a journal's folder or a .ikej file", err)
	}
	if !st.IsDir() {
		c, err := openCase(path)
		if err != nil {
			return nil, err
		}
		return &Reader{kase: c}, nil
	}
	folder, err := lookInto(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{dir: path, tail: folder.tail, live: folder.live, pid: folder.pid}
	for i, first := range folder.closedFirsts {
		info, err := closedInfo(path, first)
		if err != nil { // reading it will say the same
			info = SegmentInfo{Name: segmentName(first), First: first, Last: folder.lastOf(i), Closed: true}
		}
		r.infos = append(r.infos, info)
	}
	if r.tail == nil {
		return r, nil
	}
	if r.end, _, err = r.tail.settle(folder.closed); err != nil {
		if r.end, r.lost = r.tail.newest(); r.lost != nil {
			r.tail = nil
			return r, nil
		}
	}
	r.infos = append(r.infos, r.end.info(r.tail.size, false))
	return r, nil
}

// folder is what there is to read in a journal's folder.
type folder struct {
	visitor
	closedFirsts []uint64 // of the closed segments
	openFirst    uint64   // of the open one
	tail         *image   // the open one, copied; nil where a daemon has it
}

// lastOf is the last step that closed segment i should have, by the name of the next.
func (f folder) lastOf(i int) uint64 {
	if i+1 < len(f.closedFirsts) {
		return f.closedFirsts[i+1] - 1
	}
	return f.openFirst - 1
}

// lookInto lists the segments in dir and copies the open one, if it can.
func lookInto(dir string) (f folder, err error) {
	f.visitor = visit(dir)
	defer f.release()
	firsts, err := listSegments(dir)
	if err != nil {
		return f, err
	}
	if len(firsts) == 0 {
		return f, fmt.Errorf("journal: there is none in %s; try: --journal PATH, a journal's folder or a .ikej file", dir)
	}
	f.openFirst, f.closedFirsts = firsts[len(firsts)-1], firsts[:len(firsts)-1]
	if f.live {
		return f, nil
	}
	im, file, err := openImage(dir, f.openFirst)
	if err != nil {
		return f, err
	}
	defer file.Close()
	used := im.size
	if metas, err := im.metas(); err == nil {
		used = min(used, int64(metas[0].pages)*pageSize) // not what was written ahead
	}
	b, err := readAll(file, used)
	if err != nil {
		return f, &Damage{Segment: im.name, What: "cannot be read: " + err.Error()}
	}
	f.tail = newImage(bytes.NewReader(b), int64(len(b)), im.name)
	return f, nil
}

// LiveTail says that a daemon has the open segment, so that what it holds could not be read.
func (r *Reader) LiveTail() bool { return r.live }

// Writer is the process id of that daemon; empty where there is none.
func (r *Reader) Writer() string {
	if !r.live {
		return ""
	}
	return r.pid
}

// Segments describes what is read, ascending; nil for a case file.
func (r *Reader) Segments() []SegmentInfo { return r.infos }

// Prunable is what Journal.Prune would remove.
func (r *Reader) Prunable(before time.Time, needed func(SegmentInfo) bool) ([]SegmentInfo, error) {
	return prunable(r.infos, before, needed), nil
}

// Versions is what a case file says of the programs that wrote it; nil for a journal's folder.
func (r *Reader) Versions() []byte {
	if r.kase != nil {
		return r.kase.versions
	}
	return nil
}

// First is the first step that can be read, 0 where there is none.
func (r *Reader) First() uint64 {
	if r.kase != nil {
		return r.kase.first
	}
	for _, info := range r.infos {
		if info.Last >= info.First {
			return info.First
		}
	}
	return 0
}

// Last is the end of what can be read; of a case file its Head is that of the last batch proved whole, and so is Time.
func (r *Reader) Last() Position {
	if r.kase != nil {
		return r.kase.last
	}
	if len(r.infos) == 0 {
		return Position{}
	}
	info := r.infos[len(r.infos)-1]
	return Position{info.Last, info.End, info.Head}
}

// Read gives the records from step from on (0: from the first).
func (r *Reader) Read(from uint64) iter.Seq2[Entry, error] {
	if r.kase != nil {
		return r.kase.read(from)
	}
	return func(yield func(Entry, error) bool) {
		if first := r.First(); from == 0 {
			from = first
		} else if first != 0 && from < first {
			yield(Entry{}, pruned(from, first))
			return
		}
		i := sort.Search(len(r.infos), func(i int) bool { return r.infos[i].First > from })
		for i = max(i-1, 0); i < len(r.infos); i++ {
			more, err := r.segment(i, from, yield)
			if err != nil {
				yield(Entry{}, err)
			}
			if err != nil || !more {
				return
			}
		}
		if r.lost != nil {
			yield(Entry{}, r.lost)
		}
	}
}

// segment yields what segment i holds from step from on.
func (r *Reader) segment(i int, from uint64, yield func(Entry, error) bool) (more bool, err error) {
	info := r.infos[i]
	if i > 0 && from < info.First {
		if d := joint(r.infos[i-1], info); d != nil {
			return false, d
		}
	}
	if from > info.Last {
		return true, nil
	}
	more = true
	emit := func(e Entry) bool {
		more = e.Step < from || yield(e, nil)
		return more
	}
	if r.tail != nil && i == len(r.infos)-1 {
		return more, r.tail.entries(r.end, from, emit)
	}
	err = readClosed(r.dir, info.First, from, emit)
	return more, err
}

// joint says what is wrong between two segments that should follow each other.
func joint(before, after SegmentInfo) *Damage {
	switch {
	case before.Last+1 < after.First:
		return &Damage{segmentName(before.Last + 1), before.Last + 1, after.First - 1, "is missing"}
	case before.Last+1 > after.First:
		return &Damage{before.Name, after.First, before.Last, "overlaps with the next segment"}
	case before.Head != after.HeadBefore:
		return &Damage{after.Name, after.First, after.First, "does not continue the chain of the segment before it"}
	}
	return nil
}

// SnapshotBefore is the newest snapshot of a state before step, and the step after which it was taken: the records
// from there on, applied to it, lead to step. 0 and nil: there is none, and one has to begin with the first record.
func (r *Reader) SnapshotBefore(step uint64) (uint64, []byte, error) {
	if r.kase != nil {
		return r.kase.snapshotBefore(step)
	}
	for i := len(r.infos) - 1; i >= 0; i-- {
		info := r.infos[i]
		if info.SnapshotBytes == 0 || info.First > step {
			continue
		}
		if r.tail != nil && i == len(r.infos)-1 {
			data, err := r.tail.snapshot(r.end)
			return info.First - 1, data, err
		}
		im, f, err := openImage(r.dir, info.First)
		if err != nil {
			return 0, nil, err
		}
		defer f.Close()
		c, err := im.newest()
		if err != nil {
			return 0, nil, err
		}
		data, err := im.snapshot(c)
		return info.First - 1, data, err
	}
	return 0, nil, nil
}

// Close lets go of a case file.
func (r *Reader) Close() error {
	if r.kase != nil {
		return r.kase.f.Close()
	}
	return nil
}
