package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Damage is one place that is not as it was written: steps First to Last (0, 0 where it touches no record).
type Damage struct {
	Segment     string
	First, Last uint64
	What        string
}

func (d *Damage) Error() string {
	where := d.Segment + " is damaged"
	switch {
	case d.First == 0 && d.Last == 0:
		where += ": it "
	case d.First == d.Last:
		where += fmt.Sprintf(" at step %d: it ", d.First)
	default:
		where += fmt.Sprintf(" at steps %d to %d: it ", d.First, d.Last)
	}
	return where + d.What + "; try: ikejd journal verify, then put a sound copy of the file in its place"
}

// contents is what a segment holds under one meta page.
type contents struct {
	meta  meta
	trees map[string]tree
	begin beginRow
	head  headRow
	steps uint64 // records found good, after check
}

func newImage(r io.ReaderAt, size int64, name string) *image {
	return &image{r: r, size: size, name: name}
}

// open reads the two rows of the segment under m.
func (im *image) open(m meta) (c contents, err error) {
	c.meta = m
	if c.trees, err = im.trees(m); err != nil {
		return c, err
	}
	for _, name := range buckets {
		if _, ok := c.trees[string(name)]; !ok || len(c.trees) != len(buckets) {
			return c, fmt.Errorf("lacks its bucket %s, or has others", name)
		}
	}
	rows, err := im.pairs(m, c.trees[string(segmentBucket)])
	if err != nil {
		return c, err
	}
	if c.begin, err = parseBegin(rows[string(beginKey)]); err != nil {
		return c, err
	}
	if c.head, err = parseHead(rows[string(headKey)]); err != nil {
		return c, err
	}
	if c.head.txid != m.txid {
		return c, fmt.Errorf("has the head of transaction %d instead of %d", c.head.txid, m.txid)
	}
	if c.head.last.Step+1 < c.begin.first {
		return c, fmt.Errorf("ends at step %d and begins at step %d", c.head.last.Step, c.begin.first)
	}
	return c, nil
}

func (im *image) pairs(m meta, t tree) (map[string][]byte, error) {
	found := map[string][]byte{}
	return found, im.walk(m, t, nil, func(k, v []byte) error {
		found[string(k)] = bytes.Clone(v)
		return nil
	}, func(err error) error { return err })
}

// check reads everything the segment holds under m. onDamage returns nil to have the check go on beside the damage;
// seal, if not nil, is told each batch.
func (im *image) check(m meta, onDamage func(Damage) error, seal func(Seal)) (c contents, err error) {
	im.seen = make([]uint64, (m.pages+63)/64)
	im.reuse = make([][]byte, maxDepth)
	defer func() { im.seen, im.reuse = nil, nil }()
	whole := func(what string) error { return onDamage(Damage{Segment: im.name, What: what}) }
	if m.pages > uint64(im.size/pageSize) {
		return c, whole(fmt.Sprintf("has %d pages instead of %d", im.size/pageSize, m.pages))
	}
	if c, err = im.open(m); err != nil {
		return c, whole(err.Error())
	}
	if err := im.checkLog(&c, onDamage, seal); err != nil {
		return c, err
	}
	if err := im.checkVault(c, whole); err != nil {
		return c, err
	}
	return c, im.checkSnapshot(c, whole)
}

func (im *image) checkLog(c *contents, onDamage func(Damage) error, seal func(Seal)) error {
	d := newLogDecoder(im.name, c.begin)
	d.damage = onDamage
	last := Seal{Time: c.begin.time, Link: c.begin.head}
	d.emit = func(e Entry) bool {
		c.steps++
		if e.Seal != nil {
			last = *e.Seal
			if seal != nil {
				seal(last)
			}
		}
		return true
	}
	good := true
	bad := func(err error) error {
		good = false
		return d.broken(d.next, max(d.next, c.head.last.Step), err.Error())
	}
	err := im.walk(c.meta, c.trees[string(logBucket)], nil, d.feed, bad)
	if err == nil && (good || d.next <= c.head.last.Step) {
		err = d.end(c.head.last.Step)
	}
	if err != nil {
		return err
	}
	if good && d.whole && (last.Link != c.head.last.Head || last.Time != c.head.last.Time) {
		return onDamage(Damage{im.name, c.head.last.Step, c.head.last.Step, "ends in another head than its log"})
	}
	return nil
}

