package timers

import (
	"fmt"
	"math"
)

// Where the timers themselves lie: pages of nodes without a pointer in them, named by number. A page
// never moves, so that the queue grows without copying; what an empty queue holds is let go of.

// ref names a node.
type ref uint32

// none is the end of a list, or no timer.
const none ref = math.MaxUint32

const (
	pageBits = 10
	stepBits = 56 // of kindStep; the kind is above
)

// node is one timer, but for its deadline, which is in the heap, where it is compared.
type node struct {
	sa       uint64
	kindStep uint64 // kind << stepBits | step: what makes a node 32 octets
	index    uint32
	arg      uint32
	next     ref    // the next timer of this SA, or the next free node
	slot     uint32 // Invariant: heap.refs[slot] is this node
}

func (n *node) kind() uint8  { return uint8(n.kindStep >> stepBits) }
func (n *node) step() uint64 { return n.kindStep & (1<<stepBits - 1) }
func (n *node) key() Key     { return Key{SA: n.sa, Kind: n.kind(), Arg: n.arg} }

// setCause notes the effect that set the timer.
func (n *node) setCause(step uint64, index uint32) {
	if step >= 1<<stepBits {
		panic(fmt.Sprintf("timers: step %d is not below 2^%d", step, stepBits))
	}
	n.kindStep = n.kindStep>>stepBits<<stepBits | step
	n.index = index
}

// before orders two timers of one deadline: by SA, kind and arg.
func (n *node) before(o *node) bool {
	switch {
	case n.sa != o.sa:
		return n.sa < o.sa
	case n.kind() != o.kind():
		return n.kind() < o.kind()
	}
	return n.arg < o.arg
}

// store hands out nodes.
type store struct {
	pages []*[1 << pageBits]node
	used  int // nodes ever handed out of these pages
	live  int // of them not given back
	free  ref // list of those given back; only meaningful while live < used
}

func (s *store) at(r ref) *node {
	return &s.pages[r>>pageBits][r&(1<<pageBits-1)]
}

// take hands out a node, its content undefined.
func (s *store) take() ref {
	if s.live < s.used {
		r := s.free
		s.free = s.at(r).next
		s.live++
		return r
	}
	if s.used == len(s.pages)<<pageBits {
		s.pages = append(s.pages, new([1 << pageBits]node))
	}
	r := ref(s.used)
	s.used++
	s.live++
	return r
}

// give takes a node back.
func (s *store) give(r ref) {
	s.at(r).next = s.free
	s.free = r
	s.live--
	if s.live == 0 {
		*s = store{pages: s.pages[:min(1, len(s.pages)):1]}
	}
}
