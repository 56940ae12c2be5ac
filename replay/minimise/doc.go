// Package minimise shrinks what shows a finding to the least that still shows it (REPLAY-UX.md, "minimise"): first the
// causal slice, the steps that the recorded causes lead to from where the finding shows; then delta debugging, which leaves
// out ever smaller parts as long as the finding stays.
//
// The central type is Journal: the records of a journal or a case file, of which a part is again a whole journal, its
// steps and SAs numbered anew. Shrink is the delta debugging, for anything that can be left out in parts.
//
// It may import proto, journal, reducer and replay.
package minimise
