package conf

import (
	"fmt"

	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/proto/ike"
)

// keyword is one word of a proposal string in strongSwan's spelling.
type keyword struct {
	transform ike.TransformType
	id        uint16
	bits      uint16 // Key Length attribute, 0 where the algorithm takes none
	weak      string // why it is never used, whatever is compiled in; "" if it is good
}

// refusal says why the algorithm cannot be used; "" if it can.
func (k keyword) refusal() string {
	switch {
	case k.weak != "":
		return "is refused: " + k.weak
	case !keys.Supported(k.transform, k.id, k.bits):
		return "is not built into ikejd; use " + goodInstead[k.transform]
	}
	return ""
}

// private stands for algorithms without a number of IANA's, and for numbers nobody built: never supported.
const private = 0xffff

// What RFC 8247 (algorithms for IKEv2), RFC 8221 (for ESP) and RFC 9395 (deprecations) say of the weak ones.
const (
	weakDES      = "DES keys are searched in a day (RFC 8247, section 2.1: MUST NOT); use aes256gcm16"
	weak3DES     = "3DES has blocks of 64 bits (RFC 8247, section 2.1; RFC 8221, section 5: SHOULD NOT); use aes256gcm16"
	weakBlock64  = "its blocks have 64 bits (RFC 9395 deprecates it); use aes256gcm16"
	weakNull     = "it encrypts nothing; use aes256gcm16"
	weakMD5      = "MD5 is broken (RFC 8247, sections 2.2 and 2.3: MUST NOT); use sha256 or prfsha256"
	weakSHA1     = "SHA-1 is on its way out (RFC 8247, sections 2.2 and 2.3: MUST-); use sha256 or prfsha256"
	weakMODP     = "a group this small can be computed (RFC 8247, section 2.4: SHOULD NOT or MUST NOT); use x25519, ecp256 or modp3072"
	weakSubgroup = "its prime and small subgroup come without a proof (RFC 8247, section 2.4); use x25519, ecp256 or modp3072"
	weakCurve    = "a curve this small is below 128 bits; use x25519 or ecp256"
)

var goodInstead = map[ike.TransformType]string{
	ike.TransformENCR:  "aes256gcm16, aes128gcm16, chacha20poly1305 or aes256",
	ike.TransformPRF:   "prfsha256, prfsha384 or prfsha512",
	ike.TransformINTEG: "sha256, sha384 or sha512",
	ike.TransformKE:    "x25519, ecp256, ecp384 or modp3072",
	ike.TransformSN:    "noesn",
}

