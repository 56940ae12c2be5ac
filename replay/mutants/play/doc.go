// Command play has the reducer it was built with play the simulator's seeds, and writes one JSON object: which rules
// found something first, and how many seeds were played. The test of replay/mutants builds it with reducers that are
// wrong on purpose.
package main
