package ike

import (
	"encoding/binary"
	"strconv"
)

// The short form of a message, as the RFC writes one: {D(IKE)}, {N(REKEY_SA) SA Ni KEi TSi TSr}. The journal, the
// timeline, logs and tests all print a message by it (REPLAY-UX.md). Nothing a peer chose is in it but numbers, so
// nothing needs quoting, and its length is bounded whatever came.

const (
	describedPayloads = 16 // then an ellipsis: an honest message has fewer
	describedSPIs     = 4
)

// Describe is the short form of the payloads in plaintext, the first of type first, as of a request: Ni, KEi. What
// cannot be read ends it with the reason: {SA malformed: payload longer than the message}.
func Describe(first PayloadType, plaintext []byte) string {
	return describe(words{}, first, plaintext)
}

// DescribeMessage is Describe with the words of the exchange and direction of h: SAi1 and KEi in an IKE_SA_INIT
// request, SAr2 in an IKE_AUTH response, Nr in any response. plaintext is what follows the header, or, for a protected
// message, what was inside its Encrypted payload, with first as named there.
func DescribeMessage(h Header, first PayloadType, plaintext []byte) string {
	return describe(words{exchange: h.Exchange, response: h.Response()}, first, plaintext)
}

// words is what a payload's word depends on besides its type.
type words struct {
	exchange ExchangeType
	response bool
}

func describe(w words, first PayloadType, plaintext []byte) string {
	var p Payloads
	err := ParsePayloads(first, plaintext, &p)
	out := []byte{'{'}
	for i, payload := range p.All() {
		if i > 0 {
			out = append(out, ' ')
		}
		if i == describedPayloads {
			out = append(out, "…"...)
			break
		}
		out = append(out, w.payload(payload)...)
	}
	if err != nil {
		if len(out) > 1 {
			out = append(out, ' ')
		}
		out = append(out, err.Error()...)
	}
	return string(append(out, '}'))
}

// payload is one payload's word. One whose body cannot be read has a question mark in place of what would be inside.
func (w words) payload(p Payload) string {
	side := "i"
	if w.response {
		side = "r"
	}
	switch p.Type {
	case PayloadSA:
		switch w.exchange {
		case IKE_SA_INIT:
			return "SA" + side + "1"
		case IKE_AUTH:
			return "SA" + side + "2"
		default:
			return "SA"
		}
	case PayloadKE:
		return "KE" + side
	case PayloadNonce:
		return "N" + side
	case PayloadNotify:
		if n, err := ParseNotify(p.Body); err == nil {
			return "N(" + n.Type.String() + ")"
		}
		return "N(?)"
	case PayloadDelete:
		return "D(" + describeDelete(p.Body) + ")"
	case PayloadCP:
		if c, err := ParseConfiguration(p.Body); err == nil {
			return "CP(" + c.Type.String() + ")"
		}
		return "CP(?)"
	case PayloadEAP:
		if e, err := ParseEAP(p.Body); err == nil {
			return "EAP(" + e.Code.String() + ")"
		}
		return "EAP(?)"
	case PayloadSKF:
		if len(p.Body) < 4 {
			return "SKF(?)"
		}
		fragment, total := binary.BigEndian.Uint16(p.Body), binary.BigEndian.Uint16(p.Body[2:])
		return "SKF(" + strconv.Itoa(int(fragment)) + "/" + strconv.Itoa(int(total)) + ")"
	default:
		return p.Type.String()
	}
}

// describeDelete is IKE, or the SPIs as `why 0xc1f2` and `ip xfrm` write them, eight hex digits each.
func describeDelete(body []byte) string {
	d, err := ParseDelete(body)
	if err != nil {
		return "?"
	}
	if d.Protocol == ProtocolIKE {
		return "IKE"
	}
	out := []byte{}
	for i, spi := range d.SPIs {
		if i > 0 {
			out = append(out, ' ')
		}
		if i == describedSPIs {
			return string(append(out, "…"...))
		}
		for shift := 24; shift >= 0; shift -= 8 {
			out = append(out, hexOctet(uint8(spi>>shift))...)
		}
	}
	return string(out)
}
