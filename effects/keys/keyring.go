package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/ikejd/ikejd/proto/ike"
)

// shards is how many locks a keyring has. References are given out in order, so that they spread evenly.
const shards = 64

// Options of a keyring. The zero value is that of a daemon without a vault.
type Options struct {
	// Rand is where private values, SPIs and nonces come from; nil is the operating system. A simulation gives its own,
	// and then gets the same again. It need not be safe for several goroutines.
	Rand io.Reader
	// Epochs seals vault entries; nil: they are sealed under a key that dies with this keyring.
	Epochs *Epochs
	// Protectors is how many directions of IKE SAs are kept ready to seal or open (1.3 KiB each); 0: 4096.
	Protectors int
}

// Keyring holds the secrets of IKE SAs by reference and does what needs them. All its methods may be called from
// several goroutines at once.
type Keyring struct {
	rand   io.Reader
	epochs *Epochs
	last   atomic.Uint64 // the reference given out last
	shard  [shards]*shard
}

// New makes an empty keyring.
func New(o Options) *Keyring {
	k := &Keyring{rand: rand.Reader, epochs: o.Epochs}
	if o.Rand != nil {
		k.rand = &oneAtATime{reader: o.Rand}
	}
	if k.epochs == nil {
		k.epochs = NewMemoryEpochs(k.rand)
	}
	if o.Protectors == 0 {
		o.Protectors = 4096
	}
	for i := range k.shard {
		k.shard[i] = newShard((o.Protectors + 2*shards - 1) / (2 * shards))
	}
	return k
}

// oneAtATime makes any reader safe for several goroutines.
type oneAtATime struct {
	mu     sync.Mutex
	reader io.Reader
}

func (o *oneAtATime) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return io.ReadFull(o.reader, p)
}

func (k *Keyring) of(ref uint64) *shard { return k.shard[ref%shards] }

// Reserve keeps references up to and including last from being given out (again): a journal names them already.
func (k *Keyring) Reserve(last uint64) {
	for {
		now := k.last.Load()
		if now >= last || k.last.CompareAndSwap(now, last) {
			return
		}
	}
}

// Share is our half of a key exchange: what is public of it, and where the rest is.
type Share struct {
	Ref    uint64
	Public []byte // the data of our KE payload
}

// MakeShare draws a private value in a group.
func (k *Keyring) MakeShare(group uint16) (Share, error) {
	g, ok := groups[ike.Group(group)]
	if !ok {
		return Share{}, fmt.Errorf("%w: KE %d", ErrUnsupported, group)
	}
	key, err := g.draw(k.rand)
	if err != nil {
		return Share{}, err
	}
	made := Share{Ref: k.last.Add(1), Public: key.public()}
	s := k.of(made.Ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.half[made.Ref] = &share{group: ike.Group(group), key: key}
	return made, nil
}

// Init is what one side of an IKE_SA_INIT exchange, or of an IKE SA's rekey, must draw.
type Init struct {
	Ref    uint64
	SPI    uint64 // never 0
	Nonce  []byte // 32 octets: at least half the key of any PRF here (section 2.10)
	Public []byte
}

// MakeInit draws a share, an SPI and a nonce. That no other SA of ours has that SPI is for the caller to see.
func (k *Keyring) MakeInit(group uint16) (Init, error) {
	var spi [8]byte
	for binary.BigEndian.Uint64(spi[:]) == 0 {
		if _, err := io.ReadFull(k.rand, spi[:]); err != nil {
			return Init{}, fmt.Errorf("randomness for an SPI: %w", err)
		}
	}
	nonce := make([]byte, 32)
	if _, err := io.ReadFull(k.rand, nonce); err != nil {
		return Init{}, fmt.Errorf("randomness for a nonce: %w", err)
	}
	made, err := k.MakeShare(group)
	return Init{made.Ref, binary.BigEndian.Uint64(spi[:]), nonce, made.Public}, err
}

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
func (k *Keyring) Agree(ref uint64, a Agreement) error {
	if err := a.Suite.Check(); err != nil {
		return err
	}
	digest, s := a.digest(), k.of(ref)
	half, err := s.halfOf(ref, digest)
	if half == nil {
		return err
	}
	half.mu.Lock()
	defer half.mu.Unlock()
	if again, err := s.halfOf(ref, digest); again == nil { // another goroutine was faster
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
	if s.half[ref] != half {
		return ErrUnknown // destroyed meanwhile
	}
	s.put(ref, entry{suite: a.Suite, initiator: a.Initiator, agreement: digest}, keys)
	half.wipe()
	return nil
}

// halfOf is the half exchange that is to be completed; nil with nil when these very keys are there already.
func (s *shard) halfOf(ref uint64, digest [16]byte) (*share, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if half := s.half[ref]; half != nil {
		return half, nil
	}
	e, _, err := s.entry(ref)
	if err == nil && e.agreement != digest {
		err = ErrAgreed
	}
	return nil, err
}

// enter computes g^ir. A private value enters one agreement only (W-32). The share is locked.
func (h *share) enter(group ike.Group, digest [16]byte, peer []byte) ([]byte, error) {
	if h.gone {
		return nil, ErrUnknown
	}
	if h.group != group {
		return nil, fmt.Errorf("%w: KE %d where the share is of KE %d", ErrUnsupported, group, h.group)
	}
	if h.bound != [16]byte{} && h.bound != digest {
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

// Destroy forgets everything under a reference and wipes it. A reference that is gone already is no error: effects
// are asked for again after a crash.
func (k *Keyring) Destroy(ref uint64) {
	s := k.of(ref)
	s.mu.Lock()
	half := s.half[ref]
	s.destroy(ref)
	s.mu.Unlock()
	if half != nil {
		half.mu.Lock() // waits for a key exchange that is under way: it reads the private value
		defer half.mu.Unlock()
		half.wipe()
	}
}
