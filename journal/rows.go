package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The four buckets of a segment, and the two rows of `segment`: `begin`, written once, says what the segment starts
// from; `head`, written by every transaction, what it holds now. Numbers are big endian; each row ends in its crc32c.

var (
	segmentBucket  = []byte("segment")
	logBucket      = []byte("log")
	vaultBucket    = []byte("vault")
	snapshotBucket = []byte("snapshot")

	buckets = [][]byte{segmentBucket, logBucket, vaultBucket, snapshotBucket}

	beginKey = []byte("begin")
	headKey  = []byte("head")
)

const (
	formatVersion = 1

	beginSize = 8 + 8 + 8 + sha256.Size + 8 + sha256.Size + crcSize
	headSize  = 8 + 8 + 8 + sha256.Size + 8 + vaultSumSize + crcSize
)

// beginRow: the segment's records are those of the steps from first on, and the snapshot is the state after first-1.
type beginRow struct {
	first         uint64
	time          int64 // of the last record before; 0 when there is none
	head          Link  // the chain before first
	snapshotBytes uint64
	snapshotSum   [sha256.Size]byte
}

// headRow also names its transaction and sums up the vault. With these two a start can see whether every page of
// the last transaction reached the disk: that is what lets a commit do with one sync instead of two (append.go).
type headRow struct {
	txid  uint64
	last  Position // step first-1 while the segment has no record
	vault vaultSum
}

func appendSum(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func checkRow(b []byte, name string, size int) error {
	if len(b) != size {
		return fmt.Errorf("has a row %s of %d octets instead of %d", name, len(b), size)
	}
	if body := b[:size-crcSize]; binary.LittleEndian.Uint32(b[size-crcSize:]) != crc32.Checksum(body, castagnoli) {
		return fmt.Errorf("has a row %s that does not match its checksum", name)
	}
	return nil
}

func (r beginRow) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, formatVersion)
	b = binary.BigEndian.AppendUint64(b, r.first)
	b = binary.BigEndian.AppendUint64(b, uint64(r.time))
	b = append(b, r.head[:]...)
	b = binary.BigEndian.AppendUint64(b, r.snapshotBytes)
	return appendSum(append(b, r.snapshotSum[:]...))
}

func parseBegin(b []byte) (r beginRow, err error) {
	if err := checkRow(b, "begin", beginSize); err != nil {
		return r, err
	}
	if v := binary.BigEndian.Uint64(b); v != formatVersion {
		return r, fmt.Errorf("has format %d, and this ikejd knows format %d; try a newer ikejd", v, formatVersion)
	}
	r.first = binary.BigEndian.Uint64(b[8:])
	r.time = int64(binary.BigEndian.Uint64(b[16:]))
	r.head = Link(b[24:])
	r.snapshotBytes = binary.BigEndian.Uint64(b[56:])
	copy(r.snapshotSum[:], b[64:])
	if r.first == 0 {
		return r, errors.New("has a row begin that names step 0, and steps begin at 1")
	}
	return r, nil
}

func (r headRow) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, r.txid)
	b = binary.BigEndian.AppendUint64(b, r.last.Step)
	b = binary.BigEndian.AppendUint64(b, uint64(r.last.Time))
	b = append(b, r.last.Head[:]...)
	b = binary.BigEndian.AppendUint64(b, r.vault.entries)
	return appendSum(r.vault.append(b))
}

func parseHead(b []byte) (r headRow, err error) {
	if err := checkRow(b, "head", headSize); err != nil {
		return r, err
	}
	r.txid = binary.BigEndian.Uint64(b)
	r.last = Position{binary.BigEndian.Uint64(b[8:]), int64(binary.BigEndian.Uint64(b[16:])), Link(b[24:])}
	r.vault.entries = binary.BigEndian.Uint64(b[56:])
	r.vault.parse(b[64:])
	return r, nil
}

const vaultSumSize = sha256.Size

// vaultSum sums up the entries of a vault so that one can be added or taken away alone: the SHA-256 of each entry
// (reference, then what is stored), as four numbers, added modulo 2^64. It finds pages that are missing or of an
// older transaction; it is no proof against a forger, who has nothing to gain here: the entries are sealed.
type vaultSum struct {
	entries uint64
	lanes   [4]uint64
}

func (s *vaultSum) change(ref, stored []byte, add bool) {
	h := sha256.New()
	h.Write(ref)
	h.Write(stored)
	sum := h.Sum(nil)
	for i := range s.lanes {
		lane := binary.BigEndian.Uint64(sum[8*i:])
		if !add {
			lane = -lane
		}
		s.lanes[i] += lane
	}
	if add {
		s.entries++
	} else {
		s.entries--
	}
}

func (s *vaultSum) append(b []byte) []byte {
	for _, lane := range s.lanes {
		b = binary.BigEndian.AppendUint64(b, lane)
	}
	return b
}

func (s *vaultSum) parse(b []byte) {
	for i := range s.lanes {
		s.lanes[i] = binary.BigEndian.Uint64(b[8*i:])
	}
}

// vaultRef is the key of an entry; vaultStored its value: a crc32c of both, then what the caller sealed.
func vaultRef(ref uint64) []byte { return binary.BigEndian.AppendUint64(nil, ref) }

func vaultStored(ref, sealed []byte) []byte {
	sum := crc32.Update(crc32.Checksum(ref, castagnoli), castagnoli, sealed)
	return append(binary.LittleEndian.AppendUint32(make([]byte, 0, crcSize+len(sealed)), sum), sealed...)
}

// parseVault is the inverse of both; the result shares stored's octets.
func parseVault(ref, stored []byte) (uint64, []byte, error) {
	if len(ref) != 8 || len(stored) < crcSize {
		return 0, nil, errors.New("has a vault entry that is too short")
	}
	n, sealed := binary.BigEndian.Uint64(ref), stored[crcSize:]
	if binary.LittleEndian.Uint32(stored) != crc32.Update(crc32.Checksum(ref, castagnoli), castagnoli, sealed) {
		return 0, nil, fmt.Errorf("has a vault entry, %d, that does not match its checksum", n)
	}
	return n, sealed, nil
}
