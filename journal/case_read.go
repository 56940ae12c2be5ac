package journal

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// pieceReader reads pieces off a stream of a known length.
type pieceReader struct {
	r    *bufio.Reader
	at   int64 // of the next piece
	size int64 // of the whole
}

func (p *pieceReader) next() (kind byte, content []byte, err error) {
	if kind, err = p.r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(p.r)
	if err != nil || n > maxPiece || int64(n) > p.size-p.at {
		return 0, nil, errors.New("has a piece of impossible length")
	}
	b := make([]byte, crcSize+n)
	if _, err := io.ReadFull(p.r, b); err != nil {
		return 0, nil, errors.New("ends within a piece")
	}
	content = b[crcSize:]
	sum := crc32.Update(crc32.Checksum([]byte{kind}, castagnoli), castagnoli, content)
	if binary.LittleEndian.Uint32(b) != sum {
		return 0, nil, errors.New("has a piece that does not match its checksum")
	}
	p.at += int64(1+len(binary.AppendUvarint(nil, n))+crcSize) + int64(n)
	return kind, content, nil
}

// caseMark is where a record's piece begins.
type caseMark struct {
	step uint64
	at   int64
}

const markEvery = 64

// caseFile is an open case file, read through once.
type caseFile struct {
	f            *os.File
	name         string
	size         int64
	versions     []byte
	snapshotStep uint64
	snapshotAt   int64 // -1: none
	first        uint64
	last         Position
	unproven     uint64
	marks        []caseMark // of one record in markEvery
}

func (c *caseFile) damage(step uint64, err error) error {
	return &Damage{Segment: c.name, First: step, Last: step, What: err.Error()}
}

func openCase(path string) (*caseFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w; try: --journal PATH, a journal's folder or a .ikej file", err)
	}
	c := &caseFile{f: f, name: filepath.Base(path), snapshotAt: -1}
	if err := c.scan(); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

func (c *caseFile) pieces(at int64) *pieceReader {
	return &pieceReader{bufio.NewReaderSize(io.NewSectionReader(c.f, at, c.size-at), 64<<10), at, c.size}
}

// scan reads the file once, checks every piece and proof, and marks where records are.
func (c *caseFile) scan() error {
	st, err := c.f.Stat()
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	c.size = st.Size()
	magic := make([]byte, len(caseMagic))
	if _, err := c.f.ReadAt(magic, 0); err != nil || string(magic) != caseMagic {
		return fmt.Errorf("journal: %s is no case file that this ikejd knows; try: ikejd import, or a newer ikejd", c.name)
	}
	p := c.pieces(int64(len(caseMagic)))
	var proof batchProof
	for count := uint64(0); ; {
		at := p.at
		kind, content, err := p.next()
		if errors.Is(err, io.EOF) {
			err = errors.New("is cut off")
		}
		if err == nil && kind == pieceEnd {
			if len(content) != 8 || binary.BigEndian.Uint64(content) != count || p.at != c.size {
				return c.damage(c.last.Step, errors.New("has another number of records than it says"))
			}
			return nil
		}
		if err == nil {
			err = c.take(kind, content, at, &proof, &count)
		}
		if err != nil {
			return c.damage(c.last.Step, err)
		}
	}
}

func (c *caseFile) take(kind byte, content []byte, at int64, proof *batchProof, count *uint64) error {
	switch {
	case kind == pieceVersions:
		c.versions = content
	case kind == pieceSnapshot && len(content) >= 8:
		c.snapshotStep, c.snapshotAt = binary.BigEndian.Uint64(content), at
	case kind == pieceRecord && len(content) >= 8:
		step := binary.BigEndian.Uint64(content)
		if step <= c.last.Step {
			return fmt.Errorf("has step %d behind step %d", step, c.last.Step)
		}
		if *count%markEvery == 0 {
			c.marks = append(c.marks, caseMark{step, at})
		}
		if *count == 0 {
			c.first = step
		}
		*count++
		c.unproven++
		c.last.Step = step
		proof.add(Entry{Step: step, Data: content[8:]})
	case kind == pieceSeal:
		s, err := parseCaseSeal(content)
		if err != nil {
			return err
		}
		if !proof.close(s) {
			return errors.New("has records that do not match the chain")
		}
		c.unproven -= s.Last - s.First + 1
		c.last.Time, c.last.Head = s.Time, s.Link
	default:
		return fmt.Errorf("has a piece of unknown kind %q", kind)
	}
	return nil
}

// read yields the records from step from on.
func (c *caseFile) read(from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if from != 0 && from < c.first {
			yield(Entry{}, pruned(from, c.first))
			return
		}
		i, found := slices.BinarySearchFunc(c.marks, from, func(m caseMark, step uint64) int { return cmp.Compare(m.step, step) })
		if !found && i > 0 {
			i--
		}
		if i == len(c.marks) {
			return // no record
		}
		var held *Entry
		for p := c.pieces(c.marks[i].at); ; {
			kind, content, err := p.next()
			if err != nil { // it was whole when it was opened
				yield(Entry{}, c.damage(0, err))
				return
			}
			if kind == pieceSeal && held != nil {
				s, err := parseCaseSeal(content)
				if err != nil {
					yield(Entry{}, c.damage(held.Step, err))
					return
				}
				held.Seal = &s
				continue
			}
			if held != nil && held.Step >= from && !yield(*held, nil) || kind == pieceEnd {
				return
			}
			held = nil
			if kind == pieceRecord {
				held = &Entry{Step: binary.BigEndian.Uint64(content), Data: content[8:]}
			}
		}
	}
}

func (c *caseFile) snapshotBefore(step uint64) (uint64, []byte, error) {
	if c.snapshotAt < 0 || c.snapshotStep >= step {
		return 0, nil, nil
	}
	_, content, err := c.pieces(c.snapshotAt).next()
	if err != nil {
		return 0, nil, c.damage(0, err)
	}
	return c.snapshotStep, content[8:], nil
}
