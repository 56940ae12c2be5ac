package timers

import "time"

// Key names a timer: at most one runs for a key. Kind and Arg are the caller's (which timer, of which
// exchange or Child SA).
type Key struct {
	SA   uint64
	Kind uint8
	Arg  uint32
}

// Fired is a timer that came due: Step and Index name the effect that set it, Deadline is what it was
// set to (event time, ns), not when it was noticed.
type Fired struct {
	Key
	Step     uint64
	Index    uint32
	Deadline int64
}

// Queue holds timers: about 50 octets each, and nothing for the garbage collector to follow. An SA's
// timers are a list, found by its number, so Set and Cancel cost a walk over the timers of that SA: a
// handful, and at the most K-18's 1,024 children times the kinds. Next is free, the rest a sift of the
// heap. It is owned by one goroutine.
type Queue struct {
	clock Clock
	heap  heap
	store store
	first map[uint64]ref // SA -> the head of its list; no entry without a timer
}

// New is an empty queue; its clock is asked by Delay only.
func New(clock Clock) *Queue {
	return &Queue{clock: clock, first: map[uint64]ref{}}
}

// Set starts the timer of a key or, where it runs, puts it to another deadline (event time, ns) and cause.
// A step is below 2^56: 300,000 a second get there in 7,600 years.
func (q *Queue) Set(key Key, deadline int64, step uint64, index uint32) {
	if r, _ := q.find(key); r != none {
		n := q.store.at(r)
		n.setCause(step, index)
		q.move(n.slot, deadline)
		return
	}
	r := q.store.take()
	n := q.store.at(r)
	*n = node{sa: key.SA, arg: key.Arg, kindStep: uint64(key.Kind) << stepBits, next: q.head(key.SA)}
	n.setCause(step, index)
	q.first[key.SA] = r
	q.push(r, deadline)
}

// Cancel stops a timer; false where it was not running.
func (q *Queue) Cancel(key Key) bool {
	r, before := q.find(key)
	if r == none {
		return false
	}
	q.unlink(r, before)
	q.drop(q.store.at(r).slot)
	q.store.give(r)
	return true
}

// CancelSA stops all timers of an SA and says how many.
func (q *Queue) CancelSA(sa uint64) int {
	stopped := 0
	for r := q.head(sa); r != none; stopped++ {
		n := q.store.at(r)
		next := n.next
		q.drop(n.slot)
		q.store.give(r)
		r = next
	}
	delete(q.first, sa)
	return stopped
}

// Len is how many timers run.
func (q *Queue) Len() int { return len(q.heap.refs) }

// Next is the earliest deadline; ok is false where no timer runs.
func (q *Queue) Next() (deadline int64, ok bool) {
	if q.Len() == 0 {
		return 0, false
	}
	return q.heap.deadlines[0], true
}

// Delay is how long it is until Next by the queue's clock, 0 when it has come; ok is false where no
// timer runs.
func (q *Queue) Delay() (d time.Duration, ok bool) {
	deadline, ok := q.Next()
	if !ok {
		return 0, false
	}
	return remaining(deadline, q.clock.Now()), true
}

// Expired takes out every timer with a deadline of now or before and appends it to into, by deadline,
// then SA, Kind and Arg: the order depends on nothing else.
func (q *Queue) Expired(now int64, into []Fired) []Fired {
	for {
		deadline, ok := q.Next()
		if !ok || deadline > now {
			return into
		}
		r := q.heap.refs[0]
		n := q.store.at(r)
		key := n.key()
		into = append(into, Fired{Key: key, Step: n.step(), Index: n.index, Deadline: deadline})
		_, before := q.find(key)
		q.unlink(r, before)
		q.drop(0)
		q.store.give(r)
	}
}

// head is the first timer of an SA's list.
func (q *Queue) head(sa uint64) ref {
	if r, ok := q.first[sa]; ok {
		return r
	}
	return none
}

// find gives a key's timer and the one before it in the SA's list (none where it is the head).
func (q *Queue) find(key Key) (r, before ref) {
	before = none
	for r = q.head(key.SA); r != none; {
		n := q.store.at(r)
		if n.arg == key.Arg && n.kind() == key.Kind {
			return r, before
		}
		before, r = r, n.next
	}
	return none, none
}

// unlink takes a timer out of its SA's list.
func (q *Queue) unlink(r, before ref) {
	n := q.store.at(r)
	switch {
	case before != none:
		q.store.at(before).next = n.next
	case n.next != none:
		q.first[n.sa] = n.next
	default:
		delete(q.first, n.sa)
	}
}
