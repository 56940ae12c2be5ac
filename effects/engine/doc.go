// Package engine runs the loop: world -> effects -> event -> Reduce -> journal -> effects -> world.
//
// The central types are Loop, which is synchronous, and Engine, which drives it. One goroutine reduces: it takes events in batches, gives each its time, and turns each step
// into one journal record. While one batch of records is being synced the next is being reduced, and only that one. A
// visible effect (a datagram, the kernel, an answer to an operator) is carried out once its record is durable, in the
// order of the steps; internal ones (key exchanges, timers) start at once.
//
// Where things live:
//
//	core.go      one step: event in, record out; nothing here has a goroutine or a clock of its own
//	orders.go    what a step orders: at once, or after the commit
//	loop.go      the loop as a whole, for whoever drives it: the Engine, or a simulator on virtual time
//	run.go       the Engine's goroutines: reducing, committing, carrying out; outside.go, workers.go those of the outsides
//	carry_out.go visible effects, in order
//	work.go      the keyring's work, on all cores
//	children.go  the kernel's work, in order
//	door*.go     which datagrams become events; cookies.go, refusals.go, counts.go, in_hand.go hold its limits
//	index.go, sent.go   what is derived from the State and lives beside it
//	start.go     taking over the State of the run before
//	vault.go     secrets, sealed, in the transaction of the step that made them
//
// It may import proto, reducer, journal and the other packages of effects.
package engine
