package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// How records become rows of the bucket `log`. A record is framed: its length (uvarint), a crc32c of its step
// (8 octets) and its octets, those octets. A batch's frames are cut into chunks at record bounds; a frame longer
// than a chunk has chunks of its own. A row's key is the step of the first record in the chunk (8 octets) and the
// part (4): 0 where a frame begins, 1, 2, ... where a long one goes on, sealPart where the batch ends.

const (
	// Two chunks and their elements fill a page. bbolt splits no leaf of four values or fewer, so with larger
	// ones each commit would rewrite several of the last.
	maxChunk  = 8<<10 - 64
	maxRecord = 64 << 20

	keySize  = 12
	crcSize  = 4
	sealPart = ^uint32(0)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rowKey is the key of a row of the log.
func rowKey(step uint64, part uint32) []byte {
	b := make([]byte, 0, keySize)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, step), part)
}

// parseRowKey is its inverse.
func parseRowKey(key []byte) (step uint64, part uint32, err error) {
	if len(key) != keySize {
		return 0, 0, fmt.Errorf("has a row's key of %d octets instead of %d", len(key), keySize)
	}
	return binary.BigEndian.Uint64(key), binary.BigEndian.Uint32(key[8:]), nil
}

// recordSum is the crc32c of a record; the step is part of it, so that a record cannot pass for another.
func recordSum(step uint64, record []byte) uint32 {
	sum := ^uint32(0) // by hand over the step: a slice of it would be an allocation a record
	for shift := 56; shift >= 0; shift -= 8 {
		sum = castagnoli[byte(sum)^byte(step>>shift)] ^ sum>>8
	}
	return crc32.Update(^sum, castagnoli, record)
}

func appendFrame(b []byte, step uint64, record []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(record)))
	b = binary.LittleEndian.AppendUint32(b, recordSum(step, record))
	return append(b, record...)
}

var (
	errFrameShort  = errors.New("ends within a record")
	errFrameLength = errors.New("has a record of impossible length")
	errFrameSum    = errors.New("does not match its checksum")
)

// nextFrame takes the first frame off b. errFrameShort means that b holds only its beginning and need octets in
// all; errFrameSum that the frame is there and its record is not what was written. Record shares b's octets.
func nextFrame(b []byte, step uint64) (record, rest []byte, need int, err error) {
	n, head := binary.Uvarint(b)
	if head <= 0 || n > maxRecord {
		return nil, nil, 0, errFrameLength
	}
	need = head + crcSize + int(n)
	if len(b) < need {
		return nil, nil, need, errFrameShort
	}
	record, rest = b[head+crcSize:need:need], b[need:]
	if binary.LittleEndian.Uint32(b[head:]) != recordSum(step, record) {
		return nil, rest, need, errFrameSum
	}
	return record, rest, need, nil
}

// row is one key and value of the log.
type row struct{ key, value []byte }

// appendRows frames records into arena, which it returns grown with the rows that cut it into chunks. The rows share
// its octets.
func appendRows(arena []byte, rows []row, first uint64, records [][]byte) ([]byte, []row) {
	type cut struct {
		end  int
		step uint64
		part uint32
	}
	var cuts []cut
	begin, beginStep := 0, first
	flush := func(end int) {
		for part := uint32(0); begin < end; part++ {
			stop := min(begin+maxChunk, end)
			cuts = append(cuts, cut{stop, beginStep, part})
			begin = stop
		}
	}
	for i, record := range records {
		step := first + uint64(i)
		at := len(arena)
		arena = appendFrame(arena, step, record)
		if len(arena)-begin > maxChunk {
			flush(at)
			beginStep = step
			if len(arena)-begin > maxChunk {
				flush(len(arena))
				beginStep = step + 1
			}
		}
	}
	flush(len(arena))
	at := 0
	for _, c := range cuts {
		rows = append(rows, row{rowKey(c.step, c.part), arena[at:c.end:c.end]})
		at = c.end
	}
	return arena, rows
}
