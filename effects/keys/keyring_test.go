package keys

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
)

func TestMakeInit(t *testing.T) {
	k := New(Options{Rand: newSeeded(1)})
	first, second := must[Init](t)(k.MakeInit(31)), must[Init](t)(k.MakeInit(31))
	if first.SPI == 0 || len(first.Nonce) != 32 || len(first.Public) != 32 || first.Ref == 0 {
		t.Errorf("not whole: %+v", first)
	}
	if first.SPI == second.SPI || first.Ref == second.Ref || bytes.Equal(first.Nonce, second.Nonce) || bytes.Equal(first.Public, second.Public) {
		t.Errorf("the same twice: %+v, %+v", first, second)
	}
	if again := must[Init](t)(New(Options{Rand: newSeeded(1)}).MakeInit(31)); again.SPI != first.SPI || !bytes.Equal(again.Public, first.Public) {
		t.Errorf("the same randomness made %+v and then %+v", first, again)
	}
	k.Reserve(1000)
	k.Reserve(5)
	if third := must[Init](t)(k.MakeInit(31)); third.Ref != 1001 {
		t.Errorf("reference %d, want the one after the reserved", third.Ref)
	}
	if _, err := k.MakeInit(2); !errors.Is(err, ErrUnsupported) {
		t.Errorf("group 2: got %v, want ErrUnsupported", err)
	}
	// An SPI of zeros is drawn again.
	zeroFirst := New(Options{Rand: &zerosThen{zeros: 8, rest: newSeeded(2)}})
	if init := must[Init](t)(zeroFirst.MakeInit(31)); init.SPI == 0 {
		t.Error("SPI 0 was given out")
	}
	if _, err := New(Options{Rand: bytes.NewReader(make([]byte, 41)), Epochs: NewMemoryEpochs(newSeeded(1))}).MakeInit(31); err == nil {
		t.Error("randomness that ends made an SPI")
	}
}

type zerosThen struct {
	zeros int
	rest  seeded
}

func (z *zerosThen) Read(p []byte) (int, error) {
	if z.zeros > 0 {
		n := min(z.zeros, len(p))
		clear(p[:n])
		z.zeros -= n
		return n, nil
	}
	return z.rest.Read(p)
}

// Everything is gone after Destroy, and zeroed where it was.
func TestDestroy(t *testing.T) {
	from, _ := pair(t, x25519Suite)
	s := from.of(from.ref)
	_, l, _ := s.entry(from.ref)
	keys := l.keys
	from.Seal(nil, from.ref, from.header(1, false), 41, nil)
	half := must[Share](t)(from.MakeShare(uint16(ike.GroupMODP2048)))
	x := from.of(half.Ref).half[half.Ref].key.(exponent).x
	from.Destroy(from.ref)
	from.Destroy(half.Ref)
	from.Destroy(from.ref) // asked again after a crash
	if !bytes.Equal(keys, make([]byte, len(keys))) || !bytes.Equal(x, make([]byte, len(x))) {
		t.Error("secrets are still in memory")
	}
	for _, c := range s.cache {
		if c.protector != nil {
			t.Error("a protector is still in the cache")
		}
	}
	_, sealErr := from.Seal(nil, from.ref, from.header(2, false), 41, nil)
	_, _, openErr := from.Open(from.ref, skMessage())
	_, authErr := from.Auth(from.ref, AuthInput{PSK: []byte("x")})
	_, childErr := from.ChildKeys(from.ref, ChildInput{Encr: ike.EncrAESGCM16, KeyLength: 128})
	_, exportErr := from.Export(half.Ref)
	for i, err := range []error{sealErr, openErr, authErr, childErr, exportErr} {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("%d: got %v, want ErrUnknown", i, err)
		}
	}
	waiting := must[Share](t)(from.MakeShare(31))
	if _, _, err := from.Open(waiting.Ref, skMessage()); !errors.Is(err, ErrNotAgreed) {
		t.Errorf("half an exchange: got %v, want ErrNotAgreed", err)
	}
	// The freed place is used again, and is clean.
	again, _ := pair(t, x25519Suite)
	again.Destroy(again.ref)
	if n := again.of(again.ref).keys.put(160); again.of(again.ref).keys.small.used != 1 {
		t.Errorf("place %d is a new one, want the freed", n)
	}
}

// The I flag must be ours: the other would be sealed under our key and fail at the peer.
func TestSealRefusesTheOtherSide(t *testing.T) {
	from, to := pair(t, x25519Suite)
	defer func() {
		if recover() == nil {
			t.Error("a responder sealed as initiator")
		}
	}()
	to.Seal(nil, to.ref, from.header(1, false), 41, nil)
}

// The door opens, the engine seals, workers agree and destroy, all at once. For the race detector; what is checked
// is that a reference is either agreed the one way or not there.
func TestConcurrency(t *testing.T) {
	k := New(Options{Rand: newSeeded(3), Protectors: 2 * shards})
	var refs []uint64
	suite := x25519Suite
	suite.Group = uint16(ike.GroupMODP2048)
	a := agreement(t, suite)
	for range 16 {
		refs = append(refs, must[Share](t)(k.MakeShare(suite.Group)).Ref)
	}
	var all sync.WaitGroup
	for worker := range 6 {
		all.Go(func() {
			for i, ref := range refs {
				a := a
				a.SPIr += uint64(worker % 2)
				err := k.Agree(ref, a)
				if err != nil && !errors.Is(err, ErrAgreed) && !errors.Is(err, ErrUnknown) {
					t.Error(err)
				}
				h := ike.Header{SPIi: 1, SPIr: 2, MessageID: uint32(worker), Flags: ike.FlagResponse}
				msg, err := k.Seal(nil, ref, h, 41, []byte("x"))
				if err == nil {
					if _, plain, err := k.Open(ref, msg); err == nil && string(plain) != "x" {
						t.Errorf("opened %x", plain)
					}
				}
				if _, err := k.Export(ref); err != nil && !errors.Is(err, ErrUnknown) {
					t.Error(err)
				}
				if worker == 5 && i%2 == 1 {
					k.Destroy(refs[i-1])
				}
			}
		})
	}
	all.Wait()
	for _, ref := range refs {
		k.Destroy(ref)
	}
	for _, s := range k.shard {
		if len(s.half)+len(s.agreed)+len(s.split)+len(s.taken) != 0 {
			t.Error("something is left")
		}
	}
}

// The cache is only a cache: with one set of protectors for thousands of SAs all still open.
func TestSmallCache(t *testing.T) {
	from, l := loneEnd(x25519Suite)
	refs := slices.Collect(func(yield func(uint64) bool) {
		for ref := uint64(1); ref < 500 && yield(ref); ref += shards {
		}
	})
	for _, ref := range refs[1:] {
		keys := bytes.Repeat([]byte{byte(ref / shards)}, len(l.keys))
		from.of(ref).put(ref, entry{suite: x25519Suite, initiator: true}, keys)
	}
	for id := range uint32(3) {
		for _, ref := range refs {
			msg := must[[]byte](t)(from.Seal(nil, ref, from.header(id, false), 41, []byte("x")))
			for _, other := range refs {
				if _, _, err := from.Open(other, msg); (err == nil) != (other == ref) {
					t.Fatalf("sealed under %d, opened under %d: %v", ref, other, err)
				}
			}
		}
	}
}
