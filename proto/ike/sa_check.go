package ike

import "encoding/binary"

// What an SA payload must be besides well formed, by the place it stands in (RFC 7296, sections 3.3.1 and 2.7).

// CheckOffer is for an SA of a request: the first number is 1 (the rest follow from it in ParseSA), and proposals for
// an IKE SA carry an SPI of ikeSPI octets: 0 in IKE_SA_INIT, 8 where an IKE SA is rekeyed (PROTOCOL.md N-16, N-22).
func (s SA) CheckOffer(ikeSPI int) error {
	if len(s.Proposals) == 0 {
		return errSAEmpty
	}
	if s.Proposals[0].Number != 1 {
		return errProposalNumber
	}
	return s.checkIKESPI(ikeSPI)
}

// CheckChoice is for an SA of a response: one proposal, of each transform type one (N-35). That it was offered is for
// the reducer to see, who knows the offer.
func (s SA) CheckChoice(ikeSPI int) error {
	if len(s.Proposals) != 1 {
		return errNotOneProposal
	}
	var seen [256]bool
	for _, t := range s.Proposals[0].Transforms {
		if seen[t.Type] {
			return errNotOneTransform
		}
		seen[t.Type] = true
	}
	return s.checkIKESPI(ikeSPI)
}

func (s SA) checkIKESPI(size int) error {
	for _, p := range s.Proposals {
		if p.Protocol == ProtocolIKE && len(p.SPI) != size {
			return errProposalSPISize
		}
	}
	return nil
}

// checkSPI knows what an SPI must look like for the protocols we know (sections 3.3.1 and 3.1, RFC 4303 section 2.1:
// 0 to 255 are reserved). Of others nothing is known, and they are never chosen.
func checkSPI(protocol ProtocolID, spi []byte) error {
	switch {
	case protocol == ProtocolIKE && len(spi) == 0:
		return nil
	case protocol == ProtocolIKE && len(spi) == 8:
		if binary.BigEndian.Uint64(spi) == 0 {
			return errProposalSPI
		}
	case (protocol == ProtocolAH || protocol == ProtocolESP) && len(spi) == 4:
		if binary.BigEndian.Uint32(spi) < 256 {
			return errProposalSPI
		}
	case protocol == ProtocolIKE, protocol == ProtocolAH, protocol == ProtocolESP:
		return errProposalSPISize
	}
	return nil
}
