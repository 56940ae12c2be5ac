package ike

// The numbers of the IKEv2 header and of the payload headers (RFC 7296, sections 3.1, 3.2, 3.3.1). Each payload's own
// numbers stand in its file; notify types in notify_types.go, algorithms in algorithms.go.

// Versions: we speak 2.0. What other versions are answered with is the door's (PROTOCOL.md ).
const (
	MajorVersion = 2
	MinorVersion = 0
)

// PayloadType is the Next Payload octet.
type PayloadType uint8

// Payload types: RFC 7296 section 3.2; GSPM RFC 6467, SKF RFC 7383 section 2.5, PS RFC 8019 section 8.2.
const (
	NoNextPayload   PayloadType = 0
	PayloadSA       PayloadType = 33
	PayloadKE       PayloadType = 34
	PayloadIDi      PayloadType = 35
	PayloadIDr      PayloadType = 36
	PayloadCERT     PayloadType = 37
	PayloadCERTREQ  PayloadType = 38
	PayloadAUTH     PayloadType = 39
	PayloadNonce    PayloadType = 40
	PayloadNotify   PayloadType = 41
	PayloadDelete   PayloadType = 42
	PayloadVendorID PayloadType = 43
	PayloadTSi      PayloadType = 44
	PayloadTSr      PayloadType = 45
	PayloadSK       PayloadType = 46
	PayloadCP       PayloadType = 47
	PayloadEAP      PayloadType = 48
	PayloadGSPM     PayloadType = 49
	PayloadSKF      PayloadType = 53
	PayloadPS       PayloadType = 54
)

// Known says whether we understand payloads of this type. The critical bit matters for the others only (section 2.5).
// GSPM and PS have numbers and names here, but we do neither, so they are unknown.
func (t PayloadType) Known() bool { return t >= PayloadSA && t <= PayloadEAP || t == PayloadSKF }

func (t PayloadType) String() string { return nameOf(payloadNames, "PAYLOAD", t) }

var payloadNames = map[PayloadType]string{
	NoNextPayload: "none", PayloadSA: "SA", PayloadKE: "KE", PayloadIDi: "IDi", PayloadIDr: "IDr", PayloadCERT: "CERT",
	PayloadCERTREQ: "CERTREQ", PayloadAUTH: "AUTH", PayloadNonce: "Nonce", PayloadNotify: "N", PayloadDelete: "D",
	PayloadVendorID: "V", PayloadTSi: "TSi", PayloadTSr: "TSr", PayloadSK: "SK", PayloadCP: "CP", PayloadEAP: "EAP",
	PayloadGSPM: "GSPM", PayloadSKF: "SKF", PayloadPS: "PS",
}

// ExchangeType is what kind of request and response a message is half of.
type ExchangeType uint8

// Exchange types: RFC 7296 section 3.1; IKE_SESSION_RESUME RFC 5723, IKE_INTERMEDIATE RFC 9242, IKE_FOLLOWUP_KE RFC 9370.
const (
	IKE_SA_INIT        ExchangeType = 34
	IKE_AUTH           ExchangeType = 35
	CREATE_CHILD_SA    ExchangeType = 36
	INFORMATIONAL      ExchangeType = 37
	IKE_SESSION_RESUME ExchangeType = 38
	IKE_INTERMEDIATE   ExchangeType = 43
	IKE_FOLLOWUP_KE    ExchangeType = 44
)

func (x ExchangeType) String() string { return nameOf(exchangeNames, "EXCHANGE", x) }

var exchangeNames = map[ExchangeType]string{
	IKE_SA_INIT: "IKE_SA_INIT", IKE_AUTH: "IKE_AUTH", CREATE_CHILD_SA: "CREATE_CHILD_SA", INFORMATIONAL: "INFORMATIONAL",
	IKE_SESSION_RESUME: "IKE_SESSION_RESUME", IKE_INTERMEDIATE: "IKE_INTERMEDIATE", IKE_FOLLOWUP_KE: "IKE_FOLLOWUP_KE",
}

// Flags is the flags octet of the header. Bits without a name are reserved: sent as 0, ignored on receipt.
type Flags uint8

const (
	FlagInitiator Flags = 0x08 // the sender is the original initiator of the IKE SA
	FlagVersion   Flags = 0x10 // the sender could speak a higher major version
	FlagResponse  Flags = 0x20
)

// String is the letters of the RFC, I, V and R, and the reserved bits as a number where any is set: "I|R|0x41".
func (f Flags) String() string {
	text := ""
	add := func(word string) {
		if text != "" {
			text += "|"
		}
		text += word
	}
	for _, bit := range []struct {
		flag Flags
		word string
	}{{FlagInitiator, "I"}, {FlagVersion, "V"}, {FlagResponse, "R"}} {
		if f&bit.flag != 0 {
			add(bit.word)
		}
	}
	if rest := f &^ (FlagInitiator | FlagVersion | FlagResponse); rest != 0 {
		add("0x" + hexOctet(uint8(rest)))
	}
	return text
}

// ProtocolID says of which protocol an SPI is.
type ProtocolID uint8

// Protocols: RFC 7296 section 3.3.1. 0 stands in a Notify that is about no SPI.
const (
	ProtocolNone ProtocolID = 0
	ProtocolIKE  ProtocolID = 1
	ProtocolAH   ProtocolID = 2
	ProtocolESP  ProtocolID = 3
)

func (p ProtocolID) String() string { return nameOf(protocolNames, "PROTOCOL", p) }

var protocolNames = map[ProtocolID]string{ProtocolNone: "none", ProtocolIKE: "IKE", ProtocolAH: "AH", ProtocolESP: "ESP"}
