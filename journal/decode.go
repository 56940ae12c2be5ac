package journal

import (
	"errors"
	"fmt"
)

// logDecoder turns the rows of a log, fed in order of keys, into entries, and checks all there is to check: that no
// step is missing, each record's checksum, and each batch's link from the first batch it has seen from its beginning.
type logDecoder struct {
	segment string
	next    uint64 // step of the next record; 0 until the first row says where the decoding begins
	prev    Link   // the chain before the batch that comes
	whole   bool   // the batch so far was seen from its beginning and undamaged, so its link can be judged

	emit   func(Entry) bool   // false ends the decoding with errStop
	damage func(Damage) error // nil lets the decoding go on after the damage

	first   uint64 // of the batch
	link    linkHash
	inBatch bool

	long     []byte // a frame that goes on in the next rows
	longNeed int
	longPart uint32

	held    Entry // the last entry, kept back until it is known whether a seal follows
	holding bool
}

var errStop = errors.New("journal: the reader has enough")

// newLogDecoder begins with the rows of a segment, whose `begin` row is given.
func newLogDecoder(segment string, begin beginRow) *logDecoder {
	d := newInnerDecoder(segment)
	d.next, d.prev, d.whole = begin.first, begin.head, true
	return d
}

// newInnerDecoder begins wherever its first row lies; the first link it can judge is that of the batch after a seal.
func newInnerDecoder(segment string) *logDecoder {
	return &logDecoder{segment: segment,
		emit:   func(Entry) bool { return true },
		damage: func(d Damage) error { return &d },
	}
}

// broken reports that steps first to last are not as they were written.
func (d *logDecoder) broken(first, last uint64, what string) error {
	d.whole = false
	return d.damage(Damage{d.segment, first, last, what})
}

// feed takes one row.
func (d *logDecoder) feed(key, value []byte) error {
	step, part, err := parseRowKey(key)
	if err != nil {
		return d.broken(d.next, d.next, err.Error())
	}
	if d.next == 0 && !d.place(step, part, value) {
		return nil
	}
	switch part {
	case sealPart:
		return d.seal(step, value)
	case 0:
		return d.chunk(step, value)
	default:
		return d.goOn(step, part, value)
	}
}

// place takes the first row; false says that the decoding begins behind it.
func (d *logDecoder) place(step uint64, part uint32, value []byte) bool {
	if part == 0 {
		d.next = step
		return true
	}
	if s, err := parseSeal(value); part == sealPart && err == nil {
		d.next, d.prev, d.whole = s.Last+1, s.Link, true
	}
	return false
}

// at brings the decoder to step, reporting what is missing before it.
func (d *logDecoder) at(step uint64) error {
	if d.long != nil {
		lost := d.next
		d.long, d.next = nil, d.next+1
		if err := d.broken(lost, lost, errFrameShort.Error()); err != nil {
			return err
		}
	}
	switch {
	case step == d.next:
		return nil
	case step < d.next:
		return d.broken(step, step, fmt.Sprintf("comes again after step %d", d.next-1))
	}
	err := d.broken(d.next, step-1, "is missing")
	d.next = step
	return err
}

func (d *logDecoder) begin(step uint64) {
	if !d.inBatch {
		d.inBatch, d.first = true, step
		d.link = beginLink(d.prev, step)
	}
}

func (d *logDecoder) chunk(step uint64, value []byte) error {
	if err := d.at(step); err != nil {
		return err
	}
	d.begin(step)
	d.link.frames(value)
	for rest := value; len(rest) > 0; {
		record, after, need, err := nextFrame(rest, d.next)
		switch {
		case err == nil:
			if err := d.put(record); err != nil {
				return err
			}
		case errors.Is(err, errFrameShort) && len(rest) == len(value):
			d.long, d.longNeed, d.longPart = append([]byte{}, value...), need, 0
			return nil
		default:
			if err := d.broken(d.next, d.next, err.Error()); err != nil {
				return err
			}
			if after == nil {
				return nil // the next chunk's key says where to go on
			}
			d.next++
		}
		rest = after
	}
	return nil
}

// goOn takes a row that continues a long frame.
func (d *logDecoder) goOn(step uint64, part uint32, value []byte) error {
	if d.long == nil || step != d.next || part != d.longPart+1 || len(d.long)+len(value) > d.longNeed {
		d.long = nil
		err := d.broken(step, step, "has parts that do not fit together")
		d.next = max(d.next, step+1)
		return err
	}
	d.link.frames(value)
	d.long, d.longPart = append(d.long, value...), part
	if len(d.long) < d.longNeed {
		return nil
	}
	record, _, _, err := nextFrame(d.long, step)
	d.long = nil
	if err != nil {
		d.next++
		return d.broken(step, step, err.Error())
	}
	return d.put(record)
}

// put passes on the entry before, and keeps this one back.
func (d *logDecoder) put(record []byte) error {
	if err := d.flush(); err != nil {
		return err
	}
	d.held, d.holding = Entry{Step: d.next, Data: record}, true
	d.next++
	return nil
}

func (d *logDecoder) flush() error {
	if d.holding {
		d.holding = false
		if !d.emit(d.held) {
			return errStop
		}
	}
	return nil
}

func (d *logDecoder) seal(step uint64, value []byte) error {
	s, err := parseSeal(value)
	if err != nil {
		err = d.broken(step, step, err.Error())
		d.inBatch, d.next = false, step+1
		return errors.Join(err, d.flush())
	}
	if err := d.at(s.Last + 1); err != nil {
		return err
	}
	if s.Last != step || d.inBatch && d.whole && s.First != d.first || !d.inBatch && d.whole {
		if err := d.broken(step, step, "has a seal that is not its batch's"); err != nil {
			return err
		}
	}
	if d.whole && d.link.end(s.Last, s.Time) != s.Link {
		if err := d.broken(s.First, s.Last, "does not match the chain"); err != nil {
			return err
		}
	}
	if d.whole {
		s.Prev = d.prev
	}
	d.prev, d.whole, d.inBatch = s.Link, true, false
	if d.holding && d.held.Step == s.Last {
		d.held.Seal = &s
	}
	return d.flush()
}

// end is called when no row is left; last is the step the log must reach.
func (d *logDecoder) end(last uint64) error {
	if d.long != nil || d.next <= last {
		if err := d.at(max(last, d.next) + 1); err != nil {
			return err
		}
	}
	if d.inBatch {
		return errors.Join(d.broken(d.first, d.next-1, "has no seal"), d.flush())
	}
	if d.next > last+1 {
		return d.broken(last+1, d.next-1, "is beyond the recorded end")
	}
	return d.flush()
}
