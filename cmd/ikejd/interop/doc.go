// Package interop holds no code, only tests of ikejd against the daemons that people run, in network namespaces on one
// machine: `make interop`, as root, behind the build tag of that name. Its central type is bed: two ends, the road
// between them and a capture of it. Each scenario is written once and played with several pairings of daemons; both ends
// are driven by the stock swanctl, so that exchanging one for the other is a word in a table.
//
// After every scenario, whatever it was about: neither end lists an SA, tshark finds no malformed packet, a message id
// had one content only, and for ikejd its exit status, `journal verify` and `replay` are clean.
//
// lab/ has the scripts that run peers (each prints its usage), lossy/ the bad network. What they unpack and build is in
// .lab at the root of the repository, which git ignores; a run that failed leaves its configurations, logs, captures and
// journals in .lab/run.
package interop
