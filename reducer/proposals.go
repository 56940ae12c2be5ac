package reducer

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
)

// Choosing a suite (RFC 7296, sections 2.7 and 3.3): of the peer's proposals the first that ours allow, of each kind of
// transform the one we like best. What is not compiled in never stands in a configuration, so it is never chosen.

// choose is the suite we take from offer for protocol, and the number of the proposal it is in.
func choose(offer ike.SA, ours []Proposal, protocol ike.ProtocolID) (Suite, ike.Proposal, bool) {
	for _, mine := range ours {
		for _, theirs := range offer.Proposals {
			if theirs.Protocol != protocol {
				continue
			}
			if suite, ok := mine.meet(theirs, protocol); ok {
				return suite, theirs, true
			}
		}
	}
	return Suite{}, ike.Proposal{}, false
}

// meet is what both the proposal of ours and theirs allow. A transform type that theirs has and nobody understands
// spoils it (section 3.3.6).
func (p Proposal) meet(theirs ike.Proposal, protocol ike.ProtocolID) (Suite, bool) {
	for _, transform := range theirs.Transforms {
		if !transform.Type.Known() {
			return Suite{}, false
		}
	}
	var s Suite
	found := false
	for _, cipher := range p.Ciphers {
		if offers(theirs, ike.TransformENCR, cipher.ID, cipher.KeyLength) {
			s.Encr, s.KeyLength, found = cipher.ID, cipher.KeyLength, true
			break
		}
	}
	if !found {
		return Suite{}, false
	}
	if isAEAD(s.Encr) {
		// RFC 5282 section 8: no integrity algorithm, or the one called NONE, and no other beside it
		if has(theirs, ike.TransformINTEG) && !offers(theirs, ike.TransformINTEG, ike.IntegNone, 0) {
			return Suite{}, false
		}
	} else if s.Integ, found = pick(theirs, ike.TransformINTEG, p.Integs); !found {
		return Suite{}, false
	}
	if protocol != ike.ProtocolIKE {
		if s.SequenceNumbers, found = pick(theirs, ike.TransformSN, p.sequenceNumbers()); !found {
			return Suite{}, false
		}
		s.Group, found = p.meetGroup(theirs)
		return s, found
	}
	if s.PRF, found = pick(theirs, ike.TransformPRF, p.PRFs); !found {
		return Suite{}, false
	}
	s.Group, found = pick(theirs, ike.TransformKE, p.Groups)
	return s, found
}

// meetGroup is the key exchange of a Child SA's own that both allow; on either side no group at all means NONE.
func (p Proposal) meetGroup(theirs ike.Proposal) (ike.Group, bool) {
	for _, group := range p.groups() {
		if offers(theirs, ike.TransformKE, uint16(group), 0) || group == ike.GroupNone && !has(theirs, ike.TransformKE) {
			return group, true
		}
	}
	return 0, false
}

// groups is what a configuration without a word about them means for a Child SA.
func (p Proposal) groups() []ike.Group {
	if len(p.Groups) == 0 {
		return []ike.Group{ike.GroupNone}
	}
	return p.Groups
}

// firstChildProposals are those of a Child SA that comes with its IKE SA: its keys come of IKE_SA_INIT's key exchange (section
// 1.2), so neither end has a word to say about another.
func firstChildProposals(ours []Proposal) []Proposal {
	bare := make([]Proposal, len(ours))
	for i, p := range ours {
		p.Groups = nil
		bare[i] = p
	}
	return bare
}

// withoutGroups is a peer's offer in IKE_AUTH: a key exchange in it says nothing.
func withoutGroups(offer ike.SA) ike.SA {
	bare := ike.SA{Proposals: append([]ike.Proposal(nil), offer.Proposals...)}
	for i, p := range bare.Proposals {
		bare.Proposals[i].Transforms = slices.DeleteFunc(slices.Clone(p.Transforms), func(t ike.Transform) bool { return t.Type == ike.TransformKE })
	}
	return bare
}

// sequenceNumbers is what a configuration without a word about them means: the 32-bit ones.
func (p Proposal) sequenceNumbers() []uint16 {
	if len(p.SequenceNumberSchemes) == 0 {
		return []uint16{ike.SN32}
	}
	return p.SequenceNumberSchemes
}

func pick[T ~uint16](theirs ike.Proposal, t ike.TransformType, ours []T) (T, bool) {
	for _, id := range ours {
		if offers(theirs, t, uint16(id), 0) {
			return id, true
		}
	}
	return 0, false
}

