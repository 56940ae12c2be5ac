// Package export writes parts of a journal into files for other programs and other people: a case (.ikej) that replays
// anywhere, and a capture (.pcapng) for whoever reads packets.
//
// The central type is Range: which steps, and of which IKE SAs.
//
// It imports proto, journal, reducer and replay.
package export
