package ike

import "encoding/binary"

// The IKE header (RFC 7296, section 3.1): 28 octets before every message, never encrypted, always authenticated.

// HeaderLen is the header's length in octets.
const HeaderLen = 28

// Header is the fixed part of a message. SPIs are in host order here and in network order on the wire; 0 as SPIr says
// that the responder has not chosen one.
type Header struct {
	SPIi, SPIr   uint64
	NextPayload  PayloadType
	Major, Minor uint8 // four bits each
	Exchange     ExchangeType
	Flags        Flags
	MessageID    uint32
	Length       uint32 // octets of the whole message, this header too
}

const (
	errHeaderShort  = Malformed("shorter than an IKE header")
	errHeaderLength = Malformed("IKE length is not the datagram's length")
)

// ParseHeader reads the first 28 octets of b. It judges nothing: a message of another major version has a header of
// this form too, and what to answer it is decided from it (section 2.5).
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderLen {
		return Header{}, errHeaderShort
	}
	return Header{
		SPIi:        binary.BigEndian.Uint64(b),
		SPIr:        binary.BigEndian.Uint64(b[8:]),
		NextPayload: PayloadType(b[16]),
		Major:       b[17] >> 4,
		Minor:       b[17] & 15,
		Exchange:    ExchangeType(b[18]),
		Flags:       Flags(b[19]),
		MessageID:   binary.BigEndian.Uint32(b[20:]),
		Length:      binary.BigEndian.Uint32(b[24:]),
	}, nil
}

// CheckLength refuses a message whose Length is not n, the octets that came (PROTOCOL.md N-02).
func (h Header) CheckLength(n int) error {
	if uint64(h.Length) != uint64(n) {
		return errHeaderLength
	}
	return nil
}

// Append writes the header as it stands, 28 octets.
func (h Header) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, h.SPIi)
	dst = binary.BigEndian.AppendUint64(dst, h.SPIr)
	dst = append(dst, byte(h.NextPayload), h.Major<<4|h.Minor&15, byte(h.Exchange), byte(h.Flags))
	dst = binary.BigEndian.AppendUint32(dst, h.MessageID)
	return binary.BigEndian.AppendUint32(dst, h.Length)
}

// Response is the R flag: this message answers the request of its message id.
func (h Header) Response() bool { return h.Flags&FlagResponse != 0 }

// Initiator is the I flag: the sender is the original initiator of the IKE SA, whichever side began this exchange.
func (h Header) Initiator() bool { return h.Flags&FlagInitiator != 0 }

// ours is h as we send it: version 2.0, whatever version the message it answers had (section 2.5), no reserved flag.
func (h Header) ours() Header {
	h.Major, h.Minor = MajorVersion, MinorVersion
	h.Flags &= FlagInitiator | FlagResponse
	return h
}
