package keys

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
)

// From a key exchange to the keys of an IKE SA (RFC 7296, sections 2.14 and 2.18).

// Agreement is everything that decides an IKE SA's keys besides our private value.
type Agreement struct {
	Suite      Suite
	Initiator  bool // we are the SA's initiator
	SPIi, SPIr uint64
	Ni, Nr     []byte
	PeerPublic []byte
	// OldRef is the IKE SA that this one rekeys, whose SK_d and PRF enter (section 2.18); 0 for a first IKE SA.
	OldRef uint64
}

// Agree completes the key exchange of ref and derives the SA's seven keys. They are made once: the same agreement
// again does nothing, and so is cheap to ask for twice; another one is ErrAgreed, and the first stands. After
// ErrBadPublic the half exchange is as before.
//
// An initiator may have several answers to its IKE_SA_INIT request, of which it tries one after the other (W-21): until the
// peer's AUTH was found good, an agreement with a responder of another SPI replaces the keys, at most mostResponders
// times in all. Its private value is not in the vault by then: after a restart the keys that are there stand.
func (k *Keyring) Agree(ref uint64, a Agreement) error {
	if err := a.Suite.Check(); err != nil {
		return err
	}
	digest, s := a.digest(), k.of(ref)
	half, err := s.halfOf(ref, digest, &a)
	if half == nil {
		return err
	}
	half.mu.Lock()
	defer half.mu.Unlock()
	if again, err := s.halfOf(ref, digest, &a); again == nil { // another goroutine was faster
		return err
	}
	gir, err := half.enter(ike.Group(a.Suite.Group), digest, a.PeerPublic)
	if err != nil {
		return err
	}
	defer clear(gir)
	seed, err := k.seed(a, gir)
	if err != nil {
		return err
	}
	defer clear(seed)
	keys := deriveKeys(a, seed)
	defer clear(keys)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.half[ref] != half && s.spare[ref] != half {
		return ErrUnknown // destroyed meanwhile
	}
	s.forgetKeys(ref)
	s.put(ref, entry{suite: a.Suite, initiator: a.Initiator, agreement: digest}, keys)
	if a.Initiator && a.OldRef == 0 {
		half.spirs = append(half.spirs, a.SPIr)
		s.spare[ref] = half
		return nil
	}
	half.wipe()
	return nil
}

// mostResponders is how many responses to one IKE_SA_INIT request are tried.
const mostResponders = 3

// settle forgets the private value behind keys that proved to be the right ones.
func (s *shard) settle(ref uint64) {
	s.mu.Lock()
	spare := s.spare[ref]
	delete(s.spare, ref)
	s.mu.Unlock()
	spare.wipeNow()
}

// halfOf is the half exchange that is to be completed; nil with nil when these very keys are there already.
func (s *shard) halfOf(ref uint64, digest [16]byte, a *Agreement) (*share, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if half := s.half[ref]; half != nil {
		return half, nil
	}
	e, _, err := s.entry(ref)
	switch spare := s.spare[ref]; {
	case err != nil || e.agreement == digest:
		return nil, err
	case spare == nil || !a.Initiator || slices.Contains(spare.spirs, a.SPIr) || len(spare.spirs) == mostResponders:
		return nil, ErrAgreed
	default:
		return spare, nil
	}
}

// enter computes g^ir. A private value enters one agreement only (W-32). The share is locked.
func (h *share) enter(group ike.Group, digest [16]byte, peer []byte) ([]byte, error) {
	if h.gone {
		return nil, ErrUnknown
	}
	if h.group != group {
		return nil, fmt.Errorf("%w: KE %d where the share is of KE %d", ErrUnsupported, group, h.group)
	}
	if h.bound != [16]byte{} && h.bound != digest && len(h.spirs) == 0 {
		return nil, ErrAgreed
	}
	gir, err := h.key.agree(peer)
	if err == nil {
		h.bound = digest
	}
	return gir, err
}

// seed is SKEYSEED, of a first SA or of a rekeyed one.
func (k *Keyring) seed(a Agreement, gir []byte) ([]byte, error) {
	if a.OldRef == 0 {
		return skeyseed(a.Suite.PRF, a.Ni, a.Nr, gir), nil
	}
	old := k.of(a.OldRef)
	old.mu.Lock()
	defer old.mu.Unlock()
	e, l, err := old.entry(a.OldRef)
	if err != nil {
		return nil, fmt.Errorf("the IKE SA to be rekeyed: %w", err)
	}
	return skeyseedRekey(e.suite.PRF, l.d(), gir, a.Ni, a.Nr), nil
}

// deriveKeys is prf+(SKEYSEED, Ni | Nr | SPIi | SPIr) (section 2.14).
func deriveKeys(a Agreement, skeyseed []byte) []byte {
	seed := make([]byte, 0, len(a.Ni)+len(a.Nr)+16)
	seed = append(append(seed, a.Ni...), a.Nr...)
	seed = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(seed, a.SPIi), a.SPIr)
	return prfPlus(a.Suite.PRF, skeyseed, seed, a.Suite.octets())
}

// digest stands for the agreement in the entry and in the vault. Each part has its length before it.
func (a Agreement) digest() (sum [16]byte) {
	b := a.Suite.append(make([]byte, 0, 160+len(a.PeerPublic)))
	role := byte(0)
	if a.Initiator {
		role = 1
	}
	b = append(b, role)
	for _, n := range []uint64{a.SPIi, a.SPIr, a.OldRef} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	full := sha256.Sum256(appendParts(b, a.Ni, a.Nr, a.PeerPublic))
	copy(sum[:], full[:])
	return sum
}

func appendParts(b []byte, parts ...[]byte) []byte {
	for _, part := range parts {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
	}
	return b
}
