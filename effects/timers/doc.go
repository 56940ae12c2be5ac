// Package timers is the engine's clock and its queue of timers.
//
// The time is the events' own (DESIGN.md, the loop, item 7): UTC nanoseconds that never run back, the
// wall clock as read at the start, never below the last record's time, plus the boot clock since. The
// deadlines themselves are in the State; Queue, the central type, is an index of them that is built
// again at recovery.
//
// It imports nothing of ours.
package timers
