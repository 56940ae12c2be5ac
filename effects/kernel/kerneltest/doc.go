// Package kerneltest holds every dataplane to the same behaviour.
//
// Conformance is a test that any kernel.Dataplane must pass: the model, Linux's XFRM, ESP in this
// process. It installs Child SAs between documentation addresses (RFC 5737, RFC 3849) and sends nothing.
package kerneltest
