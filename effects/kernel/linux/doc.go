// Package linux is `--dataplane kernel`: Child SAs as ESP and AH states and policies of this machine's Linux kernel.
//
// The central type is Dataplane. The kernel keeps states and policies and nothing that ties them together, so what is ours
// bears marks that a later run reads (marks.go), and a Dataplane holds books of which Child SAs share policies (policies.go).
// What others installed is left alone.
//
// It imports effects/kernel, whose interface it implements, and effects/kernel/xfrm, which speaks to the kernel.
package linux
