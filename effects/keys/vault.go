package keys

import (
	"encoding/binary"
	"fmt"

	"github.com/ikejd/ikejd/proto/ike"
)

// The vault: what is under a reference, sealed under an epoch key, written in the transaction of the step that made
// it. Which ids were sealed is not in it: what a crash took before it was durable was never on the wire, so that id
// may be sealed again (DESIGN.md, "Sealing").

// The first octet of an entry.
const (
	entryHalf   = 1 // KE group (2), bound (16), private value
	entryAgreed = 2 // suite (10), initiator (1), agreement (16), the keys as in layout
)

const agreedHead = 1 + 10 + 1 + 16

// Export seals what is under a reference, half a key exchange or agreed keys, for the vault. It is cheap enough to be
// done at each step of a handshake.
func (k *Keyring) Export(ref uint64) (sealed []byte, err error) {
	var room [agreedHead + len(largeEntry{}.keys)]byte
	defer clear(room[:])
	plain, err := k.of(ref).appendEntry(room[:0], ref)
	if err != nil {
		return nil, err
	}
	return k.epochs.seal(ref, plain)
}

// appendEntry waits for a key exchange that is under way, so that what it writes is one or the other.
func (s *shard) appendEntry(dst []byte, ref uint64) ([]byte, error) {
	s.mu.Lock()
	half := s.half[ref]
	if half == nil {
		defer s.mu.Unlock()
		e, l, err := s.entry(ref)
		if err != nil {
			return nil, err
		}
		return e.append(dst, l), nil
	}
	s.mu.Unlock()
	half.mu.Lock()
	if !half.gone {
		defer half.mu.Unlock()
		return half.append(dst), nil
	}
	half.mu.Unlock()
	return s.appendEntry(dst, ref) // agreed or destroyed meanwhile: it is half no more
}

func (h *share) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(append(dst, entryHalf), uint16(h.group))
	private := h.key.bytes()
	defer clear(private)
	return append(append(dst, h.bound[:]...), private...)
}

func (e *entry) append(dst []byte, l layout) []byte {
	dst = e.suite.append(append(dst, entryAgreed))
	role := byte(0)
	if e.initiator {
		role = 1
	}
	return append(append(append(dst, role), e.agreement[:]...), l.keys...)
}

func (s Suite) append(dst []byte) []byte {
	for _, n := range []uint16{s.Encr, s.KeyLength, s.PRF, s.Integ, s.Group} {
		dst = binary.BigEndian.AppendUint16(dst, n)
	}
	return dst
}

// Import puts a vault entry back under its reference at recovery, and keeps that from being given out. ErrVault: the
// epoch it was sealed in is over, or it was sealed for another reference, or it is not what we write. A reference
// that holds something already is refused, since that knows which ids it has sealed.
func (k *Keyring) Import(ref uint64, sealed []byte) error {
	plain, err := k.epochs.open(ref, sealed)
	if err != nil {
		return err
	}
	defer clear(plain)
	k.Reserve(ref)
	s := k.of(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, agreed := s.agreed[ref]; agreed || s.half[ref] != nil {
		return fmt.Errorf("reference %d is in use; import into a keyring that does not have it", ref)
	}
	switch {
	case len(plain) > 19 && plain[0] == entryHalf:
		return s.importHalf(ref, plain)
	case len(plain) > agreedHead && plain[0] == entryAgreed:
		return s.importAgreed(ref, plain)
	}
	return fmt.Errorf("%w: neither half an exchange nor keys", ErrVault)
}

func (s *shard) importHalf(ref uint64, plain []byte) error {
	half := &share{group: ike.Group(binary.BigEndian.Uint16(plain[1:]))}
	g, ok := groups[half.group]
	if !ok {
		return fmt.Errorf("vault entry: %w: KE %d", ErrUnsupported, half.group)
	}
	copy(half.bound[:], plain[3:])
	key, err := g.restore(plain[19:])
	if err != nil {
		return fmt.Errorf("%w: private value: %w", ErrVault, err)
	}
	half.key = key
	s.half[ref] = half
	return nil
}

func (s *shard) importAgreed(ref uint64, plain []byte) error {
	n := func(i int) uint16 { return binary.BigEndian.Uint16(plain[1+2*i:]) }
	made := entry{suite: Suite{n(0), n(1), n(2), n(3), n(4)}, initiator: plain[11] == 1}
	if err := made.suite.Check(); err != nil {
		return fmt.Errorf("vault entry: %w", err)
	}
	copy(made.agreement[:], plain[12:])
	if len(plain)-agreedHead != made.suite.octets() {
		return fmt.Errorf("%w: %d octets of keys, its suite has %d", ErrVault, len(plain)-agreedHead, made.suite.octets())
	}
	s.put(ref, made, plain[agreedHead:])
	return nil
}
