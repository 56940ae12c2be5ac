package keys

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"github.com/ikejd/ikejd/proto/ike"
)

// Key derivation (RFC 7296, sections 2.13, 2.14, 2.17, 2.18).

// newPRF is a PRF keyed with key; nil for an id we do not compute. HMAC takes keys of any length.
func newPRF(prf uint16, key []byte) hash.Hash {
	switch prf {
	case ike.PRFHMACSHA1:
		return hmac.New(sha1.New, key)
	case ike.PRFHMACSHA2_256:
		return hmac.New(sha256.New, key)
	case ike.PRFHMACSHA2_384:
		return hmac.New(sha512.New384, key)
	case ike.PRFHMACSHA2_512:
		return hmac.New(sha512.New, key)
	}
	return nil
}

// prfOf is prf(key, parts[0] | parts[1] | ...).
func prfOf(prf uint16, key []byte, parts ...[]byte) []byte {
	mac := newPRF(prf, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// prfPlus is the first n octets of prf+(key, seed) (section 2.13):
//
//	T1 = prf(K, S | 0x01), T2 = prf(K, T1 | S | 0x02), ...
//
// The counter is one octet and section 2.13 ends it at 255 blocks. No suite of ours comes near: more is our mistake.
func prfPlus(prf uint16, key, seed []byte, n int) []byte {
	mac := newPRF(prf, key)
	if n > 255*mac.Size() {
		panic("keys: prf+ asked for more than 255 blocks")
	}
	out := make([]byte, 0, n+mac.Size())
	for block := byte(1); len(out) < n; block++ {
		mac.Reset()
		if len(out) > 0 {
			mac.Write(out[len(out)-mac.Size():])
		}
		mac.Write(seed)
		mac.Write([]byte{block})
		out = mac.Sum(out)
	}
	clear(out[n:cap(out)])
	return out[:n]
}

// skeyseed of a first IKE SA is prf(Ni | Nr, g^ir) (section 2.14). A PRF with a key of fixed length would take half
// of it from each nonce; HMAC takes both whole.
func skeyseed(prf uint16, ni, nr, gir []byte) []byte {
	key := make([]byte, 0, len(ni)+len(nr))
	return prfOf(prf, append(append(key, ni...), nr...), gir)
}

// skeyseedRekey is prf(SK_d (old), g^ir (new) | Ni | Nr) (section 2.18). It is the *old* SA's PRF: the exchange
// belongs to that one.
func skeyseedRekey(oldPRF uint16, oldSKd, gir, ni, nr []byte) []byte {
	return prfOf(oldPRF, oldSKd, gir, ni, nr)
}

// keymat is prf+(SK_d, [g^ir (new)] | Ni | Nr) (section 2.17); gir is empty without a key exchange of its own.
func keymat(prf uint16, skd, gir, ni, nr []byte, n int) []byte {
	seed := make([]byte, 0, len(gir)+len(ni)+len(nr))
	seed = append(append(append(seed, gir...), ni...), nr...)
	out := prfPlus(prf, skd, seed, n)
	clear(seed)
	return out
}
