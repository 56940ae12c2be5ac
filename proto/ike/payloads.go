package ike

import "encoding/binary"

// The chain of payloads (RFC 7296, sections 3.2 and 2.5): each begins with the type of the next, a critical bit and its
// length. Order carries no meaning, but that an Encrypted payload comes last, and with us alone.

// MaxPayloads is how many payloads a message may have: ours (PROTOCOL.md K-21); a message with a long certificate chain
// has about 20.
const MaxPayloads = 64

const payloadHeaderLen = 4

// Payload is one payload: Body is what follows its generic header, part of the datagram. Next is set for SK and SKF
// only, where it is the type of the first payload inside.
type Payload struct {
	Type     PayloadType
	Critical bool
	Next     PayloadType
	Body     []byte
}

// PayloadType and AppendBody make a payload that was read one that can be written: as it came, but for the critical bit.
func (p Payload) PayloadType() PayloadType { return p.Type }

// AppendBody writes the body as it was read.
func (p Payload) AppendBody(dst []byte) []byte { return append(dst, p.Body...) }

// Payloads is a message's chain in the order of the wire. It is a plain array, about 2 KiB, so that a caller can keep
// one and read any number of messages into it without an allocation.
type Payloads struct {
	n    int
	list [MaxPayloads]Payload
}

const (
	errPayloadShort    = Malformed("payload header cut short")
	errPayloadLength   = Malformed("payload length under 4 octets")
	errPayloadPastEnd  = Malformed("payload longer than the message")
	errPayloadLeftover = Malformed("octets left after the last payload")
	errPayloadCount    = Malformed("more than 64 payloads")
	errSKNotAlone      = Malformed("payloads beside an Encrypted payload")
	errSKInside        = Malformed("Encrypted payload inside an Encrypted payload")
	errPayloadTwice    = Malformed("two payloads of a type that may come once")
)

// All is the payloads in the order of the wire. The slice is the array's own: it is good until the next parse into p.
func (p *Payloads) All() []Payload { return p.list[:p.n] }

// First is the first payload of type t.
func (p *Payloads) First(t PayloadType) (Payload, bool) {
	for i := range p.list[:p.n] {
		if p.list[i].Type == t {
			return p.list[i], true
		}
	}
	return Payload{}, false
}

// Count is how many payloads of type t there are.
func (p *Payloads) Count(t PayloadType) int {
	n := 0
	for i := range p.list[:p.n] {
		if p.list[i].Type == t {
			n++
		}
	}
	return n
}

// ParsePayloads finds the payloads of b, whose first is of type first, in one pass and without allocation. It stops at
// an SK or SKF payload, whose Next names what is inside, and refuses one that has company: nothing that stands in the
// clear beside it is authenticated by its sender's intent (PROTOCOL.md N-42). After an error p holds what was found.
func ParsePayloads(first PayloadType, b []byte, into *Payloads) error {
	into.n = 0
	for t := first; t != NoNextPayload; {
		switch {
		case into.n == MaxPayloads:
			return errPayloadCount
		case len(b) < payloadHeaderLen:
			return errPayloadShort
		}
		next, critical, length := PayloadType(b[0]), b[1]&0x80 != 0, int(binary.BigEndian.Uint16(b[2:]))
		switch {
		case length < payloadHeaderLen:
			return errPayloadLength
		case length > len(b):
			return errPayloadPastEnd
		}
		p := Payload{Type: t, Critical: critical, Body: b[payloadHeaderLen:length:length]}
		b, t = b[length:], next
		if p.Type == PayloadSK || p.Type == PayloadSKF {
			if into.n > 0 || len(b) > 0 {
				return errSKNotAlone
			}
			p.Next, t = next, NoNextPayload
		}
		into.list[into.n] = p
		into.n++
	}
	if len(b) > 0 {
		return errPayloadLeftover
	}
	return nil
}

// ParseOpened is ParsePayloads for what was found inside an Encrypted payload, where there cannot be another.
func ParseOpened(first PayloadType, plaintext []byte, into *Payloads) error {
	if err := ParsePayloads(first, plaintext, into); err != nil {
		return err
	}
	if into.Count(PayloadSK)+into.Count(PayloadSKF) > 0 {
		return errSKInside
	}
	return nil
}

// UnknownCritical is the first payload that we do not know and whose sender says we must (section 2.5): its type goes
// into UNSUPPORTED_CRITICAL_PAYLOAD. The critical bit of a type we know means nothing.
func UnknownCritical(p *Payloads) (PayloadType, bool) {
	for i := range p.list[:p.n] {
		if q := &p.list[i]; q.Critical && !q.Type.Known() {
			return q.Type, true
		}
	}
	return NoNextPayload, false
}

// singles are the payloads of which no message of any exchange has two (section 1.2 and what is drawn of the other
// exchanges there): which of two would count, the RFC does not say, so nobody may need to know.
const singles uint64 = 1<<PayloadSA | 1<<PayloadKE | 1<<PayloadNonce | 1<<PayloadIDi | 1<<PayloadIDr | 1<<PayloadAUTH |
	1<<PayloadTSi | 1<<PayloadTSr | 1<<PayloadSK | 1<<PayloadEAP

// CheckSingles refuses a message that has two of what may come once (PROTOCOL.md N-11).
func CheckSingles(p *Payloads) error {
	var seen uint64
	for i := range p.list[:p.n] {
		bit := uint64(1) << p.list[i].Type // 0 for types of 64 and over
		if bit&singles&seen != 0 {
			return errPayloadTwice
		}
		seen |= bit
	}
	return nil
}
