package ike

// Transform types and algorithm numbers (RFC 7296 section 3.3.2; requirements in RFC 8247 and RFC 8221). A number here
// means that it has a name, not that we would ever choose it: what is offered is policy.

// TransformType is what a transform is for.
type TransformType uint8

// Transform types: RFC 7296 section 3.3.2 (4 renamed by RFC 9370, 5 by RFC 9827); 6 to 12 RFC 9370 section 2.2.1.
const (
	TransformENCR   TransformType = 1
	TransformPRF    TransformType = 2
	TransformINTEG  TransformType = 3
	TransformKE     TransformType = 4
	TransformSN     TransformType = 5
	TransformADDKE1 TransformType = 6
	TransformADDKE2 TransformType = 7
	TransformADDKE3 TransformType = 8
	TransformADDKE4 TransformType = 9
	TransformADDKE5 TransformType = 10
	TransformADDKE6 TransformType = 11
	TransformADDKE7 TransformType = 12
)

func (t TransformType) String() string { return nameOf(transformTypeNames, "TRANSFORM", t) }

// Known says whether a proposal with a transform of this type can be chosen at all (section 3.3.6, PROTOCOL.md N-20).
func (t TransformType) Known() bool { return t >= TransformENCR && t <= TransformADDKE7 }

var transformTypeNames = map[TransformType]string{
	TransformENCR: "ENCR", TransformPRF: "PRF", TransformINTEG: "INTEG", TransformKE: "KE", TransformSN: "SN",
	TransformADDKE1: "ADDKE1", TransformADDKE2: "ADDKE2", TransformADDKE3: "ADDKE3", TransformADDKE4: "ADDKE4",
	TransformADDKE5: "ADDKE5", TransformADDKE6: "ADDKE6", TransformADDKE7: "ADDKE7",
}

// ENCR, transform type 1: RFC 7296; AES-CCM and AES-GCM in IKE RFC 5282; ChaCha20 RFC 7634; implicit IV RFC 8750.
const (
	EncrDES              uint16 = 2
	Encr3DES             uint16 = 3
	EncrNull             uint16 = 11
	EncrAESCBC           uint16 = 12
	EncrAESCTR           uint16 = 13
	EncrAESCCM8          uint16 = 14
	EncrAESCCM12         uint16 = 15
	EncrAESCCM16         uint16 = 16
	EncrAESGCM8          uint16 = 18
	EncrAESGCM12         uint16 = 19
	EncrAESGCM16         uint16 = 20
	EncrNullAESGMAC      uint16 = 21
	EncrCamelliaCBC      uint16 = 23
	EncrChaCha20Poly1305 uint16 = 28
	EncrAESCCM8IIV       uint16 = 29
	EncrAESGCM16IIV      uint16 = 30
	EncrChaCha20IIV      uint16 = 31
)

var encrNames = map[uint16]string{
	EncrDES: "ENCR_DES", Encr3DES: "ENCR_3DES", EncrNull: "ENCR_NULL", EncrAESCBC: "ENCR_AES_CBC",
	EncrAESCTR: "ENCR_AES_CTR", EncrAESCCM8: "ENCR_AES_CCM_8", EncrAESCCM12: "ENCR_AES_CCM_12",
	EncrAESCCM16: "ENCR_AES_CCM_16", EncrAESGCM8: "ENCR_AES_GCM_8", EncrAESGCM12: "ENCR_AES_GCM_12",
	EncrAESGCM16: "ENCR_AES_GCM_16", EncrNullAESGMAC: "ENCR_NULL_AUTH_AES_GMAC", EncrCamelliaCBC: "ENCR_CAMELLIA_CBC",
	EncrChaCha20Poly1305: "ENCR_CHACHA20_POLY1305", EncrAESCCM8IIV: "ENCR_AES_CCM_8_IIV",
	EncrAESGCM16IIV: "ENCR_AES_GCM_16_IIV", EncrChaCha20IIV: "ENCR_CHACHA20_POLY1305_IIV",
}

// PRF, transform type 2: RFC 7296, RFC 4434, RFC 4868, RFC 4615.
const (
	PRFHMACMD5      uint16 = 1
	PRFHMACSHA1     uint16 = 2
	PRFAES128XCBC   uint16 = 4
	PRFHMACSHA2_256 uint16 = 5
	PRFHMACSHA2_384 uint16 = 6
	PRFHMACSHA2_512 uint16 = 7
	PRFAES128CMAC   uint16 = 8
)

var prfNames = map[uint16]string{
	PRFHMACMD5: "PRF_HMAC_MD5", PRFHMACSHA1: "PRF_HMAC_SHA1", PRFAES128XCBC: "PRF_AES128_XCBC",
	PRFHMACSHA2_256: "PRF_HMAC_SHA2_256", PRFHMACSHA2_384: "PRF_HMAC_SHA2_384", PRFHMACSHA2_512: "PRF_HMAC_SHA2_512",
	PRFAES128CMAC: "PRF_AES128_CMAC",
}

