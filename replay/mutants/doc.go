// Package mutants checks the checkers: each file of testdata has reducers that are wrong on purpose, written as small
// patches, and the rule of the audit that must name what is wrong. The test builds each of them, without touching the
// tree, has it play the simulator's seeds, and demands that rule within 1,000 of them; what shows only between two ends
// must be named by what the simulator demands of them (COL-07, SHU-08).
//
// The central type is Player, which plays seeds and says which rule found what first. Command play runs one for a
// reducer that was changed. A patch that no longer fits the source fails the test and says which: mend it together with
// the rule that was changed.
package mutants
