package ike

import "encoding/binary"

// The EAP payload (RFC 7296, section 3.16): one EAP message (RFC 3748, section 4), carried as it is.

// EAPCode is what an EAP message is.
type EAPCode uint8

// EAP codes: RFC 3748 section 4.
const (
	EAPRequest  EAPCode = 1
	EAPResponse EAPCode = 2
	EAPSuccess  EAPCode = 3
	EAPFailure  EAPCode = 4
)

func (c EAPCode) String() string { return nameOf(eapNames, "EAP", c) }

var eapNames = map[EAPCode]string{
	EAPRequest: "Request", EAPResponse: "Response", EAPSuccess: "Success", EAPFailure: "Failure",
}

// EAP is one EAP message. Type and Data are of requests and responses only. The payload's body, which AppendBody gives,
// is the message that goes to a RADIUS server.
type EAP struct {
	Code       EAPCode
	Identifier uint8
	Type       uint8
	Data       []byte
}

const (
	errEAPLength = Malformed("EAP length is not the payload's")
	errEAPCode   = Malformed("EAP code is none of the four")
)

// ParseEAP reads an EAP payload's body (PROTOCOL.md N-53). Success and Failure are 4 octets, the others 5 at least.
func ParseEAP(body []byte) (EAP, error) {
	if len(body) < 4 || int(binary.BigEndian.Uint16(body[2:])) != len(body) {
		return EAP{}, errEAPLength
	}
	e := EAP{Code: EAPCode(body[0]), Identifier: body[1]}
	switch e.Code {
	case EAPSuccess, EAPFailure:
		if len(body) != 4 {
			return EAP{}, errEAPLength
		}
	case EAPRequest, EAPResponse:
		if len(body) < 5 {
			return EAP{}, errEAPLength
		}
		e.Type, e.Data = body[4], body[5:]
	default:
		return EAP{}, errEAPCode
	}
	return e, nil
}

// PayloadType is EAP.
func (EAP) PayloadType() PayloadType { return PayloadEAP }

// AppendBody writes the EAP payload.
func (e EAP) AppendBody(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, byte(e.Code), e.Identifier, 0, 0)
	if e.Code == EAPRequest || e.Code == EAPResponse {
		dst = append(append(dst, e.Type), e.Data...)
	}
	binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start))
	return dst
}
