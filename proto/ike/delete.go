package ike

import (
	"encoding/binary"
	"fmt"
)

// The Delete payload (RFC 7296, section 3.11). For an IKE SA it has no SPI: the header of its message names the SA.
// For Child SAs it names the SPIs its sender receives on.

// Delete closes the IKE SA that carries it (ProtocolIKE, no SPIs), or inbound halves of Child SAs of one protocol.
type Delete struct {
	Protocol ProtocolID
	SPIs     []uint32
}

const (
	errDeleteShort    = Malformed("Delete payload cut short")
	errDeleteProtocol = Malformed("Delete of an unknown protocol")
	errDeleteSPISize  = Malformed("Delete SPI size does not fit the protocol")
	errDeleteCount    = Malformed("Delete SPI count does not fit the payload")
)

// ParseDelete reads a Delete payload's body (PROTOCOL.md N-60).
func ParseDelete(body []byte) (Delete, error) {
	if len(body) < 4 {
		return Delete{}, errDeleteShort
	}
	d := Delete{Protocol: ProtocolID(body[0])}
	size, count := int(body[1]), int(binary.BigEndian.Uint16(body[2:]))
	body = body[4:]
	switch d.Protocol {
	case ProtocolIKE:
		if size != 0 {
			return Delete{}, errDeleteSPISize
		}
		if count != 0 || len(body) != 0 {
			return Delete{}, errDeleteCount
		}
		return d, nil
	case ProtocolAH, ProtocolESP:
		if size != 4 {
			return Delete{}, errDeleteSPISize
		}
	default:
		return Delete{}, errDeleteProtocol
	}
	if len(body) != 4*count {
		return Delete{}, errDeleteCount
	}
	if count > 0 {
		d.SPIs = make([]uint32, count)
	}
	for i := range d.SPIs {
		d.SPIs[i] = binary.BigEndian.Uint32(body[4*i:])
	}
	return d, nil
}

// PayloadType is Delete.
func (Delete) PayloadType() PayloadType { return PayloadDelete }

// AppendBody writes the Delete payload.
func (d Delete) AppendBody(dst []byte) []byte {
	size := uint8(4)
	if d.Protocol == ProtocolIKE {
		size = 0
	}
	if size == 0 && len(d.SPIs) > 0 || len(d.SPIs) > 0xffff {
		panic(fmt.Sprintf("ike: Delete of protocol %v with %d SPIs", d.Protocol, len(d.SPIs)))
	}
	dst = append(dst, byte(d.Protocol), size)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(d.SPIs)))
	for _, spi := range d.SPIs {
		dst = binary.BigEndian.AppendUint32(dst, spi)
	}
	return dst
}
