package keys

import (
	"encoding/binary"
	"hash/maphash"
)

// One id, one content. The explicit IV is a function of the message, so a key and an IV meet twice only when two
// messages of one id differ, and that would give away a GCM key. The reducer's window prevents it; here it is held
// to that, for the messages this run has sealed.

// stamp is what an explicit IV is made of.
type stamp struct {
	id       uint32
	response bool
	takeover uint16 // how often another node took this SA over (W-29); at most 0x7fff
	total    uint8  // fragments; 0: the message is not split
	number   uint8  // this fragment, from 1; 0 with total 0
}

// ivOf is the explicit IV (DESIGN.md, "Sealing"): message id (4), R flag and takeover count (2), total fragments (1),
// fragment number (1).
func ivOf(s stamp) (iv [8]byte) {
	binary.BigEndian.PutUint32(iv[0:], s.id)
	flag := s.takeover
	if s.response {
		flag |= 0x8000
	}
	binary.BigEndian.PutUint16(iv[4:], flag)
	iv[6], iv[7] = s.total, s.number
	return iv
}

// onceWindow is how many ids, the highest included, are remembered: as many as the largest window of ours.
const onceWindow = 8

// digestSeed makes the digests below unguessable; they live as long as the process, like it.
var digestSeed = maphash.MakeSeed()

// digestOf stands for the content of a message, header to last plaintext octet. Never 0. 32 bits are enough: this
// catches mistakes of ours, of which one in four milliards may slip through; a peer cannot aim for it.
func digestOf(head, plaintext []byte) uint32 {
	var h maphash.Hash
	h.SetSeed(digestSeed)
	h.Write(head)
	h.Write(plaintext)
	return max(uint32(h.Sum64()), 1)
}

// track remembers what was sealed of the requests, or of the responses, of one SA. It holds no pointer, so that the
// collector need not look at a hundred thousand of them.
//
// Invariant: slots of ids in (high-8, high] are at id%8; anything older is refused.
type track struct {
	high    uint32
	begun   bool
	totals  [onceWindow]uint8  // into how many fragments that id was split last; 0: it was not
	digests [onceWindow]uint32 // 0: that id has not been sealed
}

// admit is true when a message may be sealed: its IV is new, or it had the same content under that IV. It then
// remembers. A message split again has more fragments than before (W-27), so that no IV comes back.
func (t *track) admit(s stamp, digest uint32, split splits) bool {
	slot := s.id % onceWindow
	switch {
	case !t.begun:
		t.begun, t.high = true, s.id
	case s.id > t.high:
		for id := t.high + 1; ; id++ { // forgets the ids that fall out, at most all
			t.forget(id%onceWindow, split)
			if id == s.id || id-t.high == onceWindow {
				break
			}
		}
		t.high = s.id
	case t.high-s.id >= onceWindow:
		return false
	}
	sealed := t.digests[slot] != 0
	switch {
	case sealed && s.total < t.totals[slot]:
		return false
	case s.total == 0:
		if !sealed {
			t.digests[slot] = digest
		}
		return t.digests[slot] == digest
	case s.total > t.totals[slot]:
		t.forget(slot, split)
	}
	t.digests[slot], t.totals[slot] = 1, s.total // what each fragment held is in splits
	return split.admit(slot, s.number, digest)
}

func (t *track) forget(slot uint32, split splits) {
	if t.totals[slot] != 0 {
		split.forget(slot)
	}
	t.totals[slot], t.digests[slot] = 0, 0
}

// splits holds the digests of fragments, beside the tracks: few messages are split, and these would make every track
// large. At most 255 for each of the 8 ids a track remembers.
type splits struct {
	all map[splitKey]map[uint8]uint32
	key splitKey
}

type splitKey struct {
	streamKey
	slot uint32
}

func (s splits) admit(slot uint32, number uint8, digest uint32) bool {
	s.key.slot = slot
	seen := s.all[s.key]
	if seen == nil {
		seen = map[uint8]uint32{}
		s.all[s.key] = seen
	}
	if before, ok := seen[number]; ok {
		return before == digest
	}
	seen[number] = digest
	return true
}

func (s splits) forget(slot uint32) {
	s.key.slot = slot
	delete(s.all, s.key)
}

// streamKey names one sequence of ids: those of requests or responses, before any takeover or since the last.
type streamKey struct {
	ref      uint64
	response bool
	taken    bool
}

// takeover is the track of messages whose IV carries a takeover count (W-29). Few SAs ever have one.
type takeover struct {
	count uint16
	track
}

// admit refuses counts below the last: a takeover is never undone.
func (t *takeover) admit(s stamp, digest uint32, split splits) bool {
	if s.takeover < t.count {
		return false
	}
	if s.takeover > t.count {
		for slot := range uint32(onceWindow) {
			t.forget(slot, split)
		}
		t.count, t.begun = s.takeover, false
	}
	return t.track.admit(s, digest, split)
}
