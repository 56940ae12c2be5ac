package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"fmt"

	"github.com/ikejd/ikejd/proto/ike"
)

// Reading captures of other daemons, with keys that came with them. Everything here only opens. Nothing here is in
// the tables of suite.go, so that Supported knows none of it and no SA of ours can ever run on it; a test says so.

// Foreign is one direction of somebody's IKE SA: transform identifiers, SK_e with its salt, SK_a.
type Foreign struct {
	Encr, Integ       uint16
	EncrKey, IntegKey []byte
}

// foreignCiphers adds to ciphers: RFC 4106 and 5282 with shorter ICVs and CCM, RFC 5930, RFC 2451.
var foreignCiphers = map[uint16]cipherShape{
	ike.EncrAESGCM8:  {salt: 4, iv: 8, icv: 8, block: 1},
	ike.EncrAESGCM12: {salt: 4, iv: 8, icv: 12, block: 1},
	ike.EncrAESCCM8:  {salt: 3, iv: 8, icv: 8, block: 1},
	ike.EncrAESCCM12: {salt: 3, iv: 8, icv: 12, block: 1},
	ike.EncrAESCCM16: {salt: 3, iv: 8, icv: 16, block: 1},
	ike.EncrAESCTR:   {salt: 4, iv: 8, block: 1},
	ike.Encr3DES:     {iv: 8, block: 8},
}

// foreignIntegs adds to integs: RFC 2404, and HMAC-SHA-1 uncut as RFC 4595 has it.
var foreignIntegs = map[uint16]integShape{
	ike.IntegHMACSHA1_96:  {20, 12},
	ike.IntegHMACSHA1_160: {20, 20},
}

// OpenForeign opens a message under keys from outside. It checks what Keyring.Open checks, with the same errors.
func OpenForeign(f Foreign, msg []byte) (first ike.PayloadType, plaintext []byte, err error) {
	_, frame, err := parse(msg)
	if err != nil {
		return 0, nil, err
	}
	protect, err := f.opener()
	if err != nil {
		return 0, nil, err
	}
	plaintext, err = open(protect, msg, len(frame.AAD))
	return frame.First, plaintext, err
}

func (f Foreign) opener() (opener, error) {
	form, ok := foreignCiphers[f.Encr]
	if !ok {
		form, ok = ciphers[f.Encr]
	}
	if !ok || len(f.EncrKey) <= form.salt {
		return nil, fmt.Errorf("%w: ENCR %d with %d octets of key", ErrUnsupported, f.Encr, len(f.EncrKey))
	}
	key, salt := f.EncrKey[:len(f.EncrKey)-form.salt], f.EncrKey[len(f.EncrKey)-form.salt:]
	if own := (Suite{Encr: f.Encr}); f.Encr == ike.EncrChaCha20Poly1305 && len(f.EncrKey) == encrKeyOctets(f.Encr, 0) {
		return newProtector(own, f.EncrKey, nil), nil
	}
	var block cipher.Block
	var err error
	if f.Encr == ike.Encr3DES {
		block, err = des.NewTripleDESCipher(key)
	} else {
		block, err = aes.NewCipher(key)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: ENCR %d: %w", ErrUnsupported, f.Encr, err)
	}
	return foreignFor(f, form, block, salt)
}

// foreignFor puts cipher and integrity together.
func foreignFor(f Foreign, form cipherShape, block cipher.Block, salt []byte) (opener, error) {
	switch f.Encr {
	case ike.EncrAESGCM8, ike.EncrAESGCM12, ike.EncrAESGCM16:
		return newSalted(shortGCM{block, form.icv}, form, salt), nil
	case ike.EncrAESCCM8, ike.EncrAESCCM12, ike.EncrAESCCM16:
		return newSalted(ccm{block, form.icv}, form, salt), nil
	}
	mac, ok := foreignIntegs[f.Integ]
	if !ok {
		mac, ok = integs[f.Integ]
	}
	if !ok {
		return nil, fmt.Errorf("%w: INTEG %d", ErrUnsupported, f.Integ)
	}
	return &foreign{f, form, mac.icv, block, salt}, nil
}

// foreign is a cipher without integrity of its own, and an HMAC.
type foreign struct {
	Foreign
	form   cipherShape
	icvLen int
	block  cipher.Block
	salt   []byte
}

func (f *foreign) shape() cipherShape { return f.form }
func (f *foreign) icv() int           { return f.icvLen }

func (f *foreign) open(message []byte, at int) ([]byte, error) {
	body, end := at+f.form.iv, len(message)-f.icvLen
	if !hmac.Equal(f.mac(message[:end]), message[end:]) {
		return nil, ErrICV
	}
	plain := make([]byte, end-body)
	if f.Encr == ike.EncrAESCTR {
		// RFC 5930, section 2: nonce from the keying material, IV, a block counter that begins at 1.
		var counter [16]byte
		copy(counter[copy(counter[:], f.salt):], message[at:body])
		counter[15] = 1
		cipher.NewCTR(f.block, counter[:]).XORKeyStream(plain, message[body:end])
		return plain, nil
	}
	cipher.NewCBCDecrypter(f.block, message[at:body]).CryptBlocks(plain, message[body:end])
	return plain, nil
}

func (f *foreign) mac(data []byte) []byte {
	if _, sha1Based := foreignIntegs[f.Integ]; !sha1Based {
		return macOf(f.Integ, f.IntegKey, data)
	}
	mac := hmac.New(sha1.New, f.IntegKey)
	mac.Write(data)
	return mac.Sum(nil)[:f.icvLen]
}

// shortGCM is GCM with a tag of 8, 12 or 16 octets; the standard library has no 8. It opens by sealing again: the
// keystream begins at block 2, and the tag is the front of the whole one (SP 800-38D, section 7).
type shortGCM struct {
	block cipher.Block
	tag   int
}

func (shortGCM) NonceSize() int  { return 12 }
func (g shortGCM) Overhead() int { return g.tag }

func (g shortGCM) Seal(dst, nonce, plaintext, aad []byte) []byte {
	whole, err := cipher.NewGCM(g.block)
	if err != nil {
		panic(err)
	}
	sealed := whole.Seal(nil, nonce, plaintext, aad)
	return append(dst, sealed[:len(plaintext)+g.tag]...)
}

func (g shortGCM) Open(dst, nonce, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < g.tag {
		return nil, ErrICV
	}
	var counter [16]byte
	copy(counter[:], nonce)
	counter[15] = 2
	plain := make([]byte, len(sealed)-g.tag)
	cipher.NewCTR(g.block, counter[:]).XORKeyStream(plain, sealed[:len(plain)])
	if subtle.ConstantTimeCompare(g.Seal(nil, nonce, plain, aad), sealed) != 1 {
		return nil, ErrICV
	}
	return append(dst, plain...), nil
}
