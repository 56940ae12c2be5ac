package kernel

import "fmt"

// Which algorithms a Linux kernel's XFRM knows, and how many octets of key each takes. Numbers are
// IANA's IKEv2 transform ids, types 1 and 3.

// Transform ids (type 1) of encryption, as far as kernels know them.
const (
	encr3DES             = 3
	encrNull             = 11
	encrAESCBC           = 12
	encrAESCTR           = 13
	encrAESCCM8          = 14
	encrAESCCM12         = 15
	encrAESCCM16         = 16
	encrAESGCM8          = 18
	encrAESGCM12         = 19
	encrAESGCM16         = 20
	encrNullAESGMAC      = 21
	encrCamelliaCBC      = 23
	encrChaCha20Poly1305 = 28
)

// Transform ids (type 3) of integrity.
const (
	integNone     = 0
	integMD5      = 1
	integSHA1     = 2
	integAESXCBC  = 5
	integAESCMAC  = 8
	integSHA2_256 = 12
	integSHA2_384 = 13
	integSHA2_512 = 14
)

// cipher is one encryption algorithm.
type cipher struct {
	bits []uint16 // key lengths it has, bits; the first is meant where KeyLength is 0 and it is the only one
	salt int      // octets of salt after the key
	aead bool     // brings its own integrity
}

var aesBits = []uint16{128, 192, 256}

// Salts: RFC 3686 section 4 (CTR), RFC 4309 section 7.1 (CCM), RFC 4106 section 8.1 (GCM), RFC 4543
// section 5.4 (GMAC), RFC 7634 section 2 (ChaCha20-Poly1305). RFC 4303 and RFC 2451 for the others.
var ciphers = map[uint16]cipher{
	encr3DES:             {bits: []uint16{192}},
	encrNull:             {bits: []uint16{0}},
	encrAESCBC:           {bits: aesBits},
	encrAESCTR:           {bits: aesBits, salt: 4},
	encrAESCCM8:          {bits: aesBits, salt: 3, aead: true},
	encrAESCCM12:         {bits: aesBits, salt: 3, aead: true},
	encrAESCCM16:         {bits: aesBits, salt: 3, aead: true},
	encrAESGCM8:          {bits: aesBits, salt: 4, aead: true},
	encrAESGCM12:         {bits: aesBits, salt: 4, aead: true},
	encrAESGCM16:         {bits: aesBits, salt: 4, aead: true},
	encrNullAESGMAC:      {bits: aesBits, salt: 4, aead: true},
	encrCamelliaCBC:      {bits: aesBits},
	encrChaCha20Poly1305: {bits: []uint16{256}, salt: 4, aead: true},
}

// integrities maps an integrity algorithm to its key length in octets (RFC 2403, 2404, 3566, 4494, 4868).
var integrities = map[uint16]int{
	integMD5:      16,
	integSHA1:     20,
	integAESXCBC:  16,
	integAESCMAC:  16,
	integSHA2_256: 32,
	integSHA2_384: 48,
	integSHA2_512: 64,
}

// keyOctets is how many octets of encryption key a cipher takes with a Key Length attribute; ok is
// false where it has no such length.
func (c cipher) keyOctets(keyLength uint16) (octets int, ok bool) {
	if keyLength == 0 && len(c.bits) == 1 {
		keyLength = c.bits[0]
	}
	for _, bits := range c.bits {
		if bits == keyLength {
			return int(bits)/8 + c.salt, true
		}
	}
	return 0, false
}

// protection is what a Child SA's algorithms ask of its keys.
type protection struct {
	encr, integ int // octets
}

// protectionOf reads the algorithms. The reason is empty where they can be installed; unknown says
// that it is the algorithm itself the kernel does not have.
func protectionOf(c *Child) (p protection, reason string, unknown bool) {
	integOctets, known := integrities[c.Integ]
	if c.Integ != integNone && !known {
		return p, fmt.Sprintf("no integrity algorithm %d; take it out of the proposal", c.Integ), true
	}
	p.integ = integOctets
	if c.Protocol == AH {
		switch {
		case c.Encr != 0 || c.KeyLength != 0:
			return p, fmt.Sprintf("AH encrypts nothing, and encryption is %d", c.Encr), false
		case c.Integ == integNone:
			return p, "AH without an integrity algorithm", false
		}
		return p, "", false
	}
	cipher, known := ciphers[c.Encr]
	if !known {
		return p, fmt.Sprintf("no encryption algorithm %d; take it out of the proposal", c.Encr), true
	}
	octets, ok := cipher.keyOctets(c.KeyLength)
	switch {
	case !ok:
		return p, fmt.Sprintf("encryption algorithm %d has no keys of %d bits", c.Encr, c.KeyLength), false
	case cipher.aead && c.Integ != integNone:
		return p, fmt.Sprintf("encryption algorithm %d brings its own integrity, and integrity is %d", c.Encr, c.Integ), false
	case !cipher.aead && c.Integ == integNone:
		// RFC 8221, section 4: encryption without integrity must not be used.
		return p, fmt.Sprintf("encryption algorithm %d without integrity", c.Encr), false
	}
	p.encr = octets
	return p, "", false
}
