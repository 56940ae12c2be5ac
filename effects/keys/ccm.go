package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// ccm is AES-CCM as IKE has it (RFC 5282, RFC 4309): a nonce of 11 octets, a length field of 4, a tag of 8, 12 or 16;
// RFC 3610 is the mode itself. For captures only.
type ccm struct {
	block cipher.Block
	tag   int
}

func (ccm) NonceSize() int  { return 11 }
func (c ccm) Overhead() int { return c.tag }

// lengthField is what the nonce leaves of a block after its flags octet (L in RFC 3610).
const lengthField = 4

// mac is CBC-MAC over B_0, the associated data with its length before it, and the plaintext, each filled with zeros to
// whole blocks (RFC 3610, section 2.2).
func (c ccm) mac(nonce, plaintext, aad []byte) (x [16]byte) {
	flags := byte(c.tag-2)/2<<3 | lengthField - 1
	if len(aad) > 0 {
		flags |= 0x40
	}
	b := append(append(make([]byte, 0, 64+len(aad)+len(plaintext)), flags), nonce...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(plaintext)))
	if len(aad) > 0 {
		b = fillBlock(append(binary.BigEndian.AppendUint16(b, uint16(len(aad))), aad...))
	}
	b = fillBlock(append(b, plaintext...))
	for ; len(b) > 0; b = b[aes.BlockSize:] {
		subtle.XORBytes(x[:], x[:], b)
		c.block.Encrypt(x[:], x[:])
	}
	return x
}

func fillBlock(b []byte) []byte {
	return append(b, zeros[:(aes.BlockSize-len(b)%aes.BlockSize)%aes.BlockSize]...)
}

// crypt is the keystream of section 2.3: block 0 is for the tag, the rest for the message.
func (c ccm) crypt(nonce, message []byte, tag *[16]byte) []byte {
	var counter [16]byte
	counter[0] = lengthField - 1
	copy(counter[1:], nonce)
	stream := cipher.NewCTR(c.block, counter[:])
	stream.XORKeyStream(tag[:], tag[:])
	out := make([]byte, len(message))
	stream.XORKeyStream(out, message)
	return out
}

func (c ccm) Seal(dst, nonce, plaintext, aad []byte) []byte {
	tag := c.mac(nonce, plaintext, aad)
	sealed := c.crypt(nonce, plaintext, &tag)
	return append(append(dst, sealed...), tag[:c.tag]...)
}

func (c ccm) Open(dst, nonce, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < c.tag {
		return nil, ErrICV
	}
	var got [16]byte
	end := len(sealed) - c.tag
	copy(got[:], sealed[end:])
	plain := c.crypt(nonce, sealed[:end], &got)
	want := c.mac(nonce, plain, aad)
	if subtle.ConstantTimeCompare(want[:c.tag], got[:c.tag]) != 1 {
		return nil, ErrICV
	}
	return append(dst, plain...), nil
}
