package keys

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/testshared"
)

type kdfVectors struct {
	Vectors []struct {
		ID, PRF, Step         string
		Gir, Ni, Nr, Skeyseed octets
		SKd                   octets `json:"sk_d"`
		GirNew                octets `json:"gir_new"`
		Key, Seed, OKM        octets
		SPIi, SPIr, DKM       octets
		DKMChild              octets `json:"dkm_child"`
		DKMChildDH            octets `json:"dkm_child_dh"`
		SkeyseedRekey         octets `json:"skeyseed_rekey"`
	}
}

var prfByName = map[string]uint16{
	"HMAC_SHA1": ike.PRFHMACSHA1, "HMAC_SHA2_256": ike.PRFHMACSHA2_256,
	"HMAC_SHA2_384": ike.PRFHMACSHA2_384, "HMAC_SHA2_512": ike.PRFHMACSHA2_512,
}

func TestKDF(t *testing.T) { testKDF(t, "testdata/kdf_nist.json") }

func TestKDFShared(t *testing.T) { testKDF(t, testshared.Path(t, "vectors/kdf/ikev2_kdf_nist.json")) }

func testKDF(t *testing.T, path string) {
	var vectors kdfVectors
	readJSON(t, path, &vectors)
	for _, v := range vectors.Vectors {
		prf, ok := prfByName[v.PRF]
		if !ok {
			if v.PRF != "AES128_XCBC" { // we have none: it is neither negotiated nor in the captures
				t.Errorf("%s: PRF %s is not one we know of", v.ID, v.PRF)
			}
			continue
		}
		equal := func(what string, got []byte, want octets) {
			t.Helper()
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %s is %x, want %x", v.ID, what, got, []byte(want))
			}
		}
		switch {
		case strings.HasPrefix(v.Step, "SKEYSEED ="):
			equal("SKEYSEED", skeyseed(prf, v.Ni, v.Nr, v.Gir), v.Skeyseed)
		case strings.HasPrefix(v.Step, "SKEYSEED(rekey)"):
			equal("SKEYSEED of a rekey", skeyseedRekey(prf, v.SKd, v.GirNew, v.Ni, v.Nr), v.Skeyseed)
		case strings.HasPrefix(v.Step, "prf+"):
			equal("prf+", prfPlus(prf, v.Key, v.Seed, len(v.OKM)), v.OKM)
		case strings.HasPrefix(v.Step, "all five"):
			seed := skeyseed(prf, v.Ni, v.Nr, v.Gir)
			equal("SKEYSEED", seed, v.Skeyseed)
			dkm := prfPlus(prf, seed, slices.Concat(v.Ni, v.Nr, v.SPIi, v.SPIr), len(v.DKM))
			equal("the IKE SA's keys", dkm, v.DKM)
			skd := dkm[:len(seed)]
			equal("KEYMAT", keymat(prf, skd, nil, v.Ni, v.Nr, len(v.DKMChild)), v.DKMChild)
			equal("KEYMAT with a key exchange", keymat(prf, skd, v.GirNew, v.Ni, v.Nr, len(v.DKMChildDH)), v.DKMChildDH)
			equal("SKEYSEED of a rekey", skeyseedRekey(prf, skd, v.GirNew, v.Ni, v.Nr), v.SkeyseedRekey)
		default:
			t.Errorf("%s: step %q is none of those", v.ID, v.Step)
		}
	}
	if len(vectors.Vectors) < 20 {
		t.Errorf("%d vectors, want all", len(vectors.Vectors))
	}
}

// Section 2.13: the counter is one octet.
func TestPRFPlusEnds(t *testing.T) {
	prfPlus(ike.PRFHMACSHA2_256, []byte("k"), []byte("s"), 255*32)
	defer func() {
		if recover() == nil {
			t.Error("a 256th block was made")
		}
	}()
	prfPlus(ike.PRFHMACSHA2_256, []byte("k"), []byte("s"), 255*32+1)
}