// INTEG, transform type 3: RFC 7296, RFC 4494 (CMAC), RFC 4595 (160), RFC 4868.
const (
	IntegNone             uint16 = 0
	IntegHMACMD5_96       uint16 = 1
	IntegHMACSHA1_96      uint16 = 2
	IntegAESXCBC96        uint16 = 5
	IntegHMACSHA1_160     uint16 = 7
	IntegAESCMAC96        uint16 = 8
	IntegHMACSHA2_256_128 uint16 = 12
	IntegHMACSHA2_384_192 uint16 = 13
	IntegHMACSHA2_512_256 uint16 = 14
)

var integNames = map[uint16]string{
	IntegNone: "NONE", IntegHMACMD5_96: "AUTH_HMAC_MD5_96", IntegHMACSHA1_96: "AUTH_HMAC_SHA1_96",
	IntegAESXCBC96: "AUTH_AES_XCBC_96", IntegHMACSHA1_160: "AUTH_HMAC_SHA1_160", IntegAESCMAC96: "AUTH_AES_CMAC_96",
	IntegHMACSHA2_256_128: "AUTH_HMAC_SHA2_256_128", IntegHMACSHA2_384_192: "AUTH_HMAC_SHA2_384_192",
	IntegHMACSHA2_512_256: "AUTH_HMAC_SHA2_512_256",
}

// SN, transform type 5: RFC 7296 section 3.3.2 under the name of Extended Sequence Numbers; RFC 9827.
const (
	SN32            uint16 = 0 // 32-bit sequential
	SN64            uint16 = 1 // partially transmitted 64-bit sequential, ESN of old
	SN32Unspecified uint16 = 2 // 32-bit, of no order the receiver may rely on
)

var snNames = map[uint16]string{SN32: "SN_32", SN64: "SN_64", SN32Unspecified: "SN_32_UNSPECIFIED"}

// Group is a key exchange method, transform types 4 and 6 to 12.
type Group uint16

// Key exchange methods: RFC 3526 (MODP), RFC 5903 (ECP), RFC 6954 (brainpool), RFC 8031 (Curve25519, Curve448),
// draft-ietf-ipsecme-ikev2-mlkem.
const (
	GroupNone         Group = 0
	GroupMODP768      Group = 1
	GroupMODP1024     Group = 2
	GroupMODP1536     Group = 5
	GroupMODP2048     Group = 14
	GroupMODP3072     Group = 15
	GroupMODP4096     Group = 16
	GroupMODP6144     Group = 17
	GroupMODP8192     Group = 18
	GroupECP256       Group = 19
	GroupECP384       Group = 20
	GroupECP521       Group = 21
	GroupBrainpool256 Group = 28
	GroupBrainpool384 Group = 29
	GroupBrainpool512 Group = 30
	GroupCurve25519   Group = 31
	GroupCurve448     Group = 32
	GroupMLKEM512     Group = 35
	GroupMLKEM768     Group = 36
	GroupMLKEM1024    Group = 37
)

func (g Group) String() string { return nameOf(groupNames, "KE", g) }

var groupNames = map[Group]string{
	GroupNone: "NONE", GroupMODP768: "MODP_768", GroupMODP1024: "MODP_1024", GroupMODP1536: "MODP_1536",
	GroupMODP2048: "MODP_2048", GroupMODP3072: "MODP_3072", GroupMODP4096: "MODP_4096", GroupMODP6144: "MODP_6144",
	GroupMODP8192: "MODP_8192", GroupECP256: "ECP_256", GroupECP384: "ECP_384", GroupECP521: "ECP_521",
	GroupBrainpool256: "brainpoolP256r1", GroupBrainpool384: "brainpoolP384r1", GroupBrainpool512: "brainpoolP512r1",
	GroupCurve25519: "Curve25519", GroupCurve448: "Curve448", GroupMLKEM512: "ML-KEM-512", GroupMLKEM768: "ML-KEM-768",
	GroupMLKEM1024: "ML-KEM-1024",
}

// algorithmName is the name of an id under its transform type: the same number means another thing under each.
func algorithmName(t TransformType, id uint16) string {
	switch t {
	case TransformENCR:
		return nameOf(encrNames, "ENCR", id)
	case TransformPRF:
		return nameOf(prfNames, "PRF", id)
	case TransformINTEG:
		return nameOf(integNames, "INTEG", id)
	case TransformSN:
		return nameOf(snNames, "SN", id)
	case TransformKE:
		return Group(id).String()
	case TransformADDKE1, TransformADDKE2, TransformADDKE3, TransformADDKE4, TransformADDKE5, TransformADDKE6,
		TransformADDKE7:
		return t.String() + "_" + Group(id).String()
	default:
		return nameOf(nil, t.String(), id)
	}
}
