// Package kernel is where Child SAs become state that carries traffic: the ESP and AH states and
// policies of a Linux kernel, of a dataplane in this process, or of nobody.
//
// The central type is Dataplane. Everything behind it answers as a Linux kernel does, refusals
// included, so that what the engine learns from one dataplane holds for all; the suite in
// kerneltest says what that means. Model, here, is `--dataplane none`: it carries no traffic and
// refuses what a kernel would refuse.
//
// A dataplane decides nothing about IKE. A repeated Install is refused with EEXIST, a repeated
// Remove with ESRCH; whether that is fine (an effect asked for again at recovery) or not is the
// caller's to say, who has the ticket (DESIGN.md, the loop, item 3).
//
// It imports nothing of ours.
package kernel
