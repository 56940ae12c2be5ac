package keys

import (
	"bytes"
	"errors"
	"runtime"
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

// W-21: an initiator's keys are agreed anew with a responder of another SPI, three in all, until an AUTH was good.
func TestAgreeWithAnotherResponder_W21(t *testing.T) {
	k := New(Options{})
	init := must[Init](t)(k.MakeInit(31))
	a := agreement(t, x25519Suite)
	a.Initiator = true
	b, c, d := a, a, a
	b.SPIr, c.SPIr, d.SPIr = 3, 4, 5
	b.Nr = bytes.Repeat([]byte{3}, 32)
	var before []byte
	for _, next := range []Agreement{a, b, b, c} {
		if err := k.Agree(init.Ref, next); err != nil {
			t.Fatal(err)
		}
		_, l, err := k.of(init.Ref).entry(init.Ref)
		if err != nil {
			t.Fatal(err)
		}
		if next.SPIr != 3 && bytes.Equal(l.keys, before) {
			t.Fatal("another responder, the same keys")
		}
		before = bytes.Clone(l.keys)
	}
	for name, again := range map[string]Agreement{"the first": a, "a fourth": d} {
		if err := k.Agree(init.Ref, again); !errors.Is(err, ErrAgreed) {
			t.Errorf("%s: got %v, want ErrAgreed", name, err)
		}
	}
	k.Destroy(init.Ref)
	if len(k.of(init.Ref).spare) != 0 || k.Len() != 0 {
		t.Error("a private value outlives its reference")
	}

	proved := must[Init](t)(k.MakeInit(31))
	if err := k.Agree(proved.Ref, a); err != nil {
		t.Fatal(err)
	}
	in := AuthInput{RealMessage: []byte("message"), PeerNonce: a.Ni, IDBody: []byte{2, 0, 0, 0, 'b'}, PSK: []byte("secret")}
	if k.CheckAuth(proved.Ref, in, []byte("wrong")) || len(k.of(proved.Ref).spare) != 1 {
		t.Error("a wrong AUTH settles the keys")
	}
	if !k.CheckAuth(proved.Ref, in, must[[]byte](t)(k.Auth(proved.Ref, in))) || len(k.of(proved.Ref).spare) != 0 {
		t.Error("a good AUTH leaves the private value")
	}
	if err := k.Agree(proved.Ref, b); !errors.Is(err, ErrAgreed) {
		t.Errorf("after a good AUTH: got %v, want ErrAgreed", err)
	}
}
