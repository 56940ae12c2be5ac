package linux

import (
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// encryptions are the kernel's names of IANA's IKEv2 transforms, type 1; icvBits is 0 where it brings no integrity.
var encryptions = map[uint16]struct {
	name    string
	icvBits uint32
}{
	3: {"cbc(des3_ede)", 0}, 11: {"ecb(cipher_null)", 0}, 12: {"cbc(aes)", 0}, 13: {"rfc3686(ctr(aes))", 0},
	14: {"rfc4309(ccm(aes))", 64}, 15: {"rfc4309(ccm(aes))", 96}, 16: {"rfc4309(ccm(aes))", 128},
	18: {"rfc4106(gcm(aes))", 64}, 19: {"rfc4106(gcm(aes))", 96}, 20: {"rfc4106(gcm(aes))", 128},
	21: {"rfc4543(gcm(aes))", 128}, 23: {"cbc(camellia)", 0}, 28: {"rfc7539esp(chacha20,poly1305)", 128},
}

// integrities are those of type 3, and how long the ICV is (RFC 2403, 2404, 3566, 4494, 4868).
var integrities = map[uint16]struct {
	name    string
	icvBits uint32
}{
	1: {"hmac(md5)", 96}, 2: {"hmac(sha1)", 96}, 5: {"xcbc(aes)", 96}, 8: {"cmac(aes)", 96},
	12: {"hmac(sha256)", 128}, 13: {"hmac(sha384)", 192}, 14: {"hmac(sha512)", 256},
}

// protect puts a child's algorithms and the keys of one direction into a state. The child has passed Check, so what is not
// in the tables is what Check knows and they do not.
func protect(s *xfrm.State, child *kernel.Child, keys kernel.Keys) *kernel.Refusal {
	if child.Protocol == kernel.ESP {
		e, ok := encryptions[child.Encr]
		if !ok {
			return refuse(kernel.OpInstall, syscall.ENOSYS, child.InboundSPI, "no name for encryption algorithm %d; take it out of the proposal", child.Encr)
		}
		a := &xfrm.Algorithm{Name: e.name, Key: xfrm.KeyOf(keys.EncrKey), ICVBits: e.icvBits}
		if e.icvBits != 0 {
			s.AEAD = a
			return nil
		}
		s.Encryption = a
	}
	i, ok := integrities[child.Integ]
	if !ok {
		return refuse(kernel.OpInstall, syscall.ENOSYS, child.InboundSPI, "no name for integrity algorithm %d; take it out of the proposal", child.Integ)
	}
	s.Integrity = &xfrm.Algorithm{Name: i.name, Key: xfrm.KeyOf(keys.IntegKey), ICVBits: i.icvBits}
	return nil
}
