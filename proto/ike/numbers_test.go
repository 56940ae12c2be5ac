package ike

import (
	"fmt"
	"testing"
)

// TestNames: what has a name is said by it, what has none by its number. The numbers are those of PROTOCOL.md, table R,
// written out once more: a slip in a constant would otherwise be in its use as well.
func TestNames(t *testing.T) {
	for want, got := range map[string]fmt.Stringer{
		"IKE_SA_INIT": ExchangeType(34), "IKE_AUTH": ExchangeType(35), "CREATE_CHILD_SA": ExchangeType(36),
		"INFORMATIONAL": ExchangeType(37), "IKE_SESSION_RESUME": ExchangeType(38), "IKE_INTERMEDIATE": ExchangeType(43),
		"IKE_FOLLOWUP_KE": ExchangeType(44), "EXCHANGE(243)": ExchangeType(243),

		"SA": PayloadType(33), "KE": PayloadType(34), "IDi": PayloadType(35), "IDr": PayloadType(36), "CERT": PayloadType(37),
		"CERTREQ": PayloadType(38), "AUTH": PayloadType(39), "Nonce": PayloadType(40), "N": PayloadType(41),
		"D": PayloadType(42), "V": PayloadType(43), "TSi": PayloadType(44), "TSr": PayloadType(45), "SK": PayloadType(46),
		"CP": PayloadType(47), "EAP": PayloadType(48), "GSPM": PayloadType(49), "SKF": PayloadType(53), "PS": PayloadType(54),
		"none": PayloadType(0), "PAYLOAD(1)": PayloadType(1),

		"ENCR_3DES": Transform{Type: 1, ID: 3}, "ENCR_AES_CBC_256": Transform{Type: 1, ID: 12, KeyLength: 256},
		"ENCR_AES_CCM_8_128": Transform{Type: 1, ID: 14, KeyLength: 128}, "ENCR_AES_GCM_8_128": Transform{Type: 1, ID: 18, KeyLength: 128},
		"ENCR_AES_GCM_16_128": Transform{Type: 1, ID: 20, KeyLength: 128}, "ENCR_CHACHA20_POLY1305": Transform{Type: 1, ID: 28},
		"ENCR(99)": Transform{Type: 1, ID: 99}, "ENCR_AES_CBC?": Transform{Type: 1, ID: 12, Unknown: true},
		"PRF_HMAC_SHA1": Transform{Type: 2, ID: 2}, "PRF_HMAC_SHA2_256": Transform{Type: 2, ID: 5},
		"PRF_HMAC_SHA2_512": Transform{Type: 2, ID: 7}, "PRF(99)": Transform{Type: 2, ID: 99},
		"NONE": Transform{Type: 3, ID: 0}, "AUTH_HMAC_SHA1_96": Transform{Type: 3, ID: 2},
		"AUTH_HMAC_SHA2_256_128": Transform{Type: 3, ID: 12}, "AUTH_HMAC_SHA2_512_256": Transform{Type: 3, ID: 14},
		"MODP_2048": Transform{Type: 4, ID: 14}, "ECP_256": Transform{Type: 4, ID: 19}, "ECP_521": Transform{Type: 4, ID: 21},
		"Curve25519": Transform{Type: 4, ID: 31}, "Curve448": Transform{Type: 4, ID: 32}, "KE(1025)": Transform{Type: 4, ID: 1025},
		"SN_64": Transform{Type: 5, ID: 1}, "ADDKE1_ML-KEM-768": Transform{Type: 6, ID: 36},
		"ADDKE7_ML-KEM-1024": Transform{Type: 12, ID: 37}, "TRANSFORM(200)(5)": Transform{Type: 200, ID: 5},

		"INVALID_IKE_SPI": NotifyType(4), "INVALID_SYNTAX": NotifyType(7), "NO_PROPOSAL_CHOSEN": NotifyType(14),
		"INVALID_KE_PAYLOAD": NotifyType(17), "AUTHENTICATION_FAILED": NotifyType(24), "SINGLE_PAIR_REQUIRED": NotifyType(34),
		"TS_UNACCEPTABLE": NotifyType(38), "INVALID_SELECTORS": NotifyType(39), "UNACCEPTABLE_ADDRESSES": NotifyType(40),
		"TEMPORARY_FAILURE": NotifyType(43), "CHILD_SA_NOT_FOUND": NotifyType(44), "STATE_NOT_FOUND": NotifyType(47),
		"INITIAL_CONTACT": NotifyType(16384), "NAT_DETECTION_DESTINATION_IP": NotifyType(16389), "COOKIE": NotifyType(16390),
		"REKEY_SA": NotifyType(16393), "NON_FIRST_FRAGMENTS_ALSO": NotifyType(16395), "MOBIKE_SUPPORTED": NotifyType(16396),
		"COOKIE2": NotifyType(16401), "IKEV2_MESSAGE_ID_SYNC": NotifyType(16422), "IKEV2_FRAGMENTATION_SUPPORTED": NotifyType(16430),
		"SIGNATURE_HASH_ALGORITHMS": NotifyType(16431), "INTERMEDIATE_EXCHANGE_SUPPORTED": NotifyType(16438),
		"ADDITIONAL_KEY_EXCHANGE": NotifyType(16441), "PPK_IDENTITY_KEY": NotifyType(16446), "NOTIFY(8192)": NotifyType(8192),

		"RSA": AuthMethod(1), "PSK": AuthMethod(2), "DSS": AuthMethod(3), "NULL": AuthMethod(13),
		"DIGITAL_SIGNATURE": AuthMethod(14), "AUTH(255)": AuthMethod(255),
		"ID_IPV4_ADDR": IDType(1), "ID_FQDN": IDType(2), "ID_RFC822_ADDR": IDType(3), "ID_IPV6_ADDR": IDType(5),
		"ID_DER_ASN1_DN": IDType(9), "ID_KEY_ID": IDType(11), "ID_NULL": IDType(13), "ID(4)": IDType(4),
		"IKE": ProtocolID(1), "AH": ProtocolID(2), "ESP": ProtocolID(3), "PROTOCOL(4)": ProtocolID(4),
		"X509": CertEncoding(4), "RAW_PUBLIC_KEY": CertEncoding(15), "CERT(2)": CertEncoding(2),
		"TS_IPV4_ADDR_RANGE": TSType(7), "TS_IPV6_ADDR_RANGE": TSType(8), "TS(0)": TSType(0),
		"CFG_REQUEST": CPType(1), "CFG_ACK": CPType(4), "CFG(5)": CPType(5),
		"INTERNAL_IP4_ADDRESS": CPAttributeType(1), "INTERNAL_IP6_DNS": CPAttributeType(10),
		"INTERNAL_DNS_DOMAIN": CPAttributeType(25), "ATTRIBUTE(99)": CPAttributeType(99),
		"Request": EAPCode(1), "Failure": EAPCode(4), "EAP(5)": EAPCode(5),
		"SHA2-256": HashAlgorithm(2), "Identity": HashAlgorithm(5), "HASH(9)": HashAlgorithm(9),
		"I|R": FlagInitiator | FlagResponse, "I|V": FlagInitiator | FlagVersion, "I|0x41": FlagInitiator | 0x41, "": Flags(0),
	} {
		if got.String() != want {
			t.Errorf("%#v is said as %q, want %q", got, got.String(), want)
		}
	}
}

func TestIsError(t *testing.T) {
	for n, want := range map[NotifyType]bool{1: true, 44: true, 16383: true, 16384: false, 65535: false} {
		if n.IsError() != want {
			t.Errorf("%v is an error: %v", n, n.IsError())
		}
	}
}
