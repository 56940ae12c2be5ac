package journal

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// rowsOf lays a batch out as it is stored, seal and all.
func rowsOf(prev Link, b *Batch) ([]row, Link) {
	_, rows := appendRows(nil, nil, b.First, b.Records)
	last := b.First + uint64(len(b.Records)) - 1
	link := naiveLink(prev, b)
	seal := Seal{First: b.First, Last: last, Time: b.Time, Link: link}
	return append(rows, row{rowKey(last, sealPart), appendSeal(nil, seal)}), link
}

// Records of every length around the bounds of chunks come back as they were, and no row is longer than a chunk.
func TestFrames(t *testing.T) {
	for _, sizes := range [][]int{
		{0}, {1}, {0, 0, 0}, {127, 128, 129}, {16383, 16384},
		{maxChunk - 7}, {maxChunk - 6}, {maxChunk - 5}, {maxChunk},
		{maxChunk - 6, 1}, {1, maxChunk - 6}, {1, maxChunk, 1}, {3 * maxChunk, 5 * maxChunk, 7}, {100, 3 * maxChunk},
		{8000, 100, 100, 8000}, {2_000_000, 0},
	} {
		b := &Batch{First: 5, Time: 9}
		for i, size := range sizes {
			b.Records = append(b.Records, fill8(uint64(i), size))
		}
		rows, link := rowsOf(Link{1}, b)
		d := newLogDecoder("s", beginRow{first: 5, head: Link{1}})
		var got []Entry
		d.emit = func(e Entry) bool { got = append(got, e); return true }
		var before []byte
		for _, r := range rows {
			if len(r.value) > maxChunk || len(r.value) == 0 || bytes.Compare(r.key, before) <= 0 {
				t.Errorf("%v: a row of %d octets at %x, behind %x", sizes, len(r.value), r.key, before)
			}
			if before = r.key; d.feed(r.key, r.value) != nil {
				t.Errorf("%v: row %x is refused", sizes, r.key)
			}
		}
		if err := d.end(5 + uint64(len(sizes)) - 1); err != nil {
			t.Errorf("%v: %v", sizes, err)
		}
		if len(got) != len(sizes) {
			t.Errorf("%v: %d records came back", sizes, len(got))
			continue
		}
		for i, e := range got {
			if e.Step != 5+uint64(i) || !bytes.Equal(e.Data, b.Records[i]) {
				t.Errorf("%v: record %d is step %d of %d octets", sizes, i, e.Step, len(e.Data))
			}
		}
		if s := got[len(got)-1].Seal; s == nil || *s != (Seal{5, 5 + uint64(len(sizes)) - 1, 9, Link{1}, link}) {
			t.Errorf("%v: the seal came back as %v", sizes, s)
		}
	}
}

// A row left out, doubled or moved is noticed, wherever it is.
func TestRowsAmiss(t *testing.T) {
	var rows []row
	link := Link{}
	for _, sizes := range [][]int{{10, 20}, {3 * maxChunk, 9}, {8000, 8000, 8000}} {
		b := &Batch{First: 1, Time: 1}
		if len(rows) > 0 {
			last, _, _ := parseRowKey(rows[len(rows)-1].key)
			b.First = last + 1
		}
		for i, size := range sizes {
			b.Records = append(b.Records, fill8(uint64(i), size))
		}
		more, next := rowsOf(link, b)
		rows, link = append(rows, more...), next
	}
	last, _, _ := parseRowKey(rows[len(rows)-1].key)
	damage := func(rows []row) (n int) {
		d := newLogDecoder("s", beginRow{first: 1})
		d.damage = func(Damage) error { n++; return nil }
		for _, r := range rows {
			if err := d.feed(r.key, r.value); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.end(last); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := damage(rows); n != 0 {
		t.Fatalf("sound rows have %d places of damage", n)
	}
	for i := range rows {
		without := append(append([]row{}, rows[:i]...), rows[i+1:]...)
		if damage(without) == 0 {
			t.Errorf("row %d is missing, and nothing was noticed", i)
		}
		doubled := append(append([]row{}, rows[:i+1]...), rows[i:]...)
		if damage(doubled) == 0 {
			t.Errorf("row %d is there twice, and nothing was noticed", i)
		}
		if i > 0 {
			moved := append([]row{}, rows...)
			moved[i-1], moved[i] = moved[i], moved[i-1]
			if damage(moved) == 0 {
				t.Errorf("rows %d and %d are exchanged, and nothing was noticed", i-1, i)
			}
		}
	}
}

// FuzzFrame: no octets make the frame decoder panic or read past its input, and what it takes it can write again.
func FuzzFrame(f *testing.F) {
	f.Add(appendFrame(nil, 7, []byte("record")), uint64(7))
	f.Add(appendFrame(appendFrame(nil, 1, nil), 2, make([]byte, 300)), uint64(1))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint64) {
		record, rest, need, err := nextFrame(b, step)
		switch {
		case err == nil:
			again := appendFrame(nil, step, record)
			if got, _, _, err := nextFrame(again, step); err != nil || !bytes.Equal(got, record) || need+len(rest) != len(b) {
				t.Errorf("frame %x came back as %x, %v", b[:need], again, err)
			}
		case errors.Is(err, errFrameShort) && need <= len(b):
			t.Errorf("%d octets are said to be too few, and %d are needed", len(b), need)
		}
	})
}