// keywords are all words that strongSwan knows. Where a word has several spellings all of them are here.
var keywords = func() map[string]keyword {
	words := map[string]keyword{}
	add := func(t ike.TransformType, id, bits uint16, weak string, names ...string) {
		for _, name := range names {
			words[name] = keyword{transform: t, id: id, bits: bits, weak: weak}
		}
	}
	encr := func(id, bits uint16, weak string, names ...string) { add(ike.TransformENCR, id, bits, weak, names...) }
	for _, bits := range []uint16{128, 192, 256} {
		aes, camellia := fmt.Sprintf("aes%d", bits), fmt.Sprintf("camellia%d", bits)
		encr(ike.EncrAESCBC, bits, "", aes)
		encr(ike.EncrAESCTR, bits, "", aes+"ctr")
		encr(ike.EncrAESCCM8, bits, "", aes+"ccm8", aes+"ccm64")
		encr(ike.EncrAESCCM12, bits, "", aes+"ccm12", aes+"ccm96")
		encr(ike.EncrAESCCM16, bits, "", aes+"ccm16", aes+"ccm128")
		encr(ike.EncrAESGCM8, bits, "", aes+"gcm8", aes+"gcm64")
		encr(ike.EncrAESGCM12, bits, "", aes+"gcm12", aes+"gcm96")
		encr(ike.EncrAESGCM16, bits, "", aes+"gcm16", aes+"gcm128", aes+"gcm")
		encr(ike.EncrNullAESGMAC, bits, weakNull, aes+"gmac")
		encr(ike.EncrCamelliaCBC, bits, "", camellia)
		for _, mode := range []string{"ctr", "ccm8", "ccm64", "ccm12", "ccm96", "ccm16", "ccm128"} {
			encr(private, bits, "", camellia+mode)
		}
		encr(private, bits, "", fmt.Sprintf("serpent%d", bits), fmt.Sprintf("twofish%d", bits))
		encr(private, bits, weakBlock64, fmt.Sprintf("blowfish%d", bits))
	}
	encr(ike.EncrAESCBC, 128, "", "aes")
	encr(ike.EncrCamelliaCBC, 128, "", "camellia")
	encr(ike.EncrChaCha20Poly1305, 0, "", "chacha20poly1305", "chachapoly")
	encr(ike.EncrDES, 0, weakDES, "des")
	encr(ike.Encr3DES, 0, weak3DES, "3des")
	encr(ike.EncrNull, 0, weakNull, "null")
	encr(private, 128, weakBlock64, "blowfish", "cast128")
	encr(private, 128, "", "serpent", "twofish")

	integ := func(id uint16, weak string, names ...string) { add(ike.TransformINTEG, id, 0, weak, names...) }
	integ(ike.IntegHMACSHA2_256_128, "", "sha256", "sha2_256")
	integ(ike.IntegHMACSHA2_384_192, "", "sha384", "sha2_384")
	integ(ike.IntegHMACSHA2_512_256, "", "sha512", "sha2_512")
	integ(ike.IntegAESXCBC96, "", "aesxcbc")
	integ(ike.IntegAESCMAC96, "", "aescmac")
	integ(private, "", "sha256_96", "sha2_256_96")
	integ(ike.IntegHMACMD5_96, weakMD5, "md5", "md5_128")
	integ(ike.IntegHMACSHA1_96, weakSHA1, "sha", "sha1", "sha1_160")

	prf := func(id uint16, weak string, names ...string) { add(ike.TransformPRF, id, 0, weak, names...) }
	prf(ike.PRFHMACSHA2_256, "", "prfsha256")
	prf(ike.PRFHMACSHA2_384, "", "prfsha384")
	prf(ike.PRFHMACSHA2_512, "", "prfsha512")
	prf(ike.PRFAES128XCBC, "", "prfaesxcbc")
	prf(ike.PRFAES128CMAC, "", "prfaescmac")
	prf(ike.PRFHMACMD5, weakMD5, "prfmd5")
	prf(ike.PRFHMACSHA1, weakSHA1, "prfsha1")

	group := func(id ike.Group, weak string, names ...string) { add(ike.TransformKE, uint16(id), 0, weak, names...) }
	group(ike.GroupCurve25519, "", "x25519", "curve25519")
	group(ike.GroupCurve448, "", "x448", "curve448")
	group(ike.GroupECP256, "", "ecp256")
	group(ike.GroupECP384, "", "ecp384")
	group(ike.GroupECP521, "", "ecp521")
	group(ike.GroupBrainpool256, "", "ecp256bp")
	group(ike.GroupBrainpool384, "", "ecp384bp")
	group(ike.GroupBrainpool512, "", "ecp512bp")
	group(ike.GroupMODP2048, "", "modp2048")
	group(ike.GroupMODP3072, "", "modp3072")
	group(ike.GroupMODP4096, "", "modp4096")
	group(ike.GroupMODP6144, "", "modp6144")
	group(ike.GroupMODP8192, "", "modp8192")
	group(ike.GroupMLKEM512, "", "mlkem512")
	group(ike.GroupMLKEM768, "", "mlkem768")
	group(ike.GroupMLKEM1024, "", "mlkem1024")
	group(ike.GroupMODP768, weakMODP, "modp768")
	group(ike.GroupMODP1024, weakMODP, "modp1024")
	group(ike.GroupMODP1536, weakMODP, "modp1536")
	group(private, weakSubgroup, "modp1024s160", "modp2048s224", "modp2048s256")
	group(private, weakCurve, "ecp192", "ecp224", "ecp224bp")
	group(private, "no key is exchanged; use x25519, ecp256 or modp3072", "modpnull")
	group(private, "", "newhope128", "ntru112", "ntru128", "ntru192", "ntru256")
	group(ike.GroupNone, "", "none", "modpnone")

	add(ike.TransformSN, ike.SN32, 0, "", "noesn")
	add(ike.TransformSN, ike.SN64, 0, "", "esn")
	return words
}()

// prfOfInteg is the PRF that goes with an integrity algorithm where a proposal names none, as strongSwan takes it.
var prfOfInteg = map[uint16]uint16{
	ike.IntegHMACSHA2_256_128: ike.PRFHMACSHA2_256,
	ike.IntegHMACSHA2_384_192: ike.PRFHMACSHA2_384,
	ike.IntegHMACSHA2_512_256: ike.PRFHMACSHA2_512,
}

// isAEAD says whether a cipher protects integrity itself (RFC 5282, RFC 7634).
func isAEAD(encr uint16) bool {
	return encr >= ike.EncrAESCCM8 && encr <= ike.EncrAESGCM16 || encr == ike.EncrChaCha20Poly1305
}
