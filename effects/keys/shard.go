package keys

import (
	"sync"

	"github.com/ikejd/ikejd/proto/ike"
)

// shard is a part of the keyring under one lock. The door opens messages while the engine seals and workers agree:
// 64 of them keep these out of each other's way. No cryptography but the making of a protector runs under the lock.
type shard struct {
	mu     sync.Mutex
	half   map[uint64]*share // half a key exchange
	spare  map[uint64]*share // the half of keys that may have to be agreed again (W-21)
	agreed map[uint64]uint32 // keys: a place in entries
	keys   entries
	cache  []cached // sets of two, the one used last in front
	split  map[splitKey]map[uint8]uint32
	taken  map[streamKey]*takeover
}

// share is our half of a key exchange. bound, once not zero, is the digest of the only agreement it may enter (W-32).
type share struct {
	mu     sync.Mutex // one key exchange at a time: K-13 allows a half-open SA no second
	group  ike.Group
	key    private
	bound  [16]byte
	secret []byte   // g^ir of a Child SA's own key exchange, once it was done
	gone   bool     // wiped: whoever waited for the lock comes too late
	spirs  []uint64 // of the responders whose keys were agreed, as initiator (W-21)
}

// wipe is called with the share's lock held.
func (h *share) wipe() {
	h.gone = true
	h.key.wipe()
	clear(h.secret)
}

// wipeNow waits for a key exchange that is under way, since that reads the private value. A nil share is none.
func (h *share) wipeNow() {
	if h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.wipe()
	}
}

// cached is a protector kept ready: to make one costs as much as to seal with it, and 1,280 octets of garbage; to
// keep all would be 2.5 KiB an SA.
type cached struct {
	ref       uint64
	initiator bool // whose sending key
	protector protector
}

func newShard(cacheSets int) *shard {
	return &shard{
		half:   map[uint64]*share{},
		spare:  map[uint64]*share{},
		agreed: map[uint64]uint32{},
		cache:  make([]cached, 2*cacheSets),
		split:  map[splitKey]map[uint8]uint32{},
		taken:  map[streamKey]*takeover{},
	}
}

// entry finds agreed keys. Both results are good while the lock is held.
func (s *shard) entry(ref uint64) (*entry, layout, error) {
	place, ok := s.agreed[ref]
	if !ok {
		if s.half[ref] != nil {
			return nil, layout{}, ErrNotAgreed
		}
		return nil, layout{}, ErrUnknown
	}
	e, keys := s.keys.at(place)
	return e, layout{e.suite, keys[:e.suite.octets()]}, nil
}

// put keeps agreed keys; the half exchange they came of, if any, goes.
func (s *shard) put(ref uint64, made entry, keys []byte) {
	place := s.keys.put(len(keys))
	e, room := s.keys.at(place)
	*e = made
	copy(room, keys)
	s.agreed[ref] = place
	delete(s.half, ref)
}

// protector is the one for what the SA's initiator sends, or its responder.
func (s *shard) protector(ref uint64, initiator bool, l layout) protector {
	set := s.set(ref)
	for i, c := range set {
		if c.ref == ref && c.initiator == initiator && c.protector != nil {
			set[0], set[i] = set[i], set[0]
			return c.protector
		}
	}
	made := newProtector(l.suite, l.encr(initiator), l.integ(initiator))
	if len(set) > 0 {
		set[1] = set[0]
		set[0] = cached{ref, initiator, made}
	}
	return made
}

func (s *shard) set(ref uint64) []cached {
	if len(s.cache) == 0 {
		return nil
	}
	n := int(ref/shards) % (len(s.cache) / 2)
	return s.cache[2*n : 2*n+2]
}

// destroy forgets everything under a reference and zeroes its keys; a half exchange is wiped by the caller. Key schedules inside the
// standard library's objects are out of our reach: they are garbage from here on.
func (s *shard) destroy(ref uint64) {
	delete(s.half, ref)
	delete(s.spare, ref)
	s.forgetKeys(ref)
}

// forgetKeys forgets agreed keys, and all that was sealed under them.
func (s *shard) forgetKeys(ref uint64) {
	if place, ok := s.agreed[ref]; ok {
		s.keys.release(place)
		delete(s.agreed, ref)
	}
	set := s.set(ref)
	for i := range set {
		if set[i].ref == ref {
			set[i] = cached{}
		}
	}
	if len(s.split) > 0 || len(s.taken) > 0 {
		s.forgetSent(ref)
	}
}

func (s *shard) forgetSent(ref uint64) {
	for _, stream := range []streamKey{{ref, false, false}, {ref, true, false}, {ref, false, true}, {ref, true, true}} {
		delete(s.taken, stream)
		for slot := range uint32(onceWindow) {
			delete(s.split, splitKey{stream, slot})
		}
	}
}
