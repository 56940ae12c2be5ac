package ike

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// What we make is read as it was made, whatever it is: the other half of the tables, which go from the wire.

func bytesOf(low, high int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), low, high) }

func drawTransform(t *rapid.T) Transform {
	return Transform{
		Type:      TransformType(rapid.Byte().Draw(t, "type")),
		ID:        rapid.Uint16().Draw(t, "id"),
		KeyLength: rapid.Uint16().Draw(t, "keyLength"),
	}
}

func drawSA(t *rapid.T) SA {
	sa := SA{}
	for i := range rapid.IntRange(1, 6).Draw(t, "proposals") {
		p := Proposal{Number: uint8(i + 1), Transforms: rapid.SliceOfN(rapid.Custom(drawTransform), 1, 9).Draw(t, "transforms")}
		p.Protocol = ProtocolID(rapid.IntRange(1, 3).Draw(t, "protocol"))
		size := 4
		if p.Protocol == ProtocolIKE {
			size = rapid.SampledFrom([]int{0, 8}).Draw(t, "size")
		}
		if p.SPI = bytesOf(size, size).Draw(t, "spi"); size > 0 {
			p.SPI[0] |= 1 // no reserved SPI
		}
		sa.Proposals = append(sa.Proposals, p)
	}
	return sa
}

func drawSelector(t *rapid.T) Selector {
	s := Selector{Protocol: rapid.Byte().Draw(t, "protocol")}
	size := 4
	switch s.Type = rapid.SampledFrom([]TSType{TSIPv4AddrRange, TSIPv6AddrRange, TSSecLabel}).Draw(t, "type"); s.Type {
	case TSSecLabel:
		s.Raw = bytesOf(0, 40).Draw(t, "raw")
		return s
	case TSIPv6AddrRange:
		size = 16
	}
	s.Start, _ = netip.AddrFromSlice(bytesOf(size, size).Draw(t, "start"))
	s.End, _ = netip.AddrFromSlice(bytesOf(size, size).Draw(t, "end"))
	if s.End.Less(s.Start) {
		s.Start, s.End = s.End, s.Start
	}
	if s.StartPort, s.EndPort = rapid.Uint16().Draw(t, "from"), rapid.Uint16().Draw(t, "to"); s.StartPort > s.EndPort {
		s.StartPort, s.EndPort = 0xffff, 0
	}
	return s
}

func drawAttribute(t *rapid.T) CPAttribute {
	a := CPAttribute{Type: CPAttributeType(rapid.IntRange(0, 0x7fff).Draw(t, "type"))}
	if size, fixed := cpValueLen[a.Type]; fixed {
		a.Value = bytesOf(size, size).Draw(t, "value")
	} else {
		a.Value = bytesOf(0, 40).Draw(t, "value")
	}
	return a
}

// drawBody is any payload we could make.
func drawBody(t *rapid.T) Body {
	data := func(low, high int) []byte { return bytesOf(low, high).Draw(t, "data") }
	octet := func(label string) uint8 { return rapid.Byte().Draw(t, label) }
	side := rapid.Bool().Draw(t, "side")
	switch kind := rapid.IntRange(0, 13).Draw(t, "kind"); kind {
	case 0:
		return drawSA(t)
	case 1:
		return KeyExchange{Group: Group(rapid.Uint16().Draw(t, "group")), Data: data(0, 300)}
	case 2:
		id := Identification{Initiator: side, Type: IDType(octet("type"))}
		switch id.Type {
		case IDIPv4Addr:
			id.Data = data(4, 4)
		case IDIPv6Addr:
			id.Data = data(16, 16)
		default:
			id.Data = data(0, 60)
		}
		return id
	case 3:
		return Certificate{Encoding: CertEncoding(octet("encoding")), Data: data(0, 60)}
	case 4:
		return CertRequest{Encoding: CertEncoding(octet("encoding")), Authorities: data(0, 60)}
	case 5:
		return Auth{Method: AuthMethod(octet("method")), Data: data(0, 60)}
	case 6:
		return Nonce{Data: data(MinNonce, MaxNonce)}
	case 7:
		return Notify{Protocol: ProtocolID(octet("protocol")), SPI: data(0, 255), Type: NotifyType(rapid.Uint16().Draw(t, "type")),
			Data: data(0, 60)}
	case 8:
		d := Delete{Protocol: ProtocolID(rapid.IntRange(1, 3).Draw(t, "protocol"))}
		if d.Protocol != ProtocolIKE {
			d.SPIs = rapid.SliceOf(rapid.Uint32()).Draw(t, "spis")
		}
		return d
	case 9:
		return VendorID{Data: data(0, 60)}
	case 10:
		return TrafficSelectors{Initiator: side, Selectors: rapid.SliceOfN(rapid.Custom(drawSelector), 1, 255).Draw(t, "selectors")}
	case 11:
		return Configuration{Type: CPType(octet("type")),
			Attributes: rapid.SliceOfN(rapid.Custom(drawAttribute), 0, MaxCPAttributes).Draw(t, "attributes")}
	case 12:
		e := EAP{Code: EAPCode(rapid.IntRange(1, 4).Draw(t, "code")), Identifier: octet("identifier")}
		if e.Code == EAPRequest || e.Code == EAPResponse {
			e.Type, e.Data = octet("type"), data(0, 60)
		}
		return e
	default:
		return Payload{Type: PayloadType(rapid.IntRange(100, 255).Draw(t, "type")), Body: data(0, 60)}
	}
}

