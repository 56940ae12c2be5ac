// Package audit judges a journal: rules that say what must hold whoever wrote it, each with the records that prove where
// it did not (AUDIT.md is the catalogue; docs/audit has a page a rule).
//
// The central type is Auditor. It reads records once, in order, and recomputes what it needs from datagrams and
// completion events: a table with one small entry an IKE SA (ikeSA), which forgets the longest idle when it is full. A
// Rule is a value with a few functions that look at that table and at what happens now; it sends nothing, stores only
// what its State field says, and reports by finding. Rules know nothing of the reducer's code, so that they can catch it
// lying: a test holds that this package imports only proto.
//
// Some rules compare the journal with something beside it, which whoever audits tells: frames of a capture taken at the same
// host (Captured), the other end's journal (Joint), or what a replay and a reader of the file found (Told). Rule.Needs says
// so, and With gives the rules that can judge.
//
// A finding is a violation, a warning, a note, or inconclusive: then it says what is missing. A rule of the catalogue
// that is not built yet stands in Absent with the reason.
package audit

//go:generate go run ./gen
