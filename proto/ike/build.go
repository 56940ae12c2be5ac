package ike

import (
	"encoding/binary"
	"fmt"
)

// Writing messages (RFC 7296, sections 3.1 and 3.2). The critical bit is never set: all our payloads are in RFC 7296,
// and of those it says nothing (section 2.5). Reserved bits and octets are 0.

// Body is a payload's body that can be written. Every payload type of this package is one.
type Body interface {
	PayloadType() PayloadType
	AppendBody(dst []byte) []byte
}

// count8 is n as the octet it must fit into on the wire. What we build is ours: too much of it is a broken invariant.
func count8(n int, what string) uint8 {
	if n > 0xff {
		panic(fmt.Sprintf("ike: %d %s, the most is 255", n, what))
	}
	return uint8(n)
}

// AppendPayloads writes the bodies as a chain, with their generic headers, and gives the type of the first, which
// belongs into the header before it: the IKE header's or an Encrypted payload's Next Payload. No bodies are an empty
// chain, as in `IN {}`. A body over 65,531 octets is the caller's mistake, and panics.
func AppendPayloads(dst []byte, bodies ...Body) (first PayloadType, out []byte) {
	for i, body := range bodies {
		next := NoNextPayload
		if i+1 < len(bodies) {
			next = bodies[i+1].PayloadType()
		}
		start := len(dst)
		dst = body.AppendBody(append(dst, byte(next), 0, 0, 0))
		length := len(dst) - start
		if length > 0xffff {
			panic(fmt.Sprintf("ike: %v payload of %d octets, the most is 65535", body.PayloadType(), length))
		}
		binary.BigEndian.PutUint16(dst[start+2:], uint16(length))
	}
	if len(bodies) == 0 {
		return NoNextPayload, dst
	}
	return bodies[0].PayloadType(), dst
}

// AppendMessage writes an unprotected message: h with version, Next Payload and Length set, then the payloads.
func AppendMessage(dst []byte, h Header, bodies ...Body) []byte {
	start := len(dst)
	dst = h.ours().Append(dst)
	first, dst := AppendPayloads(dst, bodies...)
	dst[start+16] = byte(first)
	binary.BigEndian.PutUint32(dst[start+24:], uint32(len(dst)-start))
	return dst
}
