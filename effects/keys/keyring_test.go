package keys

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
)

// agreement is one that a responder with that share may be asked for.
func agreement(t testing.TB, suite Suite) Agreement {
	t.Helper()
	peer := must[private](t)(groups[ike.Group(suite.Group)].draw(newSeeded(9)))
	return Agreement{
		Suite: suite, SPIi: 1, SPIr: 2, PeerPublic: peer.public(),
		Ni: bytes.Repeat([]byte{1}, 32), Nr: bytes.Repeat([]byte{2}, 32),
	}
}

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

// Every group agrees, and both ends have the same seven keys.
func TestAgree(t *testing.T) {
	for id := range groups {
		suite := x25519Suite
		suite.Group = uint16(id)
		i, r := pair(t, suite)
		_, li, err1 := i.of(i.ref).entry(i.ref)
		_, lr, err2 := r.of(r.ref).entry(r.ref)
		if err1 != nil || err2 != nil || !bytes.Equal(li.keys, lr.keys) || bytes.Equal(li.keys, make([]byte, len(li.keys))) {
			t.Errorf("%v: keys differ: %v, %v", id, err1, err2)
		}
	}
}

// W-32, K-13: once made, keys stand. The same agreement is nothing new; each part of another is refused.
func TestAgreeOnce_W32_K13(t *testing.T) {
	k := New(Options{})
	init := must[Init](t)(k.MakeInit(31))
	a := agreement(t, x25519Suite)
	bad := a
	bad.PeerPublic = make([]byte, 32)
	if err := k.Agree(init.Ref, bad); !errors.Is(err, ErrBadPublic) { // the half exchange stays
		t.Fatalf("got %v, want ErrBadPublic", err)
	}
	for range 2 {
		if err := k.Agree(init.Ref, a); err != nil {
			t.Fatal(err)
		}
	}
	other := must[private](t)(x25519{}.draw(newSeeded(8)))
	for name, change := range map[string]func(*Agreement){
		"public":    func(a *Agreement) { a.PeerPublic = other.public() },
		"nonce":     func(a *Agreement) { a.Nr = a.Ni },
		"SPI":       func(a *Agreement) { a.SPIr++ },
		"role":      func(a *Agreement) { a.Initiator = true },
		"PRF":       func(a *Agreement) { a.Suite.PRF = ike.PRFHMACSHA2_384 },
		"old SA":    func(a *Agreement) { a.OldRef = 77 },
		"split":     func(a *Agreement) { a.Ni, a.Nr = a.Ni[:31], append(a.Ni[31:32:32], a.Nr...) },
		"bad again": func(a *Agreement) { a.PeerPublic = bad.PeerPublic },
	} {
		b := a
		change(&b)
		if err := k.Agree(init.Ref, b); !errors.Is(err, ErrAgreed) {
			t.Errorf("another %s: got %v, want ErrAgreed", name, err)
		}
	}
	if err := k.Agree(999, a); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown reference: got %v, want ErrUnknown", err)
	}
	share := must[Share](t)(k.MakeShare(19))
	if err := k.Agree(share.Ref, a); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a share of another group: got %v, want ErrUnsupported", err)
	}
	a.Suite.Encr = ike.Encr3DES
	if err := k.Agree(share.Ref, a); !errors.Is(err, ErrUnsupported) {
		t.Errorf("3DES: got %v, want ErrUnsupported", err)
	}
}

