package bench

import (
	"math/bits"
	"time"
)

// waits counts times by their size, so that any number of them takes the same room: exactly up to 128 ns, and above that
// to one part in 64.
type waits struct {
	counts  []int // by size; grown as needed
	n       int
	longest time.Duration
}

// fine is how many sizes are told apart in each power of two: 1 << fine.
const fine = 6

// size is the class of d, which grows with it.
func size(d time.Duration) int {
	v := uint64(max(d, 0))
	if above := bits.Len64(v) - fine - 1; above > 0 {
		return above<<fine + int(v>>above)
	}
	return int(v)
}

// least is the shortest time of a class.
func least(size int) time.Duration {
	if above := size>>fine - 1; above > 0 {
		return time.Duration(size-above<<fine) << above
	}
	return time.Duration(size)
}

func (w *waits) add(d time.Duration) {
	i := size(d)
	for len(w.counts) <= i {
		w.counts = append(w.counts, 0)
	}
	w.counts[i]++
	w.n++
	w.longest = max(w.longest, d)
}

// quantile is the time that all but a share 1-q of them took at most; q is 0 to 1. Without any it is 0.
func (w *waits) quantile(q float64) time.Duration {
	if w.n == 0 {
		return 0
	}
	before := min(int(q*float64(w.n)), w.n-1) // so many are shorter
	for i, n := range w.counts {
		if before -= n; before < 0 {
			return min(least(i+1)-1, w.longest)
		}
	}
	return w.longest
}
