package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"slices"
)

// A case file (.ikej) is a journal, or a part of one, as one stream that can be mailed: a magic line, then pieces,
// each a kind (1 octet), a length (uvarint), a crc32c of kind and content, and the content. docs/journal.md has them.

const (
	caseMagic = "ikejd case 1\n"

	pieceVersions = 'v' // opaque
	pieceSnapshot = 's' // step (8), snapshot
	pieceRecord   = 'r' // step (8), record
	pieceSeal     = 'b' // first, last, time (8 each), link before, link: the records since the seal before are its batch
	pieceEnd      = 'e' // number of records (8)

	maxPiece = 1 << 30
)

// A Case is what a case file holds: what is said of the programs that wrote it (opaque), a snapshot and the step
// after which it was taken (nil: the records begin with nothing before them), and the records. These may leave out
// steps and differ from those of the journal: only batches that are whole and unchanged get their proof.
type Case struct {
	Versions     []byte
	SnapshotStep uint64
	Snapshot     []byte
	Entries      iter.Seq2[Entry, error]
}

// WriteCase writes a case file.
func WriteCase(w io.Writer, c Case) error {
	out := bufio.NewWriterSize(w, 64<<10)
	fail := func(err error) error {
		return fmt.Errorf("journal: the case cannot be written: %w; free space there or choose another place", err)
	}
	if _, err := out.WriteString(caseMagic); err != nil {
		return fail(err)
	}
	if err := writePiece(out, pieceVersions, c.Versions); err != nil {
		return fail(err)
	}
	if c.Snapshot != nil {
		if err := writePiece(out, pieceSnapshot, binary.BigEndian.AppendUint64(nil, c.SnapshotStep), c.Snapshot); err != nil {
			return fail(err)
		}
	}
	var proof batchProof
	count := uint64(0)
	for e, err := range c.Entries {
		if err != nil {
			return err
		}
		step := binary.BigEndian.AppendUint64(nil, e.Step)
		if err := writePiece(out, pieceRecord, step, e.Data); err != nil {
			return fail(err)
		}
		count++
		proof.add(e)
		if e.Seal == nil {
			continue
		}
		if proof.close(*e.Seal) {
			if err := writePiece(out, pieceSeal, encodeCaseSeal(*e.Seal)); err != nil {
				return fail(err)
			}
		}
	}
	if err := writePiece(out, pieceEnd, binary.BigEndian.AppendUint64(nil, count)); err != nil {
		return fail(err)
	}
	if err := out.Flush(); err != nil {
		return fail(err)
	}
	return nil
}

// batchProof gathers records to see whether those before a seal are its whole batch, unchanged.
type batchProof struct {
	frames []byte
	steps  []uint64 // ascending
	starts []int    // of each step's frame
}

const maxProof = 64 << 20 // beyond it nothing is proved: a batch of the engine's has 8 MiB at most

func (p *batchProof) add(e Entry) {
	if len(p.frames) > maxProof {
		p.drop()
	}
	p.steps, p.starts = append(p.steps, e.Step), append(p.starts, len(p.frames))
	p.frames = appendFrame(p.frames, e.Step, e.Data)
}

func (p *batchProof) drop() { p.frames, p.steps, p.starts = p.frames[:0], p.steps[:0], p.starts[:0] }

// close says whether s proves the records since s.First, and forgets them.
func (p *batchProof) close(s Seal) bool {
	defer p.drop()
	i, found := slices.BinarySearch(p.steps, s.First)
	if !found || p.steps[len(p.steps)-1] != s.Last || uint64(len(p.steps)-i) != s.Last-s.First+1 {
		return false
	}
	link := beginLink(s.Prev, s.First)
	link.frames(p.frames[p.starts[i]:])
	return link.end(s.Last, s.Time) == s.Link
}

func writePiece(w *bufio.Writer, kind byte, parts ...[]byte) error {
	size, sum := 0, crc32.Checksum([]byte{kind}, castagnoli)
	for _, p := range parts {
		size += len(p)
		sum = crc32.Update(sum, castagnoli, p)
	}
	if size > maxPiece {
		return fmt.Errorf("a piece of %d octets is over the limit of %d", size, maxPiece)
	}
	head := binary.AppendUvarint([]byte{kind}, uint64(size))
	head = binary.LittleEndian.AppendUint32(head, sum)
	_, err := w.Write(head) // bufio keeps the first error
	for _, p := range parts {
		_, err = w.Write(p)
	}
	return err
}

func encodeCaseSeal(s Seal) []byte {
	b := binary.BigEndian.AppendUint64(nil, s.First)
	b = binary.BigEndian.AppendUint64(b, s.Last)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Time))
	return append(append(b, s.Prev[:]...), s.Link[:]...)
}

func parseCaseSeal(b []byte) (Seal, error) {
	if len(b) != 3*8+2*len(Link{}) {
		return Seal{}, errors.New("has a seal of a wrong length")
	}
	return Seal{
		First: binary.BigEndian.Uint64(b), Last: binary.BigEndian.Uint64(b[8:]), Time: int64(binary.BigEndian.Uint64(b[16:])),
		Prev: Link(b[24:]), Link: Link(b[56:]),
	}, nil
}
