// Package replay reads journals back: it re-runs the reducer over recorded events and compares, lists what became of each
// IKE SA, and resolves the names by which people ask for SAs and moments.
//
// The central function is Verify: every event of a journal goes through the reducer of this binary, and each step's
// effects must be the recorded ones, byte for byte. Walk is the same without the verdict, for whoever wants the State
// before and after each step; Catalog is what one pass over the records says of every SA and every run.
//
// Where records come from is a Source: a journal's folder, a .ikej file, a running daemon, or memory (replaytest).
//
// It imports proto, journal and reducer; of effects only the engine may be added, for the simulator.
package replay
