package timers

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Clock gives event time: UTC nanoseconds that never run back.
type Clock interface{ Now() int64 }

// stepped is how far the wall clock must have moved against the boot clock to have been set. Both are
// slewed alike (clock_gettime(2)), so what remains is how far apart in time the two were read.
const stepped = 100 * time.Millisecond

// Boot is the real clock: event time, of the boot clock. It may be used by several goroutines.
type Boot struct {
	ahead int64 // event time less boot time, ns; fixed at the start

	mu        sync.Mutex
	wallAhead int64 // wall time less boot time as Stepped last found it, ns
}

// NewClock starts a clock at the wall clock's time, or at notBefore (the last record's time, UTC ns)
// where that is later.
func NewClock(notBefore int64) *Boot {
	boot, wall := readClocks()
	return &Boot{ahead: max(wall, notBefore) - boot, wallAhead: wall - boot}
}

// Now is the event time, UTC ns.
func (c *Boot) Now() int64 { return read(unix.CLOCK_BOOTTIME) + c.ahead }

// Stepped says whether the wall clock was set since it was last asked, and by how much (positive is forward).
// Event time does not follow: a step is an event and changes what is printed.
func (c *Boot) Stepped() (delta time.Duration, ok bool) {
	boot, wall := readClocks()
	return c.steppedTo(wall - boot)
}

// steppedTo is Stepped for a wall time less boot time.
func (c *Boot) steppedTo(wallAhead int64) (delta time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delta = time.Duration(wallAhead - c.wallAhead)
	if delta.Abs() < stepped {
		return 0, false
	}
	c.wallAhead = wallAhead
	return delta, true
}

// readClocks reads the boot clock and the wall clock as of one moment: of a few tries the one in which
// least time passed, since we may be descheduled between two reads.
func readClocks() (boot, wall int64) {
	best := int64(-1)
	for range 3 {
		before := read(unix.CLOCK_BOOTTIME)
		w := read(unix.CLOCK_REALTIME)
		took := read(unix.CLOCK_BOOTTIME) - before
		if best < 0 || took < best {
			best, boot, wall = took, before+took/2, w
		}
	}
	return boot, wall
}

// read reads one of the kernel's clocks, ns.
func read(clock int32) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		panic(fmt.Sprintf("timers: clock %d cannot be read: %v", clock, err)) // every Linux since 2.6.39 has both
	}
	return ts.Nano()
}

// remaining is how long it is from now until then, 0 when it has come; it does not overflow.
func remaining(then, now int64) time.Duration {
	if then <= now {
		return 0
	}
	if d := then - now; d > 0 {
		return time.Duration(d)
	}
	return time.Duration(1<<63 - 1)
}
