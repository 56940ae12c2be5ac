package keys

import (
	"crypto/hmac"
	"fmt"
)

// The AUTH payload (RFC 7296, section 2.15).

// AuthInput is what one end signs to prove itself.
type AuthInput struct {
	ForInitiator bool   // the AUTH value is that of the SA's initiator, ours or the peer's
	RealMessage  []byte // that end's IKE_SA_INIT message as it was sent, from the header's first octet
	PeerNonce    []byte // the nonce of the *other* end
	IDBody       []byte // that end's ID payload after its generic header: type, three reserved octets, data
	PSK          []byte
}

// keyPad is added so that a PSK need not be kept in clear (section 2.15): 17 ASCII octets, without a final zero.
const keyPad = "Key Pad for IKEv2"

// Auth is the shared-key AUTH value:
//
//	prf( prf(Shared Secret, "Key Pad for IKEv2"), RealMessage | PeerNonce | prf(SK_p, IDBody) )
func (k *Keyring) Auth(ref uint64, in AuthInput) ([]byte, error) {
	s := k.of(ref)
	s.mu.Lock()
	e, l, err := s.entry(ref)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	prf, proof := e.suite.PRF, append([]byte(nil), l.proof(in.ForInitiator)...)
	s.mu.Unlock()
	defer clear(proof)
	if len(in.PSK) == 0 {
		return nil, fmt.Errorf("the pre-shared key is empty; give its secret at least one octet")
	}
	return authValue(prf, proof, in), nil
}

func authValue(prf uint16, proof []byte, in AuthInput) []byte {
	padded := prfOf(prf, in.PSK, []byte(keyPad))
	defer clear(padded)
	return prfOf(prf, padded, in.RealMessage, in.PeerNonce, prfOf(prf, proof, in.IDBody))
}

// CheckAuth tells whether got is the AUTH value that in asks for, in a time that does not say how much of it is. An
// SA without keys proves nothing. Where it is, the private value that an initiator's keys came of is forgotten.
func (k *Keyring) CheckAuth(ref uint64, in AuthInput, got []byte) (ok bool) {
	want, err := k.Auth(ref, in)
	if ok = err == nil && hmac.Equal(want, got); ok {
		k.of(ref).settle(ref)
	}
	return ok
}
