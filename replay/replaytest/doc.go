// Package replaytest builds small journals for tests: it reduces scripted events with the reducer of this binary and
// keeps their records, in memory or through package journal.
//
// The central type is Script: a daemon without an outside, whose test plays the keyring, the kernel, the peer and the
// clock. What it plays by itself is the set-up of an SA (Up, Accept); everything after is one call a step:
//
//	s := replaytest.New(t)
//	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
//	ike1 := s.Up("gw-east")
//	s.Close(ike1)
//	s.Answer(ike1)
//	result, err := replay.Verify(ctx, s.Source(), replay.Options{})
//
// It imports proto, journal, reducer and replay, and is imported by tests only.
package replaytest
