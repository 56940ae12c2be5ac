package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// What the world does to its nodes happens under a name, and is drawn from that name and the seed alone: where one thing
// is left out, the others stay what they were. So a failure can be played again with a part of them (shrink.go).

// Happening is one thing that the world did: a fault, or an operator's order.
type Happening struct {
	Kind string // of fault, or order
	Who  string // the node, or the two
	N    uint64 // which one of those: by its number, or by when it was, or of which message
	At   time.Duration
	What string // in words
}

// name is what it is called in a scenario.
func (h Happening) name() string { return happeningName(h.Kind, h.Who, h.N) }

func happeningName(kind, who string, n uint64) string { return fmt.Sprintf("%s %s %d", kind, who, n) }

// happens draws whether a thing happens, and gives what it draws its strength from.
func (w *World) happens(kind, who string, n uint64, p float64) (*rand.Rand, bool) {
	if p <= 0 {
		return nil, false
	}
	r := w.drawn(kind, who, n)
	if r.Float64() >= p || w.only != nil && !w.only[happeningName(kind, who, n)] {
		return nil, false
	}
	w.Happened = append(w.Happened, Happening{Kind: kind, Who: who, N: n, At: time.Duration(w.now - begin)})
	return r, true
}

// said puts into words what happened last.
func (w *World) said(format string, args ...any) {
	if w.only != nil { // only where it will be read
		w.Happened[len(w.Happened)-1].What = fmt.Sprintf(format, args...)
	}
}

// drawn is a source of chance that depends on the seed and these alone.
func (w *World) drawn(kind, who string, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(mix(w.Seed, kind, who, n), n))
}

// mix is FNV-1a.
func mix(seed uint64, kind, who string, n uint64) uint64 {
	const prime = 1099511628211
	sum := uint64(14695981039346656037)
	for _, s := range []string{kind, "/", who} {
		for i := range len(s) {
			sum = (sum ^ uint64(s[i])) * prime
		}
	}
	for _, v := range []uint64{seed, n} {
		for i := range 8 {
			sum = (sum ^ v>>(8*i)&0xff) * prime
		}
	}
	return sum
}

// clock numbers what happens to somebody by the second in which it happens, so that a thing keeps its number when others
// are left out: the second, and which one in it.
type clock struct{ second, count uint64 }

func (c *clock) next(now int64) uint64 {
	if second := uint64((now - begin) / int64(time.Second)); second != c.second {
		*c = clock{second: second}
	}
	c.count++
	return c.second<<16 | (c.count-1)&0xffff
}

// number is the next number of a thing of that kind at a node.
func (n *Node) number(kind string) uint64 {
	c := n.clocks[kind]
	if c == nil {
		c = &clock{}
		n.clocks[kind] = c
	}
	return c.next(n.w.now)
}

// outside draws whether something goes wrong in a node's outside.
func (n *Node) outside(kind string, p float64) (*rand.Rand, bool) {
	if p <= 0 {
		return nil, false
	}
	return n.w.happens(kind, n.Name, n.number(kind), p)
}
