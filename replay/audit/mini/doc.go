// Package mini reads the mini journals of AUDIT.md and makes records of them: a line a step, an event and what it ordered,
// with plausible datagrams, digests, timers and causes around what the line says.
//
//	cmd(close) >q5 INF D(ike)   the operator asks, and we record and send request 5
//	T =q5                       its timer fires, and it goes out again
//	<r5 INF !Gone(acked)        the peer answers, and the SA is discarded
//
// The central function is Records. What a line implies is added to it (the wish a request serves, its timer, the phase
// that changes with a Delete), and less(kind) takes it away again: a journal that breaks one rule says so in one word.
// The whole notation is above the table of words in words.go.
//
// It imports proto only: rules are tested against journals that no reducer of ours wrote.
package mini
