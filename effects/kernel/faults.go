package kernel

import "syscall"

// Request is what a hook is shown. Child is set for OpInstall, Key for OpRemove and OpQuery. Both are
// only good during the call, and Child has its keys: a simulator may compare the two ends.
type Request struct {
	Op    Op
	N     uint64 // the how-manieth request of this Op, from 1
	Child *Child
	Key   ChildKey
}

// Faults are hooks for tests and the simulator; a nil hook does nothing. They run without any lock of
// the model's, so they may block (a slow kernel) and call the model.
type Faults struct {
	// Before runs before the request is looked at. An error refuses it, and nothing has changed.
	Before func(Request) error
	// After runs when it has been done. An error is what the caller gets although it was done: an
	// answer that was lost.
	After func(Request) error
}

// RefuseNth refuses the n-th request (from 1) of one kind with an errno.
func RefuseNth(op Op, n uint64, errno syscall.Errno) Faults {
	return Faults{Before: func(r Request) error {
		if r.Op != op || r.N != n {
			return nil
		}
		return &Refusal{Op: op, Errno: errno, SPI: r.Key.InboundSPI, Why: "a fault asked for by the test"}
	}}
}
