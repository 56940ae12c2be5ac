package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
)

// The chain. Each batch ends in a seal, and a seal's link is
//
//	SHA-256( link before | first step | the batch's frames | last step | time )
//
// with numbers of 8 octets, big endian. Whoever noted a head can be shown later that nothing before it was changed.

const sealSize = 8 + 8 + 8 + sha256.Size + crcSize // first, last, time, link, crc32c of these

// linkHash computes one link while its frames come.
type linkHash struct{ h hash.Hash }

func beginLink(prev Link, first uint64) linkHash {
	l := linkHash{sha256.New()}
	l.h.Write(prev[:])
	l.number(first)
	return l
}

func (l linkHash) number(n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	l.h.Write(b[:])
}

func (l linkHash) frames(b []byte) { l.h.Write(b) }

func (l linkHash) end(last uint64, time int64) (link Link) {
	l.number(last)
	l.number(uint64(time))
	l.h.Sum(link[:0])
	return link
}

func appendSeal(b []byte, s Seal) []byte {
	at := len(b)
	b = binary.BigEndian.AppendUint64(b, s.First)
	b = binary.BigEndian.AppendUint64(b, s.Last)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Time))
	b = append(b, s.Link[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli))
}

// parseSeal is its inverse; Prev is left empty, since only the seal before has it.
func parseSeal(b []byte) (Seal, error) {
	if len(b) != sealSize {
		return Seal{}, fmt.Errorf("has a seal of %d octets instead of %d", len(b), sealSize)
	}
	if binary.LittleEndian.Uint32(b[sealSize-crcSize:]) != crc32.Checksum(b[:sealSize-crcSize], castagnoli) {
		return Seal{}, errors.New("has a seal that does not match its checksum")
	}
	return Seal{
		First: binary.BigEndian.Uint64(b),
		Last:  binary.BigEndian.Uint64(b[8:]),
		Time:  int64(binary.BigEndian.Uint64(b[16:])),
		Link:  Link(b[24:]),
	}, nil
}
