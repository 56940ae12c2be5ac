package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"sort"

	"go.etcd.io/bbolt"
)

// blockBytes is what is copied out of one read transaction. A reader holds no transaction while it looks at an
// entry: an open one keeps bbolt from using pages again, and a segment from being closed.
const blockBytes = 256 << 10

// Read gives the durable records from step from on (0: from the first there is) up to the end at the time of the
// call. Reading goes on while the journal is appended to, rolled and pruned; a segment pruned before it was reached
// is an error.
func (j *Journal) Read(from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		j.readTo(from, j.Last().Step, yield)
	}
}

// Follow gives the records from step from on, and then each new one when it is durable, until ctx is done or the
// journal is closed.
func (j *Journal) Follow(ctx context.Context, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		until := func(e Entry, err error) bool { return ctx.Err() == nil && yield(e, err) }
		for next := from; ; {
			wake := *j.wake.Load() // before Last, so that what comes between the two wakes us
			open, last := j.isOpen(), j.Last().Step
			var ok bool
			if next, ok = j.readTo(next, last, until); !ok || !open {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-wake:
			}
		}
	}
}

func (j *Journal) isOpen() bool {
	j.state.RLock()
	defer j.state.RUnlock()
	return j.db != nil
}

// readTo yields steps from to upto; it gives the step after the last one yielded, and false when yield wanted no more
// or was given an error.
func (j *Journal) readTo(from, upto uint64, yield func(Entry, error) bool) (next uint64, more bool) {
	next = from
	for next <= upto {
		first, open, err := j.locate(&next)
		if err == nil && next > upto {
			break
		}
		before, stopped := next, false
		emit := func(e Entry) bool {
			if e.Step < next {
				return true
			}
			if e.Step > upto || !yield(e, nil) {
				stopped = e.Step <= upto
				return false
			}
			next = e.Step + 1
			return true
		}
		switch {
		case err != nil:
		case open:
			err = j.readOpen(first, next, upto, emit)
		default:
			err = readClosed(j.dir, first, next, emit)
		}
		if stopped {
			return next, false
		}
		if err == nil && next == before {
			err = &Damage{segmentName(first), next, next, "is missing"}
		}
		if err != nil && !errors.Is(err, errMoved) {
			yield(Entry{}, err)
			return next, false
		}
	}
	return next, true
}

// locate gives the segment that *step lies in, and whether it is the open one. Step 0 becomes the first there is.
func (j *Journal) locate(step *uint64) (first uint64, open bool, err error) {
	j.state.RLock()
	defer j.state.RUnlock()
	all := append(j.past[:len(j.past):len(j.past)], j.begin.first)
	if *step == 0 {
		*step = all[0]
	}
	i := sort.Search(len(all), func(i int) bool { return all[i] > *step })
	if i == 0 {
		return 0, false, pruned(*step, all[0])
	}
	return all[i-1], i == len(all) && j.db != nil, nil
}

func pruned(step, first uint64) error {
	return fmt.Errorf("journal: step %d is no longer there, the first is step %d; try: --since %d", step, first, first)
}

// errMoved says that the segment being read is not the open one any more.
var errMoved = errors.New("journal: rolled")

// readOpen reads the open segment block by block.
func (j *Journal) readOpen(first, from, upto uint64, emit func(Entry) bool) error {
	d := newInnerDecoder(segmentName(first))
	var block []Entry
	d.emit = func(e Entry) bool { block = append(block, e); return true }
	var at []byte
	for {
		end, err := j.readBlock(first, from, upto, d, &at)
		for _, e := range block {
			if !emit(e) {
				return nil
			}
		}
		if err != nil || end {
			return err
		}
		clear(block) // what the reader let go must not be kept by us
		block = block[:0]
	}
}

// readBlock feeds d the rows after key *at (nil: from the row that step from lies in). It says whether those were all.
func (j *Journal) readBlock(first, from, upto uint64, d *logDecoder, at *[]byte) (end bool, err error) {
	j.state.RLock()
	defer j.state.RUnlock()
	if j.db == nil || j.begin.first != first {
		return false, errMoved
	}
	defer guard(d.segment, &err)
	defer faultsPanic()()
	err = j.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(logBucket).Cursor()
		var k, v []byte
		if *at != nil {
			c.Seek(*at)
			k, v = c.Next()
		} else if k, v = seekStep(c, from); k != nil && d.next == 0 && from <= first {
			d.next, d.prev, d.whole = j.begin.first, j.begin.head, true
		}
		for size := 0; k != nil && size < blockBytes; k, v = c.Next() {
			if step, _, err := parseRowKey(k); err != nil || step > upto {
				k = nil // appended, and not known to be durable
				break
			}
			if err := d.feed(k, bytes.Clone(v)); err != nil {
				return err
			}
			*at = append((*at)[:0], k...)
			size += len(k) + len(v)
		}
		end = k == nil
		return nil
	})
	return end, err
}

// seekStep puts c on the row that the record of step begins in, or on the seal just before it.
func seekStep(c *bbolt.Cursor, step uint64) (k, v []byte) {
	target := rowKey(step, 0)
	at, _ := c.Seek(target)
	if at == nil {
		at, _ = c.Last()
	}
	for at != nil {
		if _, part, err := parseRowKey(at); err != nil || part == 0 && bytes.Compare(at, target) <= 0 {
			break
		}
		at, _ = c.Prev()
	}
	if at == nil {
		return c.First()
	}
	before, value := c.Prev()
	if before == nil {
		return c.First()
	}
	if _, part, err := parseRowKey(before); err == nil && part == sealPart {
		return before, value
	}
	return c.Next()
}

// readClosed reads a closed segment from step from to its end.
func readClosed(dir string, first, from uint64, emit func(Entry) bool) error {
	im, f, err := openImage(dir, first)
	if err != nil {
		return err
	}
	defer f.Close()
	c, err := im.newest()
	if err != nil {
		return err
	}
	return im.entries(c, from, emit)
}

// newest is what a closed segment holds; its last transaction was synced before the next segment began.
func (im *image) newest() (contents, error) {
	metas, err := im.metas()
	if err != nil {
		return contents{}, &Damage{Segment: im.name, What: "cannot be opened: " + err.Error()}
	}
	c, err := im.open(metas[0])
	if err != nil {
		return c, &Damage{Segment: im.name, What: err.Error()}
	}
	return c, nil
}

// entries reads the log, beginning at the page that step from lies in; emit sees what lies before it there, too.
func (im *image) entries(c contents, from uint64, emit func(Entry) bool) error {
	d := newInnerDecoder(im.name)
	if from <= c.begin.first {
		d = newLogDecoder(im.name, c.begin)
	}
	d.emit = emit
	bad := func(err error) error { return d.broken(max(d.next, from), c.head.last.Step, err.Error()) }
	err := im.walk(c.meta, c.trees[string(logBucket)], rowKey(from, 0), d.feed, bad)
	if err == nil {
		err = d.end(c.head.last.Step)
	}
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}
