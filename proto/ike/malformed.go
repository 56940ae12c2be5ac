package ike

// What a peer got wrong in the form of a message. PROTOCOL.md decides what follows from it: in IKE_SA_INIT the datagram
// is dropped, since INVALID_SYNTAX is never sent in the clear (RFC 7296, sections 2.21.1 and 3.10.1), on an SA it is
// answered with INVALID_SYNTAX (rows ).

// Malformed is why a message cannot be read. The values are constants of this package: an error costs no allocation,
// so a flood of bad datagrams costs none either, and the set is small enough to be a counter's label.
type Malformed string

func (m Malformed) Error() string { return "malformed: " + string(m) }
