// Package scenario reads the notation in which bugs are told as sequences of messages, losses and deaths:
//
//	# B-17 The asked side forgets before the asker knows
//	A>q5 D(ike); lose 2 B>r5
//	E: B Lingering, =r5 twice, A !Gone(acked) at once
//	check B>r5 x3
//	check A gone acknowledged
//
// The central type is File: statements, what is expected in words, and checks. Statements stand a line each or between
// semicolons; one may begin with its time, `@0.5`, else it happens at 0, when the SAs that it needs are up. A, B, C are
// nodes; P is one that plays the wrong half. Ids are labels: the first request that a file names of a node is that node's
// next one, whatever its number, and the others count from there.
//
// It parses the whole notation, also what needs exchanges that this version does not have; Needs says what those are.
// It imports nothing of ours.
package scenario
