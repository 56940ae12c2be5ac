package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// An IKE SA that rekeys another (RFC 7296, section 2.8): who the peer is was proved there, and the Child SAs come from there.

// agreed is what a CREATE_CHILD_SA exchange has had agreed for another IKE SA.
type agreed struct {
	ref  uint64
	spiI uint64 // of the SA to come
	role role
	aead bool
}

// rekeys notes the keys of the SA to come.
func (s *ikeSA) rekeys(a *record.Agree) {
	if a.GetOldRef() == 0 {
		return
	}
	next := agreed{ref: a.GetKeyRef(), spiI: a.GetSpiI(), role: responder, aead: isAEAD(uint16(a.GetSuite().GetEncr()))}
	if a.GetInitiator() {
		next.role = initiator
	}
	s.next = bounded(s.next, next, 4)
}

// agreedOn is what was agreed for the SA that begins with that change.
func (s *ikeSA) agreedOn(c *record.Changed) agreed {
	for _, a := range s.next {
		if a.spiI == c.GetSpiI() {
			return a
		}
	}
	return agreed{}
}

// succeeds takes over what does not change with the keys.
func (s *ikeSA) succeeds(n *now, c *record.Changed) {
	from := n.a.table.find(c.GetPredecessor())
	if from == nil {
		return
	}
	next := from.agreedOn(c)
	s.auth = authState{good: from.auth.good, ownSent: from.auth.ownSent, step: from.auth.step}
	s.role, s.aead, s.nat, s.partial = next.role, next.aead, from.nat, from.partial
	s.spiI, s.spiR, s.heard, s.heardRequest = c.GetSpiI(), c.GetSpiR(), from.heard, from.heardRequest
	s.path, s.fresh, s.first = from.path, from.fresh, from.first
	s.asked = inbound{}
	s.heardIn = false
	s.hold(n, next.ref)
	from.next = without(from.next, func(a *agreed) bool { return a.ref == next.ref })
}

// inherits takes a Child SA over from the SA before.
func (s *ikeSA) inherits(from *ikeSA, number uint64) {
	if c := from.child(number); c != nil {
		s.children = keep(s, s.children, *c, mostChildren)
		from.successor = s
		from.children = without(from.children, func(o *child) bool { return o.number == number })
	}
}

func isAEAD(encr uint16) bool {
	switch encr {
	case ike.EncrAESGCM16, ike.EncrAESGCM8, ike.EncrAESGCM12, ike.EncrAESCCM16, ike.EncrAESCCM8, ike.EncrAESCCM12, ike.EncrChaCha20Poly1305:
		return true
	}
	return false
}
