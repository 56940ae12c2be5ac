package ike

import (
	"encoding/binary"
	"strconv"
)

// The Security Association payload (RFC 7296, section 3.3): proposals in order of preference, each with transforms, a
// transform with attributes. Its three nested lengths and its two sorts of "last" mark must agree with each other.

// Limits on an SA payload: ours (PROTOCOL.md K-21).
const (
	MaxProposals  = 128
	MaxTransforms = 1024 // in all proposals together
)

// SA is an SA payload: what is offered, or in a response the one proposal that was chosen.
type SA struct {
	Proposals []Proposal
}

// Proposal is one choice. SPI has the length its protocol wants: 4 octets for AH and ESP, none for an IKE SA but 8 where
// an IKE SA is rekeyed.
type Proposal struct {
	Number     uint8 // 1, 2, 3… in an offer; in a response the number of the one chosen
	Protocol   ProtocolID
	SPI        []byte
	Transforms []Transform
}

// Transform is one algorithm. One with an attribute we do not know, or a key length of 0, is Unknown: it can be skipped
// but never chosen (section 3.3.6), and what was unknown of it is not kept.
type Transform struct {
	Type      TransformType
	ID        uint16
	KeyLength uint16 // bits; 0 is no attribute
	Unknown   bool
}

// String is the RFC's name, with the key length where there is one: "ENCR_AES_CBC_256".
func (t Transform) String() string {
	name := algorithmName(t.Type, t.ID)
	if t.KeyLength != 0 {
		name += "_" + strconv.Itoa(int(t.KeyLength))
	}
	if t.Unknown {
		name += "?"
	}
	return name
}

// PayloadType is SA.
func (SA) PayloadType() PayloadType { return PayloadSA }

const (
	proposalHeaderLen  = 8
	transformHeaderLen = 8
	moreProposals      = 2 // what "Last Substruc" is where another follows, else 0: ISAKMP's payload numbers
	moreTransforms     = 3
	attributeKeyLength = 14
	attributeShort     = 0x8000 // the AF bit: the value is in place of the length
)

const (
	errSAEmpty            = Malformed("SA without a proposal")
	errProposalLength     = Malformed("proposal length does not fit the SA")
	errProposalMore       = Malformed("proposal's last mark is wrong")
	errProposalCount      = Malformed("more than 128 proposals")
	errProposalNumber     = Malformed("proposal numbers are not 1, 2, 3…")
	errProposalSPISize    = Malformed("SPI size does not fit the protocol")
	errProposalSPI        = Malformed("SPI is reserved")
	errProposalTransforms = Malformed("proposal without a transform")
	errTransformCount     = Malformed("more than 1024 transforms")
	errTransformLength    = Malformed("transform length does not fit the proposal")
	errTransformMore      = Malformed("transform's last mark is wrong or the count is")
	errAttributeLength    = Malformed("attribute length does not fit the transform")
	errAttributeTwice     = Malformed("key length given twice")
	errNotOneProposal     = Malformed("response does not choose one proposal")
	errNotOneTransform    = Malformed("response chooses two transforms of one type")
)

// ParseSA reads an SA payload's body. Numbers must be 1, 2, 3… where there are several proposals; a single one may have
// any but 0, since it may be a response's (see CheckOffer, CheckChoice).
func ParseSA(body []byte) (SA, error) {
	if len(body) == 0 {
		return SA{}, errSAEmpty
	}
	// Both slices are made once, at the most they can need: a proposal takes 16 octets at least, a transform 8.
	proposals := make([]Proposal, 0, min(len(body)/(proposalHeaderLen+transformHeaderLen), MaxProposals))
	transforms := make([]Transform, 0, min(len(body)/transformHeaderLen, MaxTransforms))
	for more := true; more; {
		if len(proposals) == MaxProposals {
			return SA{}, errProposalCount
		}
		if len(body) < proposalHeaderLen {
			return SA{}, errProposalLength
		}
		length := int(binary.BigEndian.Uint16(body[2:]))
		if length < proposalHeaderLen || length > len(body) {
			return SA{}, errProposalLength
		}
		rest := body[length:]
		more = len(rest) > 0
		if !lastMark(body[0], more, moreProposals) {
			return SA{}, errProposalMore
		}
		before := len(transforms)
		p, all, err := parseProposal(body[:length], transforms)
		if err != nil {
			return SA{}, err
		}
		transforms = all
		p.Transforms = transforms[before:len(transforms):len(transforms)]
		if p.Number == 0 || (len(proposals) > 0 || more) && int(p.Number) != len(proposals)+1 {
			return SA{}, errProposalNumber
		}
		proposals = append(proposals, p)
		body = rest
	}
	return SA{Proposals: proposals}, nil
}

