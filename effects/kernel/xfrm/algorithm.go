package xfrm

import (
	"bytes"
	"fmt"

	"github.com/vishvananda/netlink/nl"
)

// nameOctets is the room for the name of an algorithm, its ending 0 included.
const nameOctets = 64

// Algorithm is how a state protects: a name of the kernel's crypto, as /proc/crypto has it, and a key. ICVBits is how long
// the integrity check value is; encryption without integrity has none.
type Algorithm struct {
	Name    string
	Key     Key
	ICVBits uint32
}

// writeAlgorithms writes XFRMA_ALG_CRYPT (struct xfrm_algo), XFRMA_ALG_AUTH_TRUNC (struct xfrm_algo_auth) and
// XFRMA_ALG_AEAD (struct xfrm_algo_aead), which is all that the kernel needs: XFRMA_ALG_AUTH has no length of the ICV,
// and with it HMAC-SHA2-256 would get the 96 bits of a draft instead of the 128 of RFC 4868.
func (s *State) writeAlgorithms(w *writer) {
	for _, a := range []struct {
		kind      uint16
		algorithm *Algorithm
	}{{nl.XFRMA_ALG_CRYPT, s.Encryption}, {nl.XFRMA_ALG_AUTH_TRUNC, s.Integrity}, {nl.XFRMA_ALG_AEAD, s.AEAD}} {
		if a.algorithm == nil {
			continue
		}
		w.attr(a.kind, func() {
			var name [nameOctets]byte
			copy(name[:nameOctets-1], a.algorithm.Name)
			w.b = append(w.b, name[:]...)
			w.u32(uint32(8 * a.algorithm.Key.Len()))
			if a.kind != nl.XFRMA_ALG_CRYPT {
				w.u32(a.algorithm.ICVBits)
			}
			w.b = append(w.b, a.algorithm.Key.bytes()...)
		})
	}
}

// readAlgorithm reads one of them, the key a copy.
func readAlgorithm(r *reader, withICV bool) (*Algorithm, error) {
	name, _, _ := bytes.Cut(r.take(nameOctets), []byte{0})
	a := &Algorithm{Name: string(name)}
	bits := r.u32()
	if withICV {
		a.ICVBits = r.u32()
	}
	octets := (uint64(bits) + 7) / 8
	if octets > uint64(len(r.b)) {
		return nil, fmt.Errorf("a key of %d bits: %w", bits, errShort)
	}
	a.Key = KeyOf(bytes.Clone(r.take(int(octets))))
	return a, nil
}