func drawHeader(t *rapid.T) Header {
	return Header{
		SPIi: rapid.Uint64().Draw(t, "spii"), SPIr: rapid.Uint64().Draw(t, "spir"),
		Exchange: ExchangeType(rapid.Byte().Draw(t, "exchange")), MessageID: rapid.Uint32().Draw(t, "id"),
		Flags: rapid.SampledFrom([]Flags{0, FlagInitiator, FlagResponse, FlagInitiator | FlagResponse}).Draw(t, "flags"),
	}
}

func TestRoundTripBody(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := drawBody(rt)
		got, err := parseBody(want.PayloadType(), want.AppendBody(nil))
		mustBe(rt, err, "")
		same(rt, got, want)
	})
}

func TestRoundTripMessage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h, bodies := drawHeader(rt), rapid.SliceOfN(rapid.Custom(drawBody), 0, 8).Draw(rt, "bodies")
		msg := AppendMessage(nil, h, bodies...)
		got, err := ParseHeader(msg)
		mustBe(rt, err, "")
		mustBe(rt, got.CheckLength(len(msg)), "")
		h.Major, h.NextPayload, h.Length = 2, got.NextPayload, uint32(len(msg))
		same(rt, got, h)

		var p Payloads
		mustBe(rt, ParsePayloads(got.NextPayload, msg[HeaderLen:], &p), "")
		if len(p.All()) != len(bodies) {
			rt.Fatalf("%d payloads of %d", len(p.All()), len(bodies))
		}
		again := make([]Body, 0, len(bodies))
		for i, payload := range p.All() {
			body, err := parseBody(payload.Type, payload.Body)
			mustBe(rt, err, "")
			same(rt, body, bodies[i])
			again = append(again, body)
		}
		same(rt, AppendMessage(nil, got, again...), msg)
	})
}

func TestRoundTripSK(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h, body := drawHeader(rt), bytesOf(0, 100).Draw(rt, "body")
		first := PayloadType(rapid.IntRange(1, 255).Draw(rt, "first"))
		total := rapid.IntRange(0, 0xffff).Draw(rt, "total")
		fragment, frame := 0, []byte(nil)
		if total == 0 {
			frame = AppendSKFrame(nil, h, first, len(body))
		} else {
			fragment = rapid.IntRange(1, total).Draw(rt, "fragment")
			frame = AppendSKFFrame(nil, h, first, uint16(fragment), uint16(total), len(body))
		}
		if fragment > 1 {
			first = NoNextPayload
		}
		msg := append(append([]byte{}, frame...), body...)
		got, err := ParseHeader(msg)
		mustBe(rt, err, "")
		mustBe(rt, got.CheckLength(len(msg)), "")
		sk, err := ParseSK(msg, got)
		mustBe(rt, err, "")
		same(rt, sk, SKFrame{Fragment: uint16(fragment), Total: uint16(total), First: first, AAD: frame, Body: body})
	})
}
