package keys

// Memory of agreed keys. A hundred thousand SAs have a hundred thousand entries: they lie in pages without a pointer,
// so that the collector neither follows nor counts them, and a freed one is zeroed and used again.

// pageEntries is how many entries a page has: few enough that 64 shards with one SA each stay small.
const pageEntries = 32

// pool hands out places of one type, named by a number that stays good until release. Not for several goroutines.
type pool[T any] struct {
	pages [][]T
	free  []uint32
	used  uint32
}

func (p *pool[T]) take() uint32 {
	if n := len(p.free); n > 0 {
		place := p.free[n-1]
		p.free = p.free[:n-1]
		return place
	}
	if int(p.used) == len(p.pages)*pageEntries {
		p.pages = append(p.pages, make([]T, pageEntries))
	}
	p.used++
	return p.used - 1
}

func (p *pool[T]) at(place uint32) *T { return &p.pages[place/pageEntries][place%pageEntries] }

// release wipes what is there.
func (p *pool[T]) release(place uint32) {
	var zero T
	*p.at(place) = zero
	p.free = append(p.free, place)
}

// entry is what a reference holds once its keys are agreed, but for the keys themselves.
type entry struct {
	suite     Suite
	initiator bool
	agreement [16]byte // digestAgreement of what made these keys: the same again is no error, another is refused
	sent      [2]track // requests, responses
}

// Keys lie behind their entry in one of three sizes: SHA-256 with an AEAD; SHA-256 with CBC, or SHA-384 with an
// AEAD; everything else.
type (
	smallEntry struct {
		entry
		keys [168]byte
	}
	middleEntry struct {
		entry
		keys [224]byte
	}
	largeEntry struct {
		entry
		keys [384]byte
	}
)

// entries holds them all. A place is the pool's number times four, and which pool.
type entries struct {
	small  pool[smallEntry]
	middle pool[middleEntry]
	large  pool[largeEntry]
}

const (
	inSmall = iota + 1
	inMiddle
	inLarge
)

// put makes a place for keys of that many octets.
func (e *entries) put(octets int) uint32 {
	switch {
	case octets <= len(smallEntry{}.keys):
		return e.small.take()<<2 | inSmall
	case octets <= len(middleEntry{}.keys):
		return e.middle.take()<<2 | inMiddle
	case octets <= len(largeEntry{}.keys):
		return e.large.take()<<2 | inLarge
	}
	panic("keys: a suite with more keys than the largest entry holds")
}

// at gives the entry and the room of its keys. Both are good until the place is released.
func (e *entries) at(place uint32) (*entry, []byte) {
	switch n := place >> 2; place & 3 {
	case inSmall:
		small := e.small.at(n)
		return &small.entry, small.keys[:]
	case inMiddle:
		middle := e.middle.at(n)
		return &middle.entry, middle.keys[:]
	default:
		large := e.large.at(n)
		return &large.entry, large.keys[:]
	}
}

func (e *entries) release(place uint32) {
	switch n := place >> 2; place & 3 {
	case inSmall:
		e.small.release(n)
	case inMiddle:
		e.middle.release(n)
	default:
		e.large.release(n)
	}
}
