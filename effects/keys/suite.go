package keys

import (
	"fmt"
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
)

// Suite is what an IKE SA negotiated: transform identifiers, and KeyLength in bits as its attribute had it (0 where
// the transform takes none). The zero Integ goes with an AEAD.
type Suite struct {
	Encr, KeyLength, PRF, Integ, Group uint16
}

// cipherShape is what RFC 3602, 4106, 5282 and 7634 fix for one encryption transform. Lengths in octets.
type cipherShape struct {
	keyBits []uint16 // allowed Key Length attributes; nil: the transform has none
	key     int      // key length where there is no attribute
	salt    int      // octets of keying material after the key
	iv      int      // explicit IV in the payload
	icv     int      // 0: not an AEAD, the ICV is the integrity transform's
	block   int      // ciphertext is a multiple of this
}

// Only what may be negotiated. AES-192 is there for those who ask for it; nothing proposes it by default.
var ciphers = map[uint16]cipherShape{
	ike.EncrAESCBC:           {keyBits: []uint16{128, 192, 256}, iv: 16, block: 16},
	ike.EncrAESGCM16:         {keyBits: []uint16{128, 192, 256}, salt: 4, iv: 8, icv: 16, block: 1},
	ike.EncrChaCha20Poly1305: {key: 32, salt: 4, iv: 8, icv: 16, block: 1},
}

// integShape is RFC 4868: the key is as long as the hash's output, the ICV half of it.
type integShape struct{ key, icv int }

var integs = map[uint16]integShape{
	ike.IntegHMACSHA2_256_128: {32, 16},
	ike.IntegHMACSHA2_384_192: {48, 24},
	ike.IntegHMACSHA2_512_256: {64, 32},
}

// prfLength is both the preferred key length and the output length of an HMAC PRF (RFC 7296, section 2.13), in
// octets; 0 for a PRF that may not be negotiated.
func prfLength(prf uint16) int {
	switch prf {
	case ike.PRFHMACSHA2_256:
		return 32
	case ike.PRFHMACSHA2_384:
		return 48
	case ike.PRFHMACSHA2_512:
		return 64
	}
	return 0
}

// Supported tells whether this binary can compute with a transform: type (1 ENCR, 2 PRF, 3 INTEG, 4 KE, 5 SN), id
// and Key Length attribute in bits (0: none). Whatever it refuses must neither be proposed nor chosen (PROTOCOL.md,
// N-21). INTEG NONE and KE NONE are supported, since there is nothing to compute; where they may stand is for the
// caller, or for Suite.Check.
func Supported(transform ike.TransformType, id, keyLength uint16) bool {
	if transform == ike.TransformENCR {
		shape, ok := ciphers[id]
		if !ok {
			return false
		}
		return slices.Contains(shape.keyBits, keyLength) || shape.keyBits == nil && keyLength == 0
	}
	if keyLength != 0 {
		return false
	}
	switch transform {
	case ike.TransformPRF:
		return prfLength(id) != 0
	case ike.TransformINTEG:
		_, ok := integs[id]
		return ok || id == ike.IntegNone
	case ike.TransformKE:
		_, ok := groups[ike.Group(id)]
		return ok || id == uint16(ike.GroupNone)
	case ike.TransformSN:
		return id == ike.SN32 || id == ike.SN64
	}
	return false
}

// Check refuses a suite that an IKE SA cannot run on: a transform that is not compiled in, an AEAD with an integrity
// transform (RFC 5282, section 8) or a cipher without one, no key exchange.
func (s Suite) Check() error {
	switch {
	case !Supported(ike.TransformENCR, s.Encr, s.KeyLength):
		return fmt.Errorf("%w: ENCR %d with key length %d", ErrUnsupported, s.Encr, s.KeyLength)
	case !Supported(ike.TransformPRF, s.PRF, 0):
		return fmt.Errorf("%w: PRF %d", ErrUnsupported, s.PRF)
	case !Supported(ike.TransformINTEG, s.Integ, 0):
		return fmt.Errorf("%w: INTEG %d", ErrUnsupported, s.Integ)
	case !Supported(ike.TransformKE, s.Group, 0) || s.Group == uint16(ike.GroupNone):
		return fmt.Errorf("%w: KE %d", ErrUnsupported, s.Group)
	case (ciphers[s.Encr].icv != 0) != (s.Integ == ike.IntegNone):
		return fmt.Errorf("%w: ENCR %d together with INTEG %d", ErrUnsupported, s.Encr, s.Integ)
	}
	return nil
}

// encrKeyOctets is how much keying material one direction of a cipher takes, its salt included.
func encrKeyOctets(encr, keyLength uint16) int {
	shape := ciphers[encr]
	if shape.keyBits == nil {
		return shape.key + shape.salt
	}
	return int(keyLength)/8 + shape.salt
}
