package udp

import "encoding/binary"

// What a datagram is (RFC 3948, section 2): on the NAT port IKE and ESP share a port, told apart by
// the first four octets, which are zero before IKE (the non-ESP marker) and an SPI, never zero, in ESP.

const (
	markerOctets    = 4
	ikeHeaderOctets = 28 // RFC 7296, section 3.1: nothing shorter is an IKE message (PROTOCOL.md, N-01)
	espHeaderOctets = 8  // RFC 4303, section 2: SPI and sequence number
)

// marker is the non-ESP marker (RFC 3948, section 2.2).
var marker = make([]byte, markerOctets)

// Class is what a datagram is.
type Class uint8

// The classes.
const (
	IKE       Class = iota // as far as can be told by its first octets and its length
	Keepalive              // a NAT keepalive (RFC 3948, section 2.3)
	ESP                    // ESP in UDP
	TooShort               // too short for what it would be
)

// Classify says what came to the NAT port or the IKE port and, of an IKE message, its octets without
// the marker: a part of datagram, whose owner keeps it.
func Classify(datagram []byte, natPort bool) (class Class, message []byte) {
	if natPort {
		switch {
		case len(datagram) == 1 && datagram[0] == 0xff:
			return Keepalive, nil
		case len(datagram) < markerOctets:
			return TooShort, nil
		case binary.BigEndian.Uint32(datagram) != 0:
			if len(datagram) < espHeaderOctets {
				return TooShort, nil
			}
			return ESP, nil
		}
		datagram = datagram[markerOctets:]
	}
	if len(datagram) < ikeHeaderOctets {
		return TooShort, nil
	}
	return IKE, datagram
}
