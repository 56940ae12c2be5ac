package keys

import (
	"crypto/rand"
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

// MakeInit draws a share, an SPI and a nonce; of group NONE no share, and then there is no reference either. That no other SA of ours has that SPI is for the caller to see.
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
	if ike.Group(group) == ike.GroupNone {
		return Init{SPI: binary.BigEndian.Uint64(spi[:]), Nonce: nonce}, nil
	}
	made, err := k.MakeShare(group)
	return Init{made.Ref, binary.BigEndian.Uint64(spi[:]), nonce, made.Public}, err
}

// Len is how many references it holds.
func (k *Keyring) Len() int {
	n := 0
	for _, s := range k.shard {
		s.mu.Lock()
		n += len(s.half) + len(s.agreed)
		s.mu.Unlock()
	}
	return n
}

// Destroy forgets everything under a reference and wipes it. A reference that is gone already is no error: effects
// are asked for again after a crash.
func (k *Keyring) Destroy(ref uint64) {
	s := k.of(ref)
	s.mu.Lock()
	half, spare := s.half[ref], s.spare[ref]
	s.destroy(ref)
	s.mu.Unlock()
	half.wipeNow()
	spare.wipeNow()
}
