// Package reducer decides. Reduce takes a State and an Event and gives the next State and the Effects it orders; it has
// no clock, no randomness, no key and no memory of its own, so the same journal always gives the same history.
//
// The central type is State, a value over persistent maps: an old State stays good, which makes reads lock-free and
// snapshots free. Beside it stand Event (the generated record.Event), Effect and IKESA.
//
// Where a rule lives:
//
//	initiate.go, set_up.go, sa_init_*.go, auth_*.go   setting up: IKE_SA_INIT, IKE_AUTH
//	first_child.go, install_child.go          the Child SA that comes with it
//	create_child*.go, rekey_*.go, nonce_rule.go, temporary_failure.go, lifetimes.go   CREATE_CHILD_SA
//	informational.go, delete_*.go, liveness.go, refuse_auth.go   INFORMATIONAL exchanges
//	window*.go                                message ids, queue, Record, Resend: nobody else makes those
//	retransmit.go, backoff.go                 sending again, giving up
//	discard.go, linger.go, half_open.go       the ends of an IKE SA
//	shutdown.go, recover.go                   the ends and beginnings of a run
//	unique.go, restart.go                     several SAs of one peer; connections that are wanted up
//	proposals.go, selectors.go, identity.go, nat.go   what the payloads mean
//	step.go                                   one call of Reduce and its verbs
//	trie.go, snapshot.go, encode.go           State as a data structure and as bytes
//	diff.go                                   what a step changed, for people
//
// It imports only proto/ike and proto/record, and nothing of time, randomness, I/O, logging, locks or goroutines; a test
// in cmd/ikejd holds that.
package reducer
