package reducer

import "math/bits"

// A trie is a persistent map from dense numbers (ike7, child12: counted up from 1, never reused) to values, ordered by
// number. It is a value: an edit copies the nodes on its path and leaves every older trie as it was.
//
// A batch of edits shares its copies: a node whose owner is the batch's stamp was made by this batch and is written in
// place. A stamp is the number of the batch's first step, so it is larger than any stamp in the trie it starts from,
// and no counter outside the State is needed.
//
// Fan-out 32; about twice as fast here as the general libraries (docs/adr/0002).
type trie[V any] struct {
	root   *branch[V]
	height int // levels of branches above the leaves, 0 for an empty trie
	count  int
}

const (
	fanBits = 5
	fan     = 1 << fanBits
	fanMask = fan - 1
)

// A branch of height 1 has leaves, a higher one has kids; the other is nil. Each array is allocated with its branch, so
// that a copy costs one allocation of half the size both would have.
type branch[V any] struct {
	owner  uint64
	kids   *[fan]*branch[V]
	leaves *[fan]*leaf[V]
}

type highBranch[V any] struct {
	branch[V]
	array [fan]*branch[V]
}

type lowBranch[V any] struct {
	branch[V]
	array [fan]*leaf[V]
}

type leaf[V any] struct {
	owner  uint64
	used   uint32 // bit i: values[i] is there
	values [fan]*V
}

func (t trie[V]) covers(number uint64) bool {
	return t.height > 0 && number>>(fanBits*(t.height+1)) == 0
}

// get is the value under number, nil when there is none.
func (t trie[V]) get(number uint64) *V {
	if !t.covers(number) {
		return nil
	}
	node := t.root
	for level := t.height; level > 1; level-- {
		if node = node.kids[number>>(fanBits*level)&fanMask]; node == nil {
			return nil
		}
	}
	if l := node.leaves[number>>fanBits&fanMask]; l != nil {
		return l.values[number&fanMask]
	}
	return nil
}

// put is the trie with value under number; a nil value takes the number out.
func (t trie[V]) put(number uint64, value *V, stamp uint64) trie[V] {
	for !t.covers(number) {
		if value == nil {
			return t
		}
		var root *branch[V]
		root = root.own(stamp, t.height+1)
		if t.height > 0 {
			root.kids[0] = t.root
		}
		t.root, t.height = root, t.height+1
	}
	t.root = t.root.own(stamp, t.height)
	node := t.root
	for level := t.height; level > 1; level-- {
		at := &node.kids[number>>(fanBits*level)&fanMask]
		*at = (*at).own(stamp, level-1)
		node = *at
	}
	at := &node.leaves[number>>fanBits&fanMask]
	l := (*at).own(stamp)
	bit := uint32(1) << (number & fanMask)
	if l.used&bit != 0 {
		t.count--
	}
	l.values[number&fanMask] = value
	if value != nil {
		l.used |= bit
		t.count++
	} else {
		l.used &^= bit
	}
	if *at = l; l.used == 0 {
		*at = nil // numbers are not reused: an empty leaf would stay for ever
	}
	return t
}

// own is b, of that height, as the batch of stamp may write it: b itself where the batch made it, else a copy. A nil b is
// an empty branch.
func (b *branch[V]) own(stamp uint64, height int) *branch[V] {
	if b != nil && b.owner == stamp {
		return b
	}
	if height > 1 {
		mine := &highBranch[V]{}
		if b != nil {
			mine.array = *b.kids
		}
		mine.branch = branch[V]{owner: stamp, kids: &mine.array}
		return &mine.branch
	}
	mine := &lowBranch[V]{}
	if b != nil {
		mine.array = *b.leaves
	}
	mine.branch = branch[V]{owner: stamp, leaves: &mine.array}
	return &mine.branch
}

func (l *leaf[V]) own(stamp uint64) *leaf[V] {
	switch {
	case l == nil:
		return &leaf[V]{owner: stamp}
	case l.owner == stamp:
		return l
	}
	mine := *l
	mine.owner = stamp
	return &mine
}

// from calls visit with every value whose number is at least least, in ascending order, until visit says false.
func (t trie[V]) from(least uint64, visit func(number uint64, value *V) bool) {
	if t.height > 0 {
		t.root.walk(0, t.height, least, visit)
	}
}

func (b *branch[V]) walk(base uint64, level int, least uint64, visit func(uint64, *V) bool) bool {
	width := uint64(1) << (fanBits * level) // numbers below each kid
	for i := range uint64(fan) {
		first := base + i*width
		if first+width-1 < least {
			continue
		}
		if level > 1 {
			if kid := b.kids[i]; kid != nil && !kid.walk(first, level-1, least, visit) {
				return false
			}
			continue
		}
		l := b.leaves[i]
		if l == nil {
			continue
		}
		for rest := l.used; rest != 0; rest &= rest - 1 {
			bit := uint64(bits.TrailingZeros32(rest))
			if first+bit >= least && !visit(first+bit, l.values[bit]) {
				return false
			}
		}
	}
	return true
}
