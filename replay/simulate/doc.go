// Package simulate runs whole networks of nodes on virtual time from one seed: the engine's own loop, the real reducer,
// journal format and audit rules, over a network that loses, repeats, reorders, delays, splits and forges, a kernel that
// refuses and stalls, slow keyrings and disks, and nodes that die before, inside and after any write of their journals.
//
// The central type is World: nodes, a network, a clock that jumps to the next thing that happens. The same seed gives the
// same run, octet for octet. Two things are played in it:
//
//	Seed      what happens is drawn: faults for so long, then the network heals and both ends must agree, then all is
//	          closed and nothing may be left: SAs, children, kernel entries, keys, timers
//	Play      what happens is written down, in the notation of package scenario
//
// A world stops at the first thing that is wrong; it says which rule, and its journals can be kept.
//
// It may import proto, journal, reducer, replay, and of effects the engine with its model.
package simulate
