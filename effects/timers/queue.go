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

// Queue holds timers. It is owned by one goroutine.
type Queue struct {
	clock Clock
}

// New is an empty queue.
func New(clock Clock) *Queue { return &Queue{clock: clock} }

// Set starts the timer of a key or, where it runs, puts it to another deadline (event time, ns) and cause.
func (q *Queue) Set(key Key, deadline int64, step uint64, index uint32) {}

// Cancel stops a timer; false where it was not running.
func (q *Queue) Cancel(key Key) bool { return false }

// CancelSA stops all timers of an SA and says how many.
func (q *Queue) CancelSA(sa uint64) int { return 0 }

// Len is how many timers run.
func (q *Queue) Len() int { return 0 }

// Next is the earliest deadline; ok is false where no timer runs.
func (q *Queue) Next() (deadline int64, ok bool) { return 0, false }

// Delay is how long it is until Next by the queue's clock, 0 when it has come.
func (q *Queue) Delay() (d time.Duration, ok bool) { return 0, false }

// Expired takes out every timer with a deadline of now or before and appends it to into, by deadline,
// then SA, Kind and Arg: the order depends on nothing else.
func (q *Queue) Expired(now int64, into []Fired) []Fired { return into }
