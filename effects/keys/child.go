package keys

import (
	"crypto/sha256"
	"fmt"

	"github.com/ikejd/ikejd/proto/ike"
)

// Keys of Child SAs (RFC 7296, section 2.17).

// ChildInput is what decides a pair of Child SAs' keys. ShareRef and PeerPublic are set when the CREATE_CHILD_SA
// exchange had a key exchange of its own; ShareRef is then destroyed by the caller when the exchange is over.
type ChildInput struct {
	Ni, Nr                 []byte // of the exchange that makes the child: IKE_SA_INIT's for the first
	Encr, KeyLength, Integ uint16
	ShareRef               uint64
	PeerPublic             []byte
}

// ChildKeys are the keys of both directions: Initiator's protect what the exchange's initiator sends. Encr ends in the
// salt where the cipher has one, as the kernel wants it. They are secrets; the caller wipes them.
type ChildKeys struct {
	InitiatorEncr, InitiatorInteg []byte
	ResponderEncr, ResponderInteg []byte
}

// ChildKeys derives KEYMAT under the IKE SA of ref. Its order (section 2.17): first all of the initiator's direction,
// encryption before integrity, then the responder's. Asked again it gives the same.
func (k *Keyring) ChildKeys(ref uint64, in ChildInput) (ChildKeys, error) {
	if err := in.check(); err != nil {
		return ChildKeys{}, err
	}
	var gir []byte
	if in.ShareRef != 0 {
		var err error
		if gir, err = k.childSecret(in); err != nil {
			return ChildKeys{}, err
		}
		defer clear(gir)
	}
	s := k.of(ref)
	s.mu.Lock()
	e, l, err := s.entry(ref)
	if err != nil {
		s.mu.Unlock()
		return ChildKeys{}, err
	}
	prf, d := e.suite.PRF, append([]byte(nil), l.d()...)
	s.mu.Unlock()
	defer clear(d)

	encr, integ := encrKeyOctets(in.Encr, in.KeyLength), integs[in.Integ].key
	all := keymat(prf, d, gir, in.Ni, in.Nr, 2*(encr+integ))
	cut := func(n int) []byte {
		part := all[:n:n]
		all = all[n:]
		return part
	}
	return ChildKeys{cut(encr), cut(integ), cut(encr), cut(integ)}, nil
}

func (in ChildInput) check() error {
	switch {
	case !Supported(ike.TransformENCR, in.Encr, in.KeyLength):
		return fmt.Errorf("%w: ENCR %d with key length %d", ErrUnsupported, in.Encr, in.KeyLength)
	case !Supported(ike.TransformINTEG, in.Integ, 0):
		return fmt.Errorf("%w: INTEG %d", ErrUnsupported, in.Integ)
	case (ciphers[in.Encr].icv != 0) != (in.Integ == ike.IntegNone):
		return fmt.Errorf("%w: ENCR %d together with INTEG %d", ErrUnsupported, in.Encr, in.Integ)
	}
	return nil
}

// Exchange does the key exchange of a Child SA to be, so that a bad public value is found before anything is installed. Its
// private value enters no other one from then on.
func (k *Keyring) Exchange(ref uint64, ni, nr, peerPublic []byte) error {
	gir, err := k.childSecret(ChildInput{Ni: ni, Nr: nr, ShareRef: ref, PeerPublic: peerPublic})
	clear(gir)
	return err
}

// childSecret is g^ir of the child's own key exchange.
func (k *Keyring) childSecret(in ChildInput) ([]byte, error) {
	s := k.of(in.ShareRef)
	s.mu.Lock()
	half := s.half[in.ShareRef]
	s.mu.Unlock()
	if half == nil {
		return nil, fmt.Errorf("the Child SA's key exchange: %w", ErrUnknown)
	}
	half.mu.Lock()
	defer half.mu.Unlock()
	var digest [16]byte
	full := sha256.Sum256(appendParts([]byte("child"), in.Ni, in.Nr, in.PeerPublic))
	copy(digest[:], full[:])
	if half.secret != nil && half.bound == digest {
		return append([]byte(nil), half.secret...), nil
	}
	gir, err := half.enter(half.group, digest, in.PeerPublic)
	if err == nil {
		half.secret = append([]byte(nil), gir...)
	}
	return gir, err
}
