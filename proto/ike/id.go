package ike

// The Identification payloads, IDi and IDr (RFC 7296, section 3.5). What a name means and when two are the same is for
// effects/creds; the body's octets are also what AUTH signs (section 2.15), so they are never normalised.

// IDType is what kind of name an identity is.
type IDType uint8

// ID types: RFC 7296 section 3.5; ID_NULL RFC 7619.
const (
	IDIPv4Addr   IDType = 1
	IDFQDN       IDType = 2
	IDRFC822Addr IDType = 3
	IDIPv6Addr   IDType = 5
	IDDERASN1DN  IDType = 9
	IDDERASN1GN  IDType = 10
	IDKeyID      IDType = 11
	IDFCName     IDType = 12
	IDNull       IDType = 13
)

func (t IDType) String() string { return nameOf(idNames, "ID", t) }

var idNames = map[IDType]string{
	IDIPv4Addr: "ID_IPV4_ADDR", IDFQDN: "ID_FQDN", IDRFC822Addr: "ID_RFC822_ADDR", IDIPv6Addr: "ID_IPV6_ADDR",
	IDDERASN1DN: "ID_DER_ASN1_DN", IDDERASN1GN: "ID_DER_ASN1_GN", IDKeyID: "ID_KEY_ID", IDFCName: "ID_FC_NAME",
	IDNull: "ID_NULL",
}

// Identification is IDi where Initiator is true, else IDr. Data is a stranger's text until AUTH is verified, and quoted
// wherever it is shown.
type Identification struct {
	Initiator bool
	Type      IDType
	Data      []byte
}

const (
	errIDShort   = Malformed("ID payload cut short")
	errIDAddress = Malformed("ID address is not 4 or 16 octets")
)

// ParseIdentification reads the body of an IDi (t is PayloadIDi) or IDr. Types we do not know are kept: nobody is
// configured by them, so they end as an unknown identity (PROTOCOL.md N-46). Addresses must have their length.
func ParseIdentification(t PayloadType, body []byte) (Identification, error) {
	if len(body) < 4 {
		return Identification{}, errIDShort
	}
	id := Identification{Initiator: t == PayloadIDi, Type: IDType(body[0]), Data: body[4:]}
	if id.Type == IDIPv4Addr && len(id.Data) != 4 || id.Type == IDIPv6Addr && len(id.Data) != 16 {
		return Identification{}, errIDAddress
	}
	return id, nil
}

// PayloadType is IDi or IDr.
func (id Identification) PayloadType() PayloadType {
	if id.Initiator {
		return PayloadIDi
	}
	return PayloadIDr
}

// AppendBody writes the ID payload. This is also the RestOfInitIDPayload or RestOfRespIDPayload that AUTH covers.
func (id Identification) AppendBody(dst []byte) []byte {
	return append(append(dst, byte(id.Type), 0, 0, 0), id.Data...)
}