func offers(p ike.Proposal, t ike.TransformType, id, keyLength uint16) bool {
	return slices.Contains(p.Transforms, ike.Transform{Type: t, ID: id, KeyLength: keyLength})
}

func has(p ike.Proposal, t ike.TransformType) bool {
	return slices.ContainsFunc(p.Transforms, func(transform ike.Transform) bool { return transform.Type == t })
}

func isAEAD(encr uint16) bool {
	return encr == ike.EncrAESGCM16 || encr == ike.EncrChaCha20Poly1305
}

// offer is the SA payload of our proposals, with spi for each.
func offer(ours []Proposal, protocol ike.ProtocolID, spi []byte) ike.SA {
	var sa ike.SA
	for i, p := range ours {
		proposal := ike.Proposal{Number: uint8(i + 1), Protocol: protocol, SPI: spi}
		add := func(t ike.TransformType, id, keyLength uint16) {
			proposal.Transforms = append(proposal.Transforms, ike.Transform{Type: t, ID: id, KeyLength: keyLength})
		}
		for _, cipher := range p.Ciphers {
			add(ike.TransformENCR, cipher.ID, cipher.KeyLength)
		}
		for _, id := range p.Integs {
			add(ike.TransformINTEG, id, 0)
		}
		if protocol == ike.ProtocolIKE {
			for _, id := range p.PRFs {
				add(ike.TransformPRF, id, 0)
			}
			for _, id := range p.Groups {
				add(ike.TransformKE, uint16(id), 0)
			}
		} else {
			for _, id := range p.Groups {
				add(ike.TransformKE, uint16(id), 0)
			}
			for _, id := range p.sequenceNumbers() {
				add(ike.TransformSN, id, 0)
			}
		}
		sa.Proposals = append(sa.Proposals, proposal)
	}
	return sa
}

// choice is the SA payload that accepts suite out of the peer's proposal of that number.
func choice(s Suite, protocol ike.ProtocolID, number uint8, spi []byte) ike.SA {
	p := ike.Proposal{Number: number, Protocol: protocol, SPI: spi}
	add := func(t ike.TransformType, id, keyLength uint16) {
		p.Transforms = append(p.Transforms, ike.Transform{Type: t, ID: id, KeyLength: keyLength})
	}
	add(ike.TransformENCR, s.Encr, s.KeyLength)
	if !isAEAD(s.Encr) {
		add(ike.TransformINTEG, s.Integ, 0)
	}
	if protocol == ike.ProtocolIKE {
		add(ike.TransformPRF, s.PRF, 0)
		add(ike.TransformKE, uint16(s.Group), 0)
	} else {
		if s.Group != ike.GroupNone {
			add(ike.TransformKE, uint16(s.Group), 0)
		}
		add(ike.TransformSN, s.SequenceNumbers, 0)
	}
	return ike.SA{Proposals: []ike.Proposal{p}}
}

// chosen is the suite the responder took. It must be one we offered: the proposal of that number, and of it one
// transform of each type (section 2.7; PROTOCOL.md, N-35).
func chosen(answer ike.SA, ours []Proposal, protocol ike.ProtocolID) (Suite, ike.Proposal, bool) {
	p := answer.Proposals[0]
	if p.Protocol != protocol || int(p.Number) < 1 || int(p.Number) > len(ours) {
		return Suite{}, p, false
	}
	mine := ours[p.Number-1]
	for _, transform := range p.Transforms {
		if transform.Unknown || !mine.has(transform, protocol) {
			return Suite{}, p, false
		}
	}
	suite, ok := mine.meet(p, protocol)
	return suite, p, ok
}

// has reports whether the proposal offers the transform; NONE stands for an integrity algorithm that is not there.
func (p Proposal) has(t ike.Transform, protocol ike.ProtocolID) bool {
	switch t.Type {
	case ike.TransformENCR:
		return slices.Contains(p.Ciphers, Cipher{t.ID, t.KeyLength})
	case ike.TransformINTEG:
		return slices.Contains(p.Integs, t.ID) || len(p.Integs) == 0 && t.ID == ike.IntegNone
	case ike.TransformPRF:
		return protocol == ike.ProtocolIKE && slices.Contains(p.PRFs, t.ID)
	case ike.TransformKE:
		return slices.Contains(p.groups(), ike.Group(t.ID))
	case ike.TransformSN:
		return protocol != ike.ProtocolIKE && slices.Contains(p.sequenceNumbers(), t.ID)
	}
	return false
}