// FuzzRows: a log of any rows is decoded without a panic, and what comes out of it in order.
func FuzzRows(f *testing.F) {
	join := func(rows []row) (b []byte) {
		for _, r := range rows {
			b = append(append(append(b, r.key...), byte(len(r.value)>>8), byte(len(r.value))), r.value...)
		}
		return b
	}
	rows, _ := rowsOf(Link{}, &Batch{First: 1, Time: 2, Records: [][]byte{[]byte("a"), {}, make([]byte, 500)}})
	f.Add(join(rows))
	rows, _ = rowsOf(Link{}, &Batch{First: 1, Records: [][]byte{make([]byte, 20_000)}})
	f.Add(join(rows))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, d := range []*logDecoder{newLogDecoder("s", beginRow{first: 1}), newInnerDecoder("s")} {
			d.damage = func(Damage) error { return nil }
			last := uint64(0)
			d.emit = func(e Entry) bool {
				if e.Step <= last && last != 0 {
					t.Errorf("step %d after step %d", e.Step, last)
				}
				last = e.Step
				return true
			}
			for rest := b; len(rest) >= keySize+2; {
				n := min(int(rest[keySize])<<8|int(rest[keySize+1]), len(rest)-keySize-2)
				if err := d.feed(rest[:keySize], rest[keySize+2:keySize+2+n]); err != nil {
					return
				}
				rest = rest[keySize+2+n:]
			}
			_ = d.end(last)
		}
	})
}

// FuzzSegment: no octets in place of a segment's make reading it panic.
func FuzzSegment(f *testing.F) {
	dir := f.TempDir()
	m := threeSegments(f, dir)
	sound, err := os.ReadFile(filepath.Join(dir, segmentName(m.firsts[1])))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{1})
	f.Add(uint32(3*pageSize+8), []byte{1, 0, 9})
	f.Add(uint32(pageSize+16), make([]byte, 64))
	f.Fuzz(func(t *testing.T, at uint32, with []byte) {
		bad := bytes.Clone(sound)
		copy(bad[int(at)%len(bad):], with)
		im := newImage(bytes.NewReader(bad), int64(len(bad)), "s")
		metas, err := im.metas()
		if err != nil {
			return
		}
		// Its checksum keeps a meta page from naming nonsense; the pages below have none, so begin at any of them too.
		anywhere := metas[0]
		if len(with) > 0 {
			anywhere.root = uint64(with[0])
		}
		for _, m := range []meta{metas[0], anywhere} {
			if _, err := im.check(m, func(Damage) error { return nil }, nil); err != nil {
				t.Error(err)
			}
			if c, err := im.open(m); err == nil {
				_ = im.entries(c, 500, func(Entry) bool { return true })
				_, _ = im.snapshot(c)
			}
		}
	})
}

// FuzzCase: no octets make the reader of case files panic.
func FuzzCase(f *testing.F) {
	var b bytes.Buffer
	one := func(yield func(Entry, error) bool) { yield(Entry{Step: 3, Data: []byte("record")}, nil) }
	if err := WriteCase(&b, Case{[]byte("v"), 2, []byte("snapshot"), one}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes()[len(caseMagic):])
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &caseFile{name: "fuzz", snapshotAt: -1}
		p := &pieceReader{bufio.NewReader(bytes.NewReader(b)), 0, int64(len(b))}
		var proof batchProof
		count := uint64(0)
		for {
			at := p.at
			kind, content, err := p.next()
			if err != nil || c.take(kind, content, at, &proof, &count) != nil {
				return
			}
			if p.at <= at || p.at > int64(len(b)) {
				t.Fatalf("a piece from %d to %d of %d octets", at, p.at, len(b))
			}
		}
	})
}
