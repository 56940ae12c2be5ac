package ike

import "encoding/binary"

// The Key Exchange payload (RFC 7296, section 3.4). Whether the data is a good public of its group is the keyring's to
// say (RFC 6989): here it is octets.

// KeyExchange is one side's public, of the method named.
type KeyExchange struct {
	Group Group
	Data  []byte
}

const errKEShort = Malformed("KE payload cut short")

// ParseKeyExchange reads a KE payload's body. Empty data is well formed and is no group's public.
func ParseKeyExchange(body []byte) (KeyExchange, error) {
	if len(body) < 4 {
		return KeyExchange{}, errKEShort
	}
	return KeyExchange{Group: Group(binary.BigEndian.Uint16(body)), Data: body[4:]}, nil
}

// PayloadType is KE.
func (KeyExchange) PayloadType() PayloadType { return PayloadKE }

// AppendBody writes the KE payload.
func (k KeyExchange) AppendBody(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(k.Group))
	return append(append(dst, 0, 0), k.Data...)
}
