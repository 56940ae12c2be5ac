// Package why explains: why an IKE SA is gone, why a step happened, why a message was sent and what became of it, how a run
// ended. Cause is recorded, never guessed from text or time: the chain is built on the six kinds of edge that events,
// effects and notes carry (REPLAY-UX.md, "Where because comes from").
//
// The central type is Answer: the verdict in words, the chain that proves it, what did not happen, what is left behind.
//
// It imports proto, replay and what replay does.
package why