func (im *image) checkVault(c contents, whole func(string) error) error {
	var sum vaultSum
	fail := func(err error) error { return whole(err.Error()) }
	bad := 0
	err := im.walk(c.meta, c.trees[string(vaultBucket)], nil, func(ref, stored []byte) error {
		if _, _, err := parseVault(ref, stored); err != nil {
			bad++
			return fail(err)
		}
		sum.change(ref, stored, true)
		return nil
	}, func(err error) error { bad++; return fail(err) })
	if err == nil && bad == 0 && sum != c.head.vault {
		return whole(fmt.Sprintf("has a vault of %d entries that is not the one of its head, of %d",
			sum.entries, c.head.vault.entries))
	}
	return err
}

func (im *image) checkSnapshot(c contents, whole func(string) error) error {
	sum, size := sha256.New(), uint64(0)
	err := im.walk(c.meta, c.trees[string(snapshotBucket)], nil, func(_, v []byte) error {
		sum.Write(v)
		size += uint64(len(v))
		return nil
	}, func(err error) error { return err })
	if err == nil && size == c.begin.snapshotBytes && (size == 0 || bytes.Equal(sum.Sum(nil), c.begin.snapshotSum[:])) {
		return nil
	}
	what := "has a snapshot that does not match its checksum"
	if err != nil {
		what = "has a snapshot that cannot be read: " + err.Error()
	}
	return whole(what)
}

// snapshot reads the snapshot, whose checksum must be right.
func (im *image) snapshot(c contents) ([]byte, error) {
	var data []byte
	err := im.walk(c.meta, c.trees[string(snapshotBucket)], nil, func(_, v []byte) error {
		data = append(data, v...)
		return nil
	}, func(err error) error { return err })
	if err == nil && (uint64(len(data)) != c.begin.snapshotBytes || sha256.Sum256(data) != c.begin.snapshotSum) {
		err = errors.New("does not match its checksum")
	}
	if err != nil {
		return nil, &Damage{Segment: im.name, What: "has a snapshot that cannot be read: " + err.Error()}
	}
	return data, nil
}

// settle finds the transaction the segment ends in. Every commit is synced before the next begins, so only the last
// can be torn, and only where the writer did not close the journal: then the pages of the transaction before are all
// there, and it is the end. Under any other damage the error is that of the newest.
func (im *image) settle(closed bool) (c contents, torn bool, err error) {
	metas, err := im.metas()
	if err != nil {
		return c, false, &Damage{Segment: im.name, What: "cannot be opened: " + err.Error()}
	}
	first := func(d Damage) error { return &d }
	c, err = im.check(metas[0], first, nil)
	if err == nil || closed || len(metas) == 1 || metas[1].txid+1 != metas[0].txid {
		return c, false, err
	}
	if before, err := im.check(metas[1], first, nil); err == nil {
		return before, true, nil
	}
	return c, false, err
}

// info describes the segment.
func (c contents) info(size int64, closed bool) SegmentInfo {
	return SegmentInfo{
		Name:  segmentName(c.begin.first),
		First: c.begin.first, Last: c.head.last.Step,
		Begin: c.begin.time, End: c.head.last.Time,
		Bytes: size, Closed: closed, SnapshotBytes: int64(c.begin.snapshotBytes),
		HeadBefore: c.begin.head, Head: c.head.last.Head,
	}
}

// chunkKey is the key of chunk i of a snapshot.
func chunkKey(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) }
