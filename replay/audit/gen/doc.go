// Command gen writes docs/audit: a page for each rule that is built, of the catalogue's entry and of the rule's own mini
// journals with what was found in them, and an index of all. It is run by go generate, and its test fails when a page is
// stale.
package main
