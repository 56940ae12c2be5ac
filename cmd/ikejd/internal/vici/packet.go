package vici

import (
	"encoding/binary"
	"fmt"
	"io"
)

// packetType is the first octet of a packet (vici README, "Packet layer").
type packetType byte

const (
	cmdRequest      packetType = 0 // name, message
	cmdResponse     packetType = 1 // message
	cmdUnknown      packetType = 2
	eventRegister   packetType = 3 // name
	eventUnregister packetType = 4 // name
	eventConfirm    packetType = 5
	eventUnknown    packetType = 6
	event           packetType = 7 // name, message
)

// maxPacket is the largest packet without its length, as in strongSwan.
const maxPacket = 512 * 1024

// named says whether a packet of this type carries a name, wrapped whether it carries a message.
func (t packetType) named() bool {
	return t == cmdRequest || t == eventRegister || t == eventUnregister || t == event
}

func (t packetType) wrapped() bool { return t == cmdRequest || t == cmdResponse || t == event }

// packet is one packet in either direction; Name and Message where its type has them.
type packet struct {
	Type    packetType
	Name    string
	Message Message
}

// encode gives the packet with the 4-octet length before it.
func (p packet) encode() ([]byte, error) {
	b := []byte{0, 0, 0, 0, byte(p.Type)}
	var err error
	if p.Type.named() {
		if b, err = appendName(b, p.Name); err != nil {
			return nil, err
		}
	}
	if p.Type.wrapped() {
		if b, err = p.Message.Append(b); err != nil {
			return nil, err
		}
	}
	if len(b)-4 > maxPacket {
		return nil, fmt.Errorf("packet %q has %d octets and vici allows %d: send less at a time", p.Name, len(b)-4, maxPacket)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b, nil
}

// parsePacket decodes a packet without its length.
func parsePacket(b []byte) (packet, error) {
	if len(b) == 0 {
		return packet{}, fmt.Errorf("%w: empty packet", ErrMalformed)
	}
	p := packet{Type: packetType(b[0])}
	if p.Type > event {
		return packet{}, fmt.Errorf("%w: packet type %d", ErrMalformed, b[0])
	}
	rest := parser{rest: b[1:]}
	if p.Type.named() {
		name, err := rest.name()
		if err != nil {
			return packet{}, fmt.Errorf("%w: name of the packet: %v", ErrMalformed, err)
		}
		p.Name = name
	}
	if !p.Type.wrapped() {
		if len(rest.rest) > 0 {
			return packet{}, fmt.Errorf("%w: %d octets after a packet of type %d", ErrMalformed, len(rest.rest), b[0])
		}
		return p, nil
	}
	m, err := ParseMessage(rest.rest)
	p.Message = m
	return p, err
}

// readPacket reads one packet. io.EOF is a clean end between two packets.
func readPacket(r io.Reader) (packet, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return packet{}, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxPacket {
		return packet{}, fmt.Errorf("%w: packet of %d octets", ErrMalformed, n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return packet{}, fmt.Errorf("packet ends early: %w", err)
	}
	return parsePacket(b)
}
