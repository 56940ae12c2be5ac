package live

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ikejd/ikejd/journal"
)

// An entry on its way: step and length of the record (varints), the record, an octet that says whether a seal follows,
// and the seal: first and last step and the time, 8 octets each in network order, and two links.
const (
	unsealed = 0
	sealed   = 1

	sealOctets = 3*8 + 2*len(journal.Link{})
)

// mostRecord is the longest record that is read: ours are datagrams and configurations.
const mostRecord = 1 << 30

func appendEntry(b []byte, e journal.Entry) []byte {
	b = binary.AppendUvarint(b, e.Step)
	b = binary.AppendUvarint(b, uint64(len(e.Data)))
	b = append(b, e.Data...)
	if e.Seal == nil {
		return append(b, unsealed)
	}
	b = append(b, sealed)
	for _, n := range []uint64{e.Seal.First, e.Seal.Last, uint64(e.Seal.Time)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(b, e.Seal.Prev[:]...)
	return append(b, e.Seal.Link[:]...)
}

// readEntry reads one entry; io.EOF where the stream ends between two.
func readEntry(r *bufio.Reader) (journal.Entry, error) {
	var e journal.Entry
	var err error
	if e.Step, err = binary.ReadUvarint(r); err != nil {
		return e, err // io.EOF: the end
	}
	size, err := binary.ReadUvarint(r)
	if err == nil && size > mostRecord {
		err = fmt.Errorf("a record of %d octets", size)
	}
	if err != nil {
		return e, inside(err)
	}
	if e.Data, err = io.ReadAll(io.LimitReader(r, int64(size))); err != nil || uint64(len(e.Data)) < size {
		return e, inside(errors.Join(err, io.ErrUnexpectedEOF))
	}
	kind, err := r.ReadByte()
	if err != nil || kind == unsealed {
		return e, inside(err)
	}
	var b [sealOctets]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return e, inside(err)
	}
	e.Seal = &journal.Seal{First: binary.BigEndian.Uint64(b[:]), Last: binary.BigEndian.Uint64(b[8:]), Time: int64(binary.BigEndian.Uint64(b[16:]))}
	copy(e.Seal.Prev[:], b[24:])
	copy(e.Seal.Link[:], b[24+len(e.Seal.Prev):])
	return e, nil
}

// inside is an error in the middle of an entry, where the stream may not end.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
