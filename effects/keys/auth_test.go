package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
)

// Section 2.15, written out once more with nothing of this package but SK_p.
func TestAuth(t *testing.T) {
	i, r := pair(t, x25519Suite)
	_, l, _ := i.of(i.ref).entry(i.ref)
	mac := func(key, data []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(data)
		return h.Sum(nil)
	}
	for _, forInitiator := range []bool{true, false} {
		in := AuthInput{
			ForInitiator: forInitiator, RealMessage: []byte("an IKE_SA_INIT message"), PeerNonce: bytes.Repeat([]byte{7}, 32),
			IDBody: []byte{2, 0, 0, 0, 'm', 'o', 'o', 'n'}, PSK: []byte("secret"),
		}
		want := mac(mac(in.PSK, []byte("Key Pad for IKEv2")), slices.Concat(in.RealMessage, in.PeerNonce, mac(l.proof(forInitiator), in.IDBody)))
		got := must[[]byte](t)(i.Auth(i.ref, in))
		if !bytes.Equal(got, want) {
			t.Errorf("initiator %t: AUTH is %x, want %x", forInitiator, got, want)
		}
		if !r.CheckAuth(r.ref, in, got) {
			t.Error("the peer refuses it")
		}
		for name, change := range map[string]func(*AuthInput){
			"end":     func(in *AuthInput) { in.ForInitiator = !in.ForInitiator },
			"message": func(in *AuthInput) { in.RealMessage = []byte("an IKE_SA_INIT massage") },
			"nonce":   func(in *AuthInput) { in.PeerNonce = bytes.Repeat([]byte{8}, 32) },
			"ID":      func(in *AuthInput) { in.IDBody = []byte{2, 0, 0, 0, 's', 'u', 'n'} },
			"PSK":     func(in *AuthInput) { in.PSK = []byte("Secret") },
		} {
			other := in
			change(&other)
			if r.CheckAuth(r.ref, other, got) {
				t.Errorf("good for another %s", name)
			}
		}
		for _, bad := range [][]byte{nil, got[:31], append(got, 0)} {
			if r.CheckAuth(r.ref, in, bad) {
				t.Errorf("%d octets are good", len(bad))
			}
		}
		if r.CheckAuth(99, in, got) {
			t.Error("an SA without keys proves something")
		}
		in.PSK = nil
		if _, err := i.Auth(i.ref, in); err == nil {
			t.Error("an empty PSK proves something")
		}
	}
}

// Section 2.17: the order, the salts, with and without a key exchange of its own; the same when asked again (W-32).
func TestChildKeys(t *testing.T) {
	i, r := pair(t, x25519Suite)
	_, l, _ := i.of(i.ref).entry(i.ref)
	ni, nr := bytes.Repeat([]byte{3}, 32), bytes.Repeat([]byte{4}, 32)
	si, sr := must[Share](t)(i.MakeShare(19)), must[Share](t)(r.MakeShare(19))
	gir := must[[]byte](t)(i.of(si.Ref).half[si.Ref].key.agree(sr.Public))
	for _, c := range []struct {
		encr, bits, integ uint16
		lengths           [2]int
	}{
		{ike.EncrAESGCM16, 128, 0, [2]int{20, 0}},
		{ike.EncrAESGCM16, 256, 0, [2]int{36, 0}},
		{ike.EncrChaCha20Poly1305, 0, 0, [2]int{36, 0}},
		{ike.EncrAESCBC, 192, ike.IntegHMACSHA2_384_192, [2]int{24, 48}},
	} {
		for _, exchange := range []bool{false, true} {
			in := ChildInput{Ni: ni, Nr: nr, Encr: c.encr, KeyLength: c.bits, Integ: c.integ}
			forI, forR := in, in
			secret := []byte(nil)
			if exchange {
				forI.ShareRef, forI.PeerPublic, secret = si.Ref, sr.Public, gir
				forR.ShareRef, forR.PeerPublic = sr.Ref, si.Public
			}
			all := prfPlus(ike.PRFHMACSHA2_256, l.d(), slices.Concat(secret, ni, nr), 2*(c.lengths[0]+c.lengths[1]))
			for _, keys := range []ChildKeys{
				must[ChildKeys](t)(i.ChildKeys(i.ref, forI)), must[ChildKeys](t)(r.ChildKeys(r.ref, forR)),
				must[ChildKeys](t)(i.ChildKeys(i.ref, forI)),
			} {
				got := slices.Concat(keys.InitiatorEncr, keys.InitiatorInteg, keys.ResponderEncr, keys.ResponderInteg)
				lengths := [4]int{len(keys.InitiatorEncr), len(keys.InitiatorInteg), len(keys.ResponderEncr), len(keys.ResponderInteg)}
				if !bytes.Equal(got, all) || lengths != [4]int{c.lengths[0], c.lengths[1], c.lengths[0], c.lengths[1]} {
					t.Errorf("ENCR %d, own exchange %t: %x in %v octets is not KEYMAT %x", c.encr, exchange, got, lengths, all)
				}
			}
		}
	}
	good := ChildInput{Ni: ni, Nr: nr, Encr: ike.EncrAESGCM16, KeyLength: 128, ShareRef: si.Ref, PeerPublic: sr.Public}
	other := must[Share](t)(r.MakeShare(19))
	for name, c := range map[string]struct {
		change func(*ChildInput)
		want   error
	}{
		"another public": {func(in *ChildInput) { in.PeerPublic = other.Public }, ErrAgreed},
		"another nonce":  {func(in *ChildInput) { in.Ni = in.Nr }, ErrAgreed},
		"no such share":  {func(in *ChildInput) { in.ShareRef = 1000 }, ErrUnknown},
		"a bad public": {func(in *ChildInput) {
			in.ShareRef = must[Share](t)(i.MakeShare(19)).Ref
			in.PeerPublic = make([]byte, 64)
		}, ErrBadPublic},
		"3DES":                {func(in *ChildInput) { in.Encr, in.KeyLength = ike.Encr3DES, 0 }, ErrUnsupported},
		"INTEG 5":             {func(in *ChildInput) { in.Integ = ike.IntegAESXCBC96 }, ErrUnsupported},
		"AEAD with integrity": {func(in *ChildInput) { in.Integ = ike.IntegHMACSHA2_256_128 }, ErrUnsupported},
		"CBC without":         {func(in *ChildInput) { in.Encr = ike.EncrAESCBC }, ErrUnsupported},
	} {
		in := good
		c.change(&in)
		if _, err := i.ChildKeys(i.ref, in); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
