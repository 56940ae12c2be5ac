// Package xfrm speaks to the Linux kernel about IPsec (NETLINK_XFRM): states, policies, SPIs, and what the kernel says
// unasked. It is the Linux dataplane's codec.
//
// The central types are State and Policy. Each kind of message is a file: it has a function that makes the request, or one
// that reads what the kernel sends, or both. Conn sends requests, Monitor hears events.
//
// Sockets and framing are those of the netlink library's nl package; structures and attributes are our own
// (docs/dependencies.md says why). What `ip xfrm` can say is tested byte for byte against what it sends. No input makes a
// decoder panic. What the kernel refuses is a *Refused with its errno and its words. Keys are of type Key, which nothing
// prints, and are wiped from what we sent and received.
//
// It imports nothing of ours.
package xfrm
