// Package live reads the journal of a running daemon over its control socket: both ends. The daemon has its open segment
// to itself, so whoever wants to see what it does at this moment asks it.
//
// The central type is Source, which is a replay.Source as a journal's folder is one. Handle and HandlePrune are the
// daemon's end: four commands of our own beside strongSwan's.
//
//	journal-status   {} => where, pid, first, step, time, head
//	journal-read     from, until (0: the end at this moment), follow (yes: and what comes) => streams journal-data
//	journal-snapshot before => streams journal-data; step: after which it was taken, octets
//	journal-prune    keep (nanoseconds), dry-run (yes: remove nothing) => a section a segment: first, last, time, octets
//
// Records and snapshots are larger than a value of the protocol may be, so journal-data carries a stream of octets; what
// the records look like in it is in frame.go. It may import replay, journal, proto and vici.
package live