// Section 2.18: a rekey is seeded by the old SA's SK_d, under the old SA's PRF.
func TestAgreeRekey(t *testing.T) {
	oldSuite := x25519Suite
	oldSuite.PRF = ike.PRFHMACSHA2_512
	i, r := pair(t, oldSuite)
	si, sr := must[Share](t)(i.MakeShare(31)), must[Share](t)(r.MakeShare(31))
	a := agreement(t, x25519Suite)
	forI, forR := a, a
	forI.Initiator, forI.PeerPublic, forI.OldRef = true, sr.Public, i.ref
	forR.PeerPublic, forR.OldRef = si.Public, r.ref
	_, old, _ := i.of(i.ref).entry(i.ref)
	gir := must[[]byte](t)(i.of(si.Ref).half[si.Ref].key.agree(sr.Public))
	want := deriveKeys(forI, skeyseedRekey(ike.PRFHMACSHA2_512, old.d(), gir, a.Ni, a.Nr))
	for _, c := range []struct {
		end end
		ref uint64
		a   Agreement
	}{{i, si.Ref, forI}, {r, sr.Ref, forR}} {
		if err := c.end.Agree(c.ref, c.a); err != nil {
			t.Fatal(err)
		}
		if _, l, _ := c.end.of(c.ref).entry(c.ref); !bytes.Equal(l.keys, want) {
			t.Error("keys are not those of section 2.18")
		}
	}
	late := must[Share](t)(i.MakeShare(31))
	i.Destroy(i.ref)
	forI.Ni = a.Nr
	if err := i.Agree(late.Ref, forI); !errors.Is(err, ErrUnknown) {
		t.Errorf("rekey of an SA that is gone: got %v, want ErrUnknown", err)
	}
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

// slow is a private value whose key exchange lasts, and counts.
type slow struct {
	private
	during func()
	count  *atomic.Int32
}

func (s slow) agree(peer []byte) ([]byte, error) {
	s.count.Add(1)
	s.during()
	return s.private.agree(peer)
}

// slowShare is a share of X25519 with such a value.
func slowShare(t testing.TB, during func(k *Keyring, ref uint64)) (*Keyring, uint64, *atomic.Int32) {
	t.Helper()
	k, count := New(Options{}), new(atomic.Int32)
	ref := must[Share](t)(k.MakeShare(31)).Ref
	half := k.of(ref).half[ref]
	half.key = slow{half.key, func() { during(k, ref) }, count}
	return k, ref, count
}

// K-13: one key exchange for a half-open SA, however many ask at once.
func TestAgreeAtOnce_K13(t *testing.T) {
	k, ref, count := slowShare(t, func(*Keyring, uint64) {
		for range 1000 {
			runtime.Gosched()
		}
	})
	a := agreement(t, x25519Suite)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := k.Agree(ref, a); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := count.Load(); n != 1 {
		t.Errorf("%d key exchanges, want 1", n)
	}
}

// Destroyed while a worker agrees: no keys appear afterwards, and an entry for the vault is of nothing.
func TestDestroyWhileAgreeing(t *testing.T) {
	var destroyed sync.WaitGroup
	k, ref, _ := slowShare(t, func(k *Keyring, ref uint64) {
		destroyed.Go(func() { k.Destroy(ref) })
		for gone := false; !gone; runtime.Gosched() {
			s := k.of(ref)
			s.mu.Lock()
			gone = s.half[ref] == nil
			s.mu.Unlock()
		}
	})
	if err := k.Agree(ref, agreement(t, x25519Suite)); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	destroyed.Wait()
	if _, err := k.Export(ref); !errors.Is(err, ErrUnknown) {
		t.Errorf("exported: %v", err)
	}
}

// An entry for the vault asked for while a worker agrees is of the agreed keys: the private value is not kept longer.
// What still waits for a share that was wiped is told so.
func TestExportWhileAgreeing(t *testing.T) {
	var exported sync.WaitGroup
	var sealed []byte
	var err error
	k, ref, _ := slowShare(t, func(k *Keyring, ref uint64) {
		exported.Go(func() { sealed, err = k.Export(ref) })
		for range 1000 {
			runtime.Gosched()
		}
	})
	half := k.of(ref).half[ref]
	a := agreement(t, x25519Suite)
	if err := k.Agree(ref, a); err != nil {
		t.Fatal(err)
	}
	exported.Wait()
	if plain := must[[]byte](t)(k.epochs.open(ref, sealed)); err != nil || plain[0] != entryAgreed {
		t.Errorf("entry of kind %d, %v", plain[0], err)
	}
	if _, err := half.enter(half.group, a.digest(), a.PeerPublic); !errors.Is(err, ErrUnknown) {
		t.Errorf("a wiped share: got %v, want ErrUnknown", err)
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
