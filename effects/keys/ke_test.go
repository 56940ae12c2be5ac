package keys

import (
	"bytes"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/testshared"
)

func TestECP(t *testing.T)       { testECP(t, "testdata/rfc5903.json") }
func TestECPShared(t *testing.T) { testECP(t, testshared.Path(t, "vectors/ke/rfc5903_ecp.json")) }

func testECP(t *testing.T, path string) {
	var vectors struct {
		Vectors []struct {
			Group                          ike.Group
			I, Gix, Giy, R, Grx, Gry, Girx octets
		}
	}
	readJSON(t, path, &vectors)
	for _, v := range vectors.Vectors {
		i := must[private](t)(groups[v.Group].restore(v.I))
		r := must[private](t)(groups[v.Group].restore(v.R))
		if want := slices.Concat(v.Gix, v.Giy); !bytes.Equal(i.public(), want) {
			t.Errorf("%v: public is %x, want %x", v.Group, i.public(), []byte(want))
		}
		for _, half := range []struct{ ours, theirs private }{{i, r}, {r, i}} {
			secret, err := half.ours.agree(half.theirs.public())
			if err != nil || !bytes.Equal(secret, v.Girx) {
				t.Errorf("%v: secret is %x, %v, want x alone, %x", v.Group, secret, err, []byte(v.Girx))
			}
		}
	}
	if len(vectors.Vectors) != 3 {
		t.Errorf("%d groups, want 3", len(vectors.Vectors))
	}
}

func TestX25519(t *testing.T) { testX25519(t, "testdata/rfc7748.json") }
func TestX25519Shared(t *testing.T) {
	testX25519(t, testshared.Path(t, "vectors/ke/rfc7748_x25519_x448.json"))
}

func testX25519(t *testing.T, path string) {
	var vectors struct {
		X25519 struct {
			A      octets `json:"a_priv"`
			APub   octets `json:"a_pub"`
			B      octets `json:"b_priv"`
			Shared octets
		}
		LowOrder []octets `json:"x25519_low_order_publics"`
	}
	readJSON(t, path, &vectors)
	v := vectors.X25519
	a, b := must[private](t)(x25519{}.restore(v.A)), must[private](t)(x25519{}.restore(v.B))
	if !bytes.Equal(a.public(), v.APub) {
		t.Errorf("public is %x, want %x", a.public(), []byte(v.APub))
	}
	if secret := must[[]byte](t)(a.agree(b.public())); !bytes.Equal(secret, v.Shared) {
		t.Errorf("secret is %x, want %x", secret, []byte(v.Shared))
	}
	for _, public := range vectors.LowOrder { // N-27
		if _, err := a.agree(public); !errors.Is(err, ErrBadPublic) {
			t.Errorf("low order public %x: got %v, want ErrBadPublic", []byte(public), err)
		}
	}
	if len(vectors.LowOrder) != 14 {
		t.Errorf("%d low order publics, want 14", len(vectors.LowOrder))
	}
}

// N-27: RFC 7748 section 5 says to ignore the high bit and to take what is not below p modulo p.
func TestX25519NonCanonical_N27(t *testing.T) {
	ours := must[private](t)(groups[ike.GroupCurve25519].draw(newSeeded(1)))
	base := append([]byte{9}, make([]byte, 31)...)
	high := slices.Clone(base)
	high[31] |= 0x80
	above := append([]byte{0xed + 9}, bytes.Repeat([]byte{0xff}, 31)...) // p + 9, which has 255 bits
	above[31] = 0x7f
	want := must[[]byte](t)(ours.agree(base))
	for name, public := range map[string][]byte{"high bit": high, "p + 9": above} {
		if got, err := ours.agree(public); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, %v, want what 9 gives", name, got, err)
		}
	}
}

// All groups: both ends agree, a drawn value is the same again from what bytes gives, and the lengths are those of a
// KE payload. N-24: shorter, longer by one, empty.
func TestGroups_N24(t *testing.T) {
	lengths := map[ike.Group]int{14: 256, 15: 384, 16: 512, 19: 64, 20: 96, 21: 132, 31: 32}
	for id, group := range groups {
		random := newSeeded(byte(id))
		a, b := must[private](t)(group.draw(random)), must[private](t)(group.draw(random))
		if n := len(a.public()); n != lengths[id] {
			t.Errorf("%v: public of %d octets, want %d", id, n, lengths[id])
		}
		again := must[private](t)(group.restore(b.bytes()))
		ab, err := a.agree(again.public())
		ba, err2 := b.agree(a.public())
		if err != nil || err2 != nil || !bytes.Equal(ab, ba) {
			t.Errorf("%v: %x, %v against %x, %v", id, ab, err, ba, err2)
		}
		for _, wrong := range [][]byte{nil, a.public()[1:], append(a.public(), 0), append([]byte{0}, a.public()...)} {
			if _, err := b.agree(wrong); !errors.Is(err, ErrBadPublic) {
				t.Errorf("%v: public of %d octets: got %v, want ErrBadPublic", id, len(wrong), err)
			}
		}
	}
	if len(groups) != len(lengths) {
		t.Errorf("%d groups, this test knows %d", len(groups), len(lengths))
	}
}

func TestMODPPublics_N25(t *testing.T) {
	for id, prime := range map[ike.Group]string{14: modp2048, 15: modp3072, 16: modp4096} {
		p, _ := new(big.Int).SetString(prime, 16)
		size := p.BitLen() / 8
		ours := must[private](t)(groups[id].draw(newSeeded(2)))
		at := func(n *big.Int) []byte { return n.FillBytes(make([]byte, size)) }
		one := big.NewInt(1)
		less := func(n int64) *big.Int { return new(big.Int).Sub(p, big.NewInt(n)) }
		all := new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*size)), one)
		for _, n := range []*big.Int{new(big.Int), one, less(1), p, all} {
			if _, err := ours.agree(at(n)); !errors.Is(err, ErrBadPublic) {
				t.Errorf("%v: public %x...: got %v, want ErrBadPublic", id, at(n)[:4], err)
			}
		}
		for _, n := range []*big.Int{big.NewInt(2), less(2)} {
			got, err := ours.agree(at(n))
			want := new(big.Int).Exp(n, new(big.Int).SetBytes(ours.bytes()), p)
			if err != nil || !bytes.Equal(got, at(want)) {
				t.Errorf("%v: public at the border: %v", id, err)
			}
		}
		if q := new(big.Int).Rsh(p, 1); !p.ProbablyPrime(0) || !q.ProbablyPrime(0) || p.BitLen() != 8*size {
			t.Errorf("%v: p is not the safe prime it should be", id)
		}
	}
}

func TestECPPublics_N26(t *testing.T) {
	for _, id := range []ike.Group{ike.GroupECP256, ike.GroupECP384, ike.GroupECP521} {
		size := groups[id].(ecp).size
		random := newSeeded(3)
		ours, theirs := must[private](t)(groups[id].draw(random)), must[private](t)(groups[id].draw(random))
		good := theirs.public()
		off := slices.Clone(good)
		off[2*size-1] ^= 1
		for name, public := range map[string][]byte{
			"not on the curve":    off,
			"zero":                make([]byte, 2*size),
			"coordinates above p": bytes.Repeat([]byte{0xff}, 2*size),
			"compressed":          append([]byte{2}, good[:size]...),
			"with the form octet": append([]byte{4}, good...),
			"infinity":            {0},
			"x alone":             good[:size],
		} {
			if _, err := ours.agree(public); !errors.Is(err, ErrBadPublic) {
				t.Errorf("%v, %s: got %v, want ErrBadPublic", id, name, err)
			}
		}
	}
}