// parseProposal reads one proposal, b exactly, and appends its transforms to those of the proposals before it.
func parseProposal(b []byte, transforms []Transform) (Proposal, []Transform, error) {
	p := Proposal{Number: b[4], Protocol: ProtocolID(b[5])}
	spiSize, count := int(b[6]), int(b[7])
	b = b[proposalHeaderLen:]
	if spiSize > len(b) {
		return p, transforms, errProposalLength
	}
	p.SPI, b = b[:spiSize:spiSize], b[spiSize:]
	if err := checkSPI(p.Protocol, p.SPI); err != nil {
		return p, transforms, err
	}
	if count == 0 {
		return p, transforms, errProposalTransforms
	}
	if len(transforms)+count > MaxTransforms {
		return p, transforms, errTransformCount
	}
	for ; count > 0; count-- {
		if len(b) < transformHeaderLen {
			return p, transforms, errTransformLength
		}
		length := int(binary.BigEndian.Uint16(b[2:]))
		if length < transformHeaderLen || length > len(b) {
			return p, transforms, errTransformLength
		}
		if !lastMark(b[0], count > 1, moreTransforms) {
			return p, transforms, errTransformMore
		}
		t, err := parseTransform(b[:length])
		if err != nil {
			return p, transforms, err
		}
		transforms, b = append(transforms, t), b[length:]
	}
	if len(b) > 0 {
		return p, transforms, errTransformMore
	}
	return p, transforms, nil
}

// parseTransform reads one transform, b exactly.
func parseTransform(b []byte) (Transform, error) {
	t := Transform{Type: TransformType(b[4]), ID: binary.BigEndian.Uint16(b[6:])}
	keyLengthSeen := false
	for b = b[transformHeaderLen:]; len(b) > 0; {
		if len(b) < 4 {
			return t, errAttributeLength
		}
		attribute, value := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		b = b[4:]
		if attribute == attributeShort|attributeKeyLength {
			if keyLengthSeen {
				return t, errAttributeTwice
			}
			keyLengthSeen = true
			t.KeyLength, t.Unknown = value, t.Unknown || value == 0
			continue
		}
		t.Unknown = true
		if attribute&attributeShort == 0 {
			if int(value) > len(b) {
				return t, errAttributeLength
			}
			b = b[value:]
		}
	}
	return t, nil
}

// lastMark says whether the first octet of a proposal or transform is what it must be: 0 in the last one.
func lastMark(mark uint8, more bool, whenMore uint8) bool {
	if more {
		return mark == whenMore
	}
	return mark == 0
}

// AppendBody writes the SA payload. A proposal has at most 255 transforms. Of an Unknown transform the attributes that
// made it so are lost: such a one is never chosen, and never ours.
func (s SA) AppendBody(dst []byte) []byte {
	for i, p := range s.Proposals {
		start := len(dst)
		mark := uint8(0)
		if i+1 < len(s.Proposals) {
			mark = moreProposals
		}
		spiSize, count := count8(len(p.SPI), "octets of SPI"), count8(len(p.Transforms), "transforms in a proposal")
		dst = append(dst, mark, 0, 0, 0, p.Number, byte(p.Protocol), spiSize, count)
		dst = append(dst, p.SPI...)
		for j, t := range p.Transforms {
			dst = t.append(dst, j+1 < len(p.Transforms))
		}
		binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start))
	}
	return dst
}

func (t Transform) append(dst []byte, more bool) []byte {
	mark, length := uint8(0), uint8(transformHeaderLen)
	if more {
		mark = moreTransforms
	}
	if t.KeyLength != 0 {
		length += 4
	}
	dst = append(dst, mark, 0, 0, length, byte(t.Type), 0)
	dst = binary.BigEndian.AppendUint16(dst, t.ID)
	if t.KeyLength != 0 {
		dst = binary.BigEndian.AppendUint16(dst, attributeShort|attributeKeyLength)
		dst = binary.BigEndian.AppendUint16(dst, t.KeyLength)
	}
	return dst
}
