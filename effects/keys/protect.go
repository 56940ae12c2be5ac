package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"github.com/ikejd/ikejd/proto/ike"
	"golang.org/x/crypto/chacha20poly1305"
)

// Protection of SK and SKF payloads (RFC 7296, section 3.14; RFC 5282 and 7634 for AEADs; RFC 7383 for fragments).

// protector protects one direction of an IKE SA. It is safe for several goroutines at once. A message is given
// whole; at is where its explicit IV begins, that is, the end of the SK header (of an SKF: of its fragment numbers).
type protector interface {
	opener
	// seal encrypts message in place. Its IV field holds the eight octets of ivOf, its plaintext is padded.
	seal(message []byte, at int)
}

// opener is the half of it that reading a capture needs.
type opener interface {
	shape() cipherShape
	// icv is the length of the integrity check value at the end of a message.
	icv() int
	// open checks the ICV, then decrypts into a new slice, padding and all. It leaves message as it is: the journal
	// keeps the datagram. The caller has checked the lengths.
	open(message []byte, at int) ([]byte, error)
}

// newProtector makes the protector for one direction from SK_e (salt included) and SK_a (empty for an AEAD). The
// suite has been checked, so that anything unknown is our mistake.
func newProtector(suite Suite, encrKey, integKey []byte) protector {
	shape := ciphers[suite.Encr]
	key, salt := encrKey[:len(encrKey)-shape.salt], encrKey[len(encrKey)-shape.salt:]
	switch suite.Encr {
	case ike.EncrAESGCM16:
		aead, err := cipher.NewGCM(newAES(key))
		if err != nil {
			panic(err)
		}
		return newSalted(aead, shape, salt)
	case ike.EncrChaCha20Poly1305:
		aead, err := chacha20poly1305.New(key)
		if err != nil {
			panic(err)
		}
		return newSalted(aead, shape, salt)
	case ike.EncrAESCBC:
		return &chained{newAES(key), suite.Integ, append([]byte(nil), integKey...)}
	}
	panic(fmt.Sprintf("keys: ENCR %d passed its check and has no protector", suite.Encr))
}

func newAES(key []byte) cipher.Block {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	return block
}

// salted is an AEAD whose nonce is the salt and the explicit IV, and whose associated data is the message up to that
// IV (RFC 5282, sections 4 and 5.1).
type salted struct {
	aead  cipher.AEAD
	form  cipherShape
	nonce [4]byte // the salt: at most 4 octets, form.salt of them
}

func newSalted(aead cipher.AEAD, form cipherShape, salt []byte) *salted {
	s := &salted{aead: aead, form: form}
	copy(s.nonce[:], salt)
	return s
}

func (s *salted) shape() cipherShape { return s.form }
func (s *salted) icv() int           { return s.form.icv }

func (s *salted) nonceFor(iv []byte) (nonce [12]byte) {
	copy(nonce[:], s.nonce[:s.form.salt])
	copy(nonce[s.form.salt:], iv)
	return nonce
}

func (s *salted) seal(message []byte, at int) {
	body := at + s.form.iv
	nonce := s.nonceFor(message[at:body])
	plain := message[body : len(message)-s.form.icv]
	s.aead.Seal(message[:body], nonce[:s.form.salt+s.form.iv], plain, message[:at])
}

func (s *salted) open(message []byte, at int) ([]byte, error) {
	body := at + s.form.iv
	nonce := s.nonceFor(message[at:body])
	plain, err := s.aead.Open(nil, nonce[:s.form.salt+s.form.iv], message[body:], message[:at])
	if err != nil {
		return nil, ErrICV
	}
	return plain, nil
}

// chained is AES-CBC with an HMAC over everything before the ICV (section 3.14: encrypt, then MAC).
type chained struct {
	block cipher.Block
	integ uint16
	mac   []byte
}

func (c *chained) shape() cipherShape { return ciphers[ike.EncrAESCBC] }
func (c *chained) icv() int           { return integs[c.integ].icv }

func (c *chained) seal(message []byte, at int) {
	body, end := at+aes.BlockSize, len(message)-c.icv()
	// A CBC IV must not be predictable: SP 800-38A, appendix C, has it made by the cipher, under the same key, from a
	// block that never comes twice. Ours is the eight octets of ivOf and eight zeros.
	iv := message[at:body]
	c.block.Encrypt(iv, iv)
	cipher.NewCBCEncrypter(c.block, iv).CryptBlocks(message[body:end], message[body:end])
	copy(message[end:], macOf(c.integ, c.mac, message[:end]))
}

func (c *chained) open(message []byte, at int) ([]byte, error) {
	body, end := at+aes.BlockSize, len(message)-c.icv()
	if !hmac.Equal(macOf(c.integ, c.mac, message[:end]), message[end:]) {
		return nil, ErrICV
	}
	plain := make([]byte, end-body)
	cipher.NewCBCDecrypter(c.block, message[at:body]).CryptBlocks(plain, message[body:end])
	return plain, nil
}

// macOf is the ICV of RFC 4868 over data: HMAC, cut to half.
func macOf(integ uint16, key, data []byte) []byte {
	var newHash func() hash.Hash
	switch integ {
	case ike.IntegHMACSHA2_256_128:
		newHash = sha256.New
	case ike.IntegHMACSHA2_384_192:
		newHash = sha512.New384
	case ike.IntegHMACSHA2_512_256:
		newHash = sha512.New
	default:
		panic(fmt.Sprintf("keys: INTEG %d passed its check and has no MAC", integ))
	}
	mac := hmac.New(newHash, key)
	mac.Write(data)
	return mac.Sum(nil)[:integs[integ].icv]
}
