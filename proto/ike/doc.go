// Package ike reads and writes the messages of IKEv2 (RFC 7296, section 3) and of the RFCs that add to them. It knows
// form and nothing else: which proposal is good, whom to believe and what to answer is the reducer's, and no key ever
// comes here.
//
// The central types are Header, Payloads (the chain of a message, found in one pass) and a struct for each payload's
// body, each with a ParseX and an AppendBody. A message is read from the outside in:
//
//	h, err := ike.ParseHeader(datagram)
//	err = h.CheckLength(len(datagram))
//	err = ike.ParsePayloads(h.NextPayload, datagram[ike.HeaderLen:], &payloads)
//	sa, err := ike.ParseSA(payload.Body)
//
// or, where it is protected, with ParseSK in place of ParsePayloads, and ParseOpened for what the keyring found inside.
//
// Every error is a Malformed: a reason from a fixed list, so that it can be a counter's label and costs no memory. A
// decoder never panics, keeps to the limits of PROTOCOL.md K-21, and what it returns aliases its input: the octets
// belong to the caller, who must not change them while the result is in use. What an encoder is given is ours, so
// what cannot be put on the wire (a payload over 65,535 octets) is a broken invariant and panics.
//
// Exchange types keep the spelling of the RFCs, underscores and all (IKE_SA_INIT, not IKESAInit): they are the words
// a reader searches for. That is this package's one exception to Go's naming: a linter that checks names (staticcheck's
// ST1003, off unless asked for) must leave numbers.go out.
//
// The package imports the standard library only.
package ike
