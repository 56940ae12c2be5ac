package keys

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
)

var benchSuites = map[string]Suite{
	"GCM256":    x25519Suite,
	"ChaCha20":  {Encr: ike.EncrChaCha20Poly1305, PRF: ike.PRFHMACSHA2_256, Group: 31},
	"CBC256MAC": {Encr: ike.EncrAESCBC, KeyLength: 256, PRF: ike.PRFHMACSHA2_256, Integ: ike.IntegHMACSHA2_256_128, Group: 31},
}

// A message of 200 octets, in an SA whose protector is in the cache, and in one of many whose is not.
func BenchmarkSeal(b *testing.B) {
	plain := make([]byte, 140)
	for name, suite := range benchSuites {
		b.Run(name, func(b *testing.B) {
			from, _ := pair(b, suite)
			dst := make([]byte, 0, 512)
			b.ReportAllocs()
			for i := range b.N {
				if _, err := from.Seal(dst, from.ref, from.header(uint32(i), false), 41, plain); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("GCM256/cold", func(b *testing.B) {
		from, refs := manySAs(20_000)
		dst := make([]byte, 0, 512)
		b.ReportAllocs()
		for i := range b.N {
			ref := refs[i%len(refs)]
			if _, err := from.Seal(dst, ref, from.header(uint32(i/len(refs)), false), 41, plain); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	for name, suite := range benchSuites {
		b.Run(name, func(b *testing.B) {
			from, to := pair(b, suite)
			msg := must[[]byte](b)(from.Seal(nil, from.ref, from.header(1, false), 41, make([]byte, 140)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := to.Open(to.ref, msg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMakeShare(b *testing.B) {
	for id := range groups {
		b.Run(id.String(), func(b *testing.B) {
			k := New(Options{})
			for b.Loop() {
				k.Destroy(must[Share](b)(k.MakeShare(uint16(id))).Ref)
			}
		})
	}
}

// Agree with the derivation of the keys, without the making of the share.
func BenchmarkAgree(b *testing.B) {
	for id := range groups {
		b.Run(id.String(), func(b *testing.B) {
			suite := x25519Suite
			suite.Group = uint16(id)
			a := agreement(b, suite)
			k := New(Options{})
			key := must[private](b)(groups[id].draw(newSeeded(1)))
			for b.Loop() {
				k.of(1).half[1] = &share{group: id, key: key}
				gir, err := k.of(1).half[1].enter(id, a.digest(), a.PeerPublic)
				if err != nil {
					b.Fatal(err)
				}
				seed, _ := k.seed(a, gir)
				deriveKeys(a, seed)
			}
		})
	}
}

// One of the keyring's handshakes, everything in it but the network and the journal.
func BenchmarkHandshake(b *testing.B) {
	k := New(Options{})
	a := agreement(b, x25519Suite)
	in := AuthInput{RealMessage: make([]byte, 240), PeerNonce: a.Ni, IDBody: make([]byte, 16), PSK: make([]byte, 20)}
	child := ChildInput{Ni: a.Ni, Nr: a.Nr, Encr: ike.EncrAESGCM16, KeyLength: 256}
	h := ike.Header{MessageID: 1, Flags: ike.FlagResponse}
	b.ReportAllocs()
	for b.Loop() {
		init := must[Init](b)(k.MakeInit(31))
		must[[]byte](b)(k.Export(init.Ref))
		if err := k.Agree(init.Ref, a); err != nil {
			b.Fatal(err)
		}
		must[[]byte](b)(k.Export(init.Ref))
		k.CheckAuth(init.Ref, in, in.PeerNonce)
		must[[]byte](b)(k.Auth(init.Ref, in))
		must[ChildKeys](b)(k.ChildKeys(init.Ref, child))
		msg := must[[]byte](b)(k.Seal(nil, init.Ref, h, 41, make([]byte, 180)))
		if _, _, err := k.Open(init.Ref, msg); err != nil {
			b.Fatal(err)
		}
		k.Destroy(init.Ref)
	}
}

func BenchmarkHandshakeFloor(b *testing.B) {
	b.ReportAllocs()
	if err := HandshakeFloor(b.N); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkExport(b *testing.B) {
	from, _ := pair(b, x25519Suite)
	b.ReportAllocs()
	for b.Loop() {
		must[[]byte](b)(from.Export(from.ref))
	}
}

// manySAs is a keyring with that many agreed SAs, all keys zero.
func manySAs(n int) (end, []uint64) {
	from, l := loneEnd(x25519Suite)
	from.Keyring = New(Options{})
	refs := make([]uint64, n)
	for i := range refs {
		refs[i] = uint64(i + 1)
		from.of(refs[i]).put(refs[i], entry{suite: x25519Suite, initiator: true}, l.keys)
	}
	return from, refs
}

// K-01 leaves 2 KiB for a half-open SA in all; the keyring may take a fifth of it.
func TestMemory(t *testing.T) {
	live := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 20_000
	before := live()
	agreed, _ := manySAs(n)
	withAgreed := live()
	half := New(Options{})
	random := newSeeded(1)
	for range n / 10 {
		key := must[private](t)(x25519{}.draw(random))
		ref := half.last.Add(1)
		half.of(ref).half[ref] = &share{group: 31, key: key}
	}
	withHalf := live()
	for name, octets := range map[string]uint64{
		"agreed": (withAgreed - before) / n, "half": (withHalf - withAgreed) / (n / 10),
	} {
		t.Logf("%s: %d octets an SA", name, octets)
		if octets > 450 {
			t.Errorf("%s: %d octets an SA, want at most 450", name, octets)
		}
	}
	runtime.KeepAlive(agreed)
	runtime.KeepAlive(half)
}

func ExampleKeyring() {
	k := New(Options{})
	init, err := k.MakeInit(uint16(ike.GroupCurve25519))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("SPI, nonce and public to send:", init.SPI != 0, len(init.Nonce), len(init.Public))
	// Then, with the peer's half: k.Agree(init.Ref, Agreement{...}), and messages go through Seal and Open.
	k.Destroy(init.Ref)
	// Output: SPI, nonce and public to send: true 32 32
}
