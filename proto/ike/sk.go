package ike

import (
	"encoding/binary"
	"fmt"
)

// The Encrypted payload and the Encrypted Fragment payload around the keyring's work (RFC 7296 section 3.14, RFC 7383
// section 2.5). Here is the frame only: what is inside Body, IV, ciphertext and ICV, depends on the algorithms, and
// the AAD is where integrity begins (RFC 5282 section 5.1; for other ciphers the ICV runs over AAD and Body alike).

const (
	skHeaderLen  = HeaderLen + payloadHeaderLen
	skfHeaderLen = skHeaderLen + 4
)

// SKFrame is a protected message in its parts, which alias the message.
// Invariant: AAD and Body follow one another and are the whole message.
type SKFrame struct {
	Fragment, Total uint16      // 0 and 0 for an SK payload, else 1 <= Fragment <= Total
	First           PayloadType // of what is inside; for fragments after the first it says nothing
	AAD             []byte      // IKE header through generic header, in an SKF through the fragment numbers
	Body            []byte      // IV, ciphertext, ICV
}

const (
	errSKMissing       = Malformed("no Encrypted payload where one must be")
	errSKNotFirst      = Malformed("payloads before the Encrypted payload")
	errSKNotLast       = Malformed("payloads after the Encrypted payload")
	errFragmentNumbers = Malformed("fragment number is 0 or above the total")
	errFragmentFirst   = Malformed("first fragment names no payload")
)

// ParseSK splits a protected message, of which h is the header and for which CheckLength was asked. The Encrypted
// payload must be the only one (PROTOCOL.md N-42); the numbers of a fragment must make sense (N-65, N-67).
func ParseSK(msg []byte, h Header) (SKFrame, error) {
	if h.NextPayload != PayloadSK && h.NextPayload != PayloadSKF {
		if h.NextPayload == NoNextPayload {
			return SKFrame{}, errSKMissing
		}
		return SKFrame{}, errSKNotFirst
	}
	if len(msg) < skHeaderLen {
		return SKFrame{}, errPayloadShort
	}
	switch length := int(binary.BigEndian.Uint16(msg[HeaderLen+2:])); {
	case length < payloadHeaderLen:
		return SKFrame{}, errPayloadLength
	case length > len(msg)-HeaderLen:
		return SKFrame{}, errPayloadPastEnd
	case length < len(msg)-HeaderLen:
		return SKFrame{}, errSKNotLast
	}
	sk := SKFrame{First: PayloadType(msg[HeaderLen])}
	if h.NextPayload == PayloadSK {
		sk.AAD, sk.Body = msg[:skHeaderLen:skHeaderLen], msg[skHeaderLen:]
		return sk, nil
	}
	if len(msg) < skfHeaderLen {
		return SKFrame{}, errPayloadShort
	}
	sk.Fragment, sk.Total = binary.BigEndian.Uint16(msg[skHeaderLen:]), binary.BigEndian.Uint16(msg[skHeaderLen+2:])
	switch {
	case sk.Fragment == 0 || sk.Fragment > sk.Total:
		return SKFrame{}, errFragmentNumbers
	case sk.Fragment == 1 && sk.First == NoNextPayload:
		return SKFrame{}, errFragmentFirst
	}
	sk.AAD, sk.Body = msg[:skfHeaderLen:skfHeaderLen], msg[skfHeaderLen:]
	return sk, nil
}

// AppendSKFrame writes the IKE header and the generic header of an SK payload whose body (IV, ciphertext, ICV) will
// have bodyLen octets, with both lengths right: what it writes is the AAD.
func AppendSKFrame(dst []byte, h Header, first PayloadType, bodyLen int) []byte {
	return appendFrame(dst, h, PayloadSK, first, bodyLen)
}

// AppendSKFFrame is AppendSKFrame for fragment number fragment of total, both from 1. first, the type of the first
// payload of the whole message, is written in fragment 1 only (RFC 7383, section 2.5).
func AppendSKFFrame(dst []byte, h Header, first PayloadType, fragment, total uint16, bodyLen int) []byte {
	if fragment == 0 || fragment > total {
		panic(fmt.Sprintf("ike: fragment %d of %d", fragment, total))
	}
	if fragment > 1 {
		first = NoNextPayload
	}
	dst = appendFrame(dst, h, PayloadSKF, first, 4+bodyLen)
	dst = binary.BigEndian.AppendUint16(dst, fragment)
	return binary.BigEndian.AppendUint16(dst, total)
}

// AppendIntAuthA writes the A of an IKE_INTERMEDIATE message, which IKE_AUTH signs together with its plaintext (RFC 9242
// section 3.3.2): both headers as they were on the wire, but with lengths that count the plaintext alone, without IV,
// padding and ICV. aad is that of the message, or of its first fragment: then A is that of the message in one SK.
func AppendIntAuthA(dst, aad []byte, plaintextLen int) []byte {
	start := len(dst)
	dst = append(dst, aad[:skHeaderLen]...)
	a := dst[start:]
	a[16] = byte(PayloadSK)
	binary.BigEndian.PutUint32(a[24:], uint32(skHeaderLen+plaintextLen))
	binary.BigEndian.PutUint16(a[HeaderLen+2:], uint16(payloadHeaderLen+plaintextLen))
	return dst
}

// appendFrame writes both headers; afterHeaders is how many octets follow them to the end of the message.
func appendFrame(dst []byte, h Header, outer, first PayloadType, afterHeaders int) []byte {
	length := payloadHeaderLen + afterHeaders
	if length > 0xffff {
		panic(fmt.Sprintf("ike: %v payload of %d octets, the most is 65535", outer, length))
	}
	h = h.ours()
	h.NextPayload, h.Length = outer, uint32(HeaderLen+length)
	dst = append(h.Append(dst), byte(first), 0)
	return binary.BigEndian.AppendUint16(dst, uint16(length))
}
