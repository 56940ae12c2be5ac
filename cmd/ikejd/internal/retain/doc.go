// Package retain says which segments of a journal are old enough to go, and removes them: for the daemon, now and then
// (journal.keep), and for `ikejd journal prune`.
//
// Its central function is Plan. A segment goes when its last record is old and nothing younger needs a part of it: what
// living SAs need, and `why` of them, is in the snapshot behind the cut.
//
// It may import journal, proto and reducer.
package retain
