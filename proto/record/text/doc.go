// Package text is the one printer of records: a step, an event, an effect and a change look the same in `ikejd journal
// cat`, the stepper, `ikejd why`, the log and the tests (REPLAY-UX.md, "One printer").
//
// Its central function is Step, the whole block of one step; Event, Effect and Because are the lines it is made of, and
// StepJSON is the same for programs.
//
// What a peer chose (identities, the text in causes) is quoted and bounded: none of its octets reaches a terminal raw.
// Times are those of the events, in the place the reader is in; package text reads no clock.
//
// It imports only proto/record and proto/ike.
package text
