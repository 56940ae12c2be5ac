package keys

import (
	"errors"
	"math"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
)

func TestSupported_N21(t *testing.T) {
	for _, c := range []struct {
		transform ike.TransformType
		id, bits  uint16
		want      bool
	}{
		{ike.TransformENCR, ike.EncrAESGCM16, 128, true},
		{ike.TransformENCR, ike.EncrAESGCM16, 192, true},
		{ike.TransformENCR, ike.EncrAESGCM16, 256, true},
		{ike.TransformENCR, ike.EncrAESGCM16, 0, false},
		{ike.TransformENCR, ike.EncrAESGCM16, 255, false},
		{ike.TransformENCR, ike.EncrAESCBC, 128, true},
		{ike.TransformENCR, ike.EncrAESCBC, 64, false},
		{ike.TransformENCR, ike.EncrChaCha20Poly1305, 0, true},
		{ike.TransformENCR, ike.EncrChaCha20Poly1305, 256, false},
		{ike.TransformENCR, ike.EncrNull, 0, false},
		{ike.TransformPRF, ike.PRFHMACSHA2_256, 0, true},
		{ike.TransformPRF, ike.PRFHMACSHA2_256, 256, false},
		{ike.TransformPRF, ike.PRFAES128XCBC, 0, false},
		{ike.TransformINTEG, ike.IntegNone, 0, true},
		{ike.TransformINTEG, ike.IntegHMACSHA2_512_256, 0, true},
		{ike.TransformINTEG, ike.IntegAESXCBC96, 0, false},
		{ike.TransformKE, uint16(ike.GroupNone), 0, true},
		{ike.TransformKE, uint16(ike.GroupMODP2048), 0, true},
		{ike.TransformKE, uint16(ike.GroupMODP1024), 0, false},
		{ike.TransformKE, uint16(ike.GroupCurve448), 0, false},
		{ike.TransformKE, 1025, 0, false},
		{ike.TransformSN, ike.SN64, 0, true},
		{ike.TransformSN, ike.SN32Unspecified, 0, false},
		{ike.TransformADDKE1, uint16(ike.GroupCurve25519), 0, false},
		{99, 1, 0, false},
	} {
		if got := Supported(c.transform, c.id, c.bits); got != c.want {
			t.Errorf("%v %d with key length %d: supported %t, want %t", c.transform, c.id, c.bits, got, c.want)
		}
	}
}

// What is supported can be computed, and what can only be read in captures is not supported: whatever number a peer
// proposes, a suite that passes its check has keys of a known length, a protector, and works.
func TestNothingForeignIsNegotiable(t *testing.T) {
	for encr := range foreignCiphers {
		for bits := range 512 {
			if Supported(ike.TransformENCR, encr, uint16(bits)) {
				t.Errorf("ENCR %d with key length %d is for captures only", encr, bits)
			}
		}
	}
	for integ := range foreignIntegs {
		if Supported(ike.TransformINTEG, integ, 0) {
			t.Errorf("INTEG %d is for captures only", integ)
		}
	}
	if Supported(ike.TransformPRF, ike.PRFHMACSHA1, 0) {
		t.Error("PRF_HMAC_SHA1 is for captures only")
	}
	for id := range math.MaxUint16 + 1 {
		if Supported(ike.TransformKE, uint16(id), 0) && id != 0 && groups[ike.Group(id)] == nil {
			t.Errorf("KE %d is supported and not there", id)
		}
		if Supported(ike.TransformPRF, uint16(id), 0) && newPRF(uint16(id), nil).Size() != prfLength(uint16(id)) {
			t.Errorf("PRF %d is supported and not there", id)
		}
	}
	for _, suite := range allSuites(ike.GroupCurve25519) {
		if err := suite.Check(); err != nil {
			t.Errorf("%+v: %v", suite, err)
		}
		l := layout{suite, make([]byte, suite.octets())}
		newProtector(suite, l.encr(true), l.integ(true)) // panics if there is none
		if n := len(largeEntry{}.keys); suite.octets() > n {
			t.Errorf("%+v has %d octets of keys, an entry holds %d", suite, suite.octets(), n)
		}
	}
}

func TestSuiteCheck(t *testing.T) {
	for name, change := range map[string]func(*Suite){
		"no cipher":           func(s *Suite) { s.Encr = 0 },
		"3DES":                func(s *Suite) { s.Encr, s.KeyLength = ike.Encr3DES, 0 },
		"AEAD with integrity": func(s *Suite) { s.Integ = ike.IntegHMACSHA2_256_128 },
		"CBC without":         func(s *Suite) { s.Encr = ike.EncrAESCBC },
		"no PRF":              func(s *Suite) { s.PRF = 0 },
		"no key exchange":     func(s *Suite) { s.Group = 0 },
		"a small group":       func(s *Suite) { s.Group = uint16(ike.GroupMODP1024) },
	} {
		suite := x25519Suite
		change(&suite)
		if err := suite.Check(); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: got %v, want ErrUnsupported", name, err)
		}
	}
}

// The offsets of the seven keys follow section 2.14 and meet without a gap.
func TestLayout(t *testing.T) {
	suite := Suite{Encr: ike.EncrAESCBC, KeyLength: 128, PRF: ike.PRFHMACSHA2_384, Integ: ike.IntegHMACSHA2_512_256}
	keys := make([]byte, suite.octets())
	for i := range keys {
		keys[i] = byte(i)
	}
	l := layout{suite, keys}
	next := 0
	for i, key := range [][]byte{
		l.d(), l.integ(true), l.integ(false), l.encr(true), l.encr(false), l.proof(true), l.proof(false),
	} {
		if want := []int{48, 64, 64, 16, 16, 48, 48}[i]; len(key) != want || key[0] != byte(next) {
			t.Errorf("key %d begins at %d with %d octets, want at %d with %d", i, key[0], len(key), next, want)
		}
		next += len(key)
	}
	if next != len(keys) {
		t.Errorf("seven keys have %d octets of %d", next, len(keys))
	}
}
