package journal

import (
	"fmt"
	"os"
)

// A Report is what Verify found.
type Report struct {
	Steps       uint64 // records that are as they were written
	Unproven    uint64 // of them, those no seal covers: a case file that leaves records out or renames in them
	First, Last uint64
	Time        int64 // UTC nanoseconds, of the last batch
	Head        Link
	TornTail    bool // the last transaction is not whole: normal after a power cut, nothing visible came from it
	LiveTail    bool // a daemon has the open segment, so it was not looked at
	Damage      []Damage
	Heads       map[Link]uint64 // of the heads asked for, those met, and the step after which
}

// Verify reads all of a journal's folder or of a case file and says whether it is as it was written: each record, the
// chain over all of them, snapshots and vault. It goes on behind damage to name all of it. It reads the open segment
// only where no daemon has it. Of heads, noted at other times, the report has those the chain went through: nothing
// before such a head was changed since. The error is for what could not be read at all.
func Verify(path string, heads ...Link) (Report, error) {
	v := verifier{Report: Report{Heads: map[Link]uint64{}}, heads: heads}
	st, err := os.Stat(path)
	if err != nil {
		return v.Report, fmt.Errorf("journal: %w; try: --journal PATH, a journal's folder or a .ikej file", err)
	}
	if !st.IsDir() {
		return v.caseFile(path)
	}
	folder, err := lookInto(path)
	if err != nil {
		return v.Report, err
	}
	v.LiveTail = folder.live
	for i, first := range folder.closedFirsts {
		found := len(v.Damage)
		if err := v.closedSegment(path, first); err != nil {
			return v.Report, err
		}
		v.place(found, first, folder.lastOf(i))
	}
	if folder.tail != nil {
		found := len(v.Damage)
		v.openSegment(folder.tail, folder.closed)
		v.place(found, folder.openFirst, folder.openFirst)
	}
	return v.Report, nil
}

type verifier struct {
	Report
	heads  []Link
	before SegmentInfo // the segment before, if it could be opened
	known  bool
}

func (v *verifier) closedSegment(dir string, first uint64) error {
	im, f, err := openImage(dir, first)
	if err != nil {
		return err
	}
	defer f.Close()
	metas, err := im.metas()
	if err != nil {
		v.unreadable(im, err)
		return nil
	}
	v.segment(im, metas[0])
	return nil
}

func (v *verifier) openSegment(im *image, closed bool) {
	metas, err := im.metas()
	if err != nil {
		v.unreadable(im, err)
		return
	}
	m := metas[0]
	if c, torn, err := im.settle(closed); err == nil {
		m, v.TornTail = c.meta, torn
	}
	v.segment(im, m)
}

func (v *verifier) unreadable(im *image, err error) {
	v.Damage = append(v.Damage, Damage{Segment: im.name, What: "cannot be opened: " + err.Error()})
	v.known = false
}

// place gives the steps of a segment that could not be opened to the damage that says so.
func (v *verifier) place(found int, first, last uint64) {
	if !v.known && len(v.Damage) > found {
		v.Damage[found].First, v.Damage[found].Last = first, last
	}
}

func (v *verifier) segment(im *image, m meta) {
	found := len(v.Damage)
	c, err := im.check(m, func(d Damage) error { v.Damage = append(v.Damage, d); return nil }, v.seal)
	if err != nil { // none is left by an onDamage that lets everything pass, but for a bug
		v.unreadable(im, err)
		return
	}
	if v.Steps += c.steps; c.begin.first == 0 {
		v.known = false // not even its rows: said above
		return
	}
	info := c.info(im.size, true)
	if v.known {
		if d := joint(v.before, info); d != nil {
			v.Damage = append(v.Damage[:found:found], append([]Damage{*d}, v.Damage[found:]...)...)
		}
	}
	v.known, v.before = true, info
	if v.First == 0 && info.Last >= info.First {
		v.First = info.First
	}
	if len(v.heads) > 0 {
		v.meet(info.HeadBefore, info.First-1)
	}
	v.Last, v.Time, v.Head = info.Last, info.End, info.Head
}

func (v *verifier) seal(s Seal) { v.meet(s.Link, s.Last) }

func (v *verifier) meet(l Link, step uint64) {
	for _, head := range v.heads {
		if head == l {
			v.Heads[l] = step
		}
	}
}

func (v *verifier) caseFile(path string) (Report, error) {
	c, err := openCase(path)
	if err != nil {
		return v.Report, err
	}
	defer c.f.Close()
	for e, err := range c.read(0) {
		if err != nil {
			return v.Report, err
		}
		v.Steps++
		if e.Seal != nil {
			v.seal(*e.Seal)
		}
	}
	v.First, v.Last, v.Time, v.Head, v.Unproven = c.first, c.last.Step, c.last.Time, c.last.Head, c.unproven
	return v.Report, nil
}
