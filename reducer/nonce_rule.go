package reducer

import "bytes"

// Both ends rekey the same SA at once (RFC 7296, sections 2.8.1 and 2.8.2): each answers as usual, and of the two new SAs the
// one is redundant whose exchange has the lowest of the four nonces. Each end closes what it began: the redundant SA its
// initiator, the old one the initiator of the survivor.

// Rival is what the peer's own rekey of the same SA has made while ours was open.
type Rival struct {
	SA     uint64 // number of the Child SA, or of the IKE SA
	Ni, Nr []byte
}

func (r *Rival) there() bool { return r.SA != 0 }

// undecided reports whether the peer's rekey of the same SA is being answered: until it is, nobody knows whose SA stays.
func (sa *IKESA) undecided(c *Creation) bool {
	s := sa.Serving
	return c.Initiator && s != nil && s.Kind == c.Kind && s.Replaces == c.Replaces
}

// decide goes on with exchanges of ours that only waited for that answer.
func (t *step) decide(sa *IKESA) {
	making := sa.Making
	for _, c := range making {
		switch {
		case !c.Done:
		case c.Kind == RekeyedIKE:
			t.ikeRekeyed(sa, c)
		default:
			t.childMade(sa, c)
		}
	}
}

// lost reports whether what our exchange made is the redundant one (PROTOCOL.md, CR-2). sa is the IKE SA both were made on.
func (c *Creation) lost(sa *IKESA) bool {
	ours, theirs := sorted(c.Ni, c.Nr), sorted(c.Rival.Ni, c.Rival.Nr)
	for i := range ours {
		if order := bytes.Compare(ours[i], theirs[i]); order != 0 {
			return order < 0
		}
	}
	return !sa.Initiator // the same two nonces in both exchanges (CR-15)
}

// sorted is the lower nonce, then the other: octet by octet, and of two where one begins the other the shorter is lower
// (PROTOCOL.md, CR-3), which is bytes.Compare. A nonce that is in both exchanges decides nothing (CR-15).
func sorted(a, b []byte) [2][]byte {
	if bytes.Compare(a, b) > 0 {
		a, b = b, a
	}
	return [2][]byte{a, b}
}
