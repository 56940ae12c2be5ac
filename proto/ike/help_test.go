package ike

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// octets reads hex with spaces between: a wire image one can read against the figures of the RFC.
func octets(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "\n", "", "\t", "").Replace(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fataler is what a test, a fuzz target and a rapid check have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// mustBe fails unless err is the Malformed want, "" for none.
func mustBe(t fataler, err error, want Malformed) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatalf("got error %q, want none", err)
		}
		return
	}
	var got Malformed
	if !errors.As(err, &got) || got != want {
		t.Fatalf("got error %v, want %q", err, want)
	}
}

// same compares what was decoded. No octets are the same as nil: the wire does not tell them apart.
func same(t fataler, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Fatalf("want -, got +:\n%s", diff)
	}
}

// parseBody is the decoder of a payload type as a message's reader would choose it.
func parseBody(t PayloadType, body []byte) (Body, error) {
	switch t {
	case PayloadSA:
		return ParseSA(body)
	case PayloadKE:
		return ParseKeyExchange(body)
	case PayloadIDi, PayloadIDr:
		return ParseIdentification(t, body)
	case PayloadCERT:
		return ParseCertificate(body)
	case PayloadCERTREQ:
		return ParseCertRequest(body)
	case PayloadAUTH:
		return ParseAuth(body)
	case PayloadNonce:
		return ParseNonce(body)
	case PayloadNotify:
		return ParseNotify(body)
	case PayloadDelete:
		return ParseDelete(body)
	case PayloadVendorID:
		return ParseVendorID(body)
	case PayloadTSi, PayloadTSr:
		return ParseTrafficSelectors(t, body)
	case PayloadCP:
		return ParseConfiguration(body)
	case PayloadEAP:
		return ParseEAP(body)
	default:
		return Payload{Type: t, Body: body}, nil
	}
}

// read is a message read as far as form goes: what the reducer relies on, without any rule of an exchange.
func read(msg []byte, p *Payloads) (Header, []Body, error) {
	h, err := ParseHeader(msg)
	if err != nil {
		return h, nil, err
	}
	if err := h.CheckLength(len(msg)); err != nil {
		return h, nil, err
	}
	if err := ParsePayloads(h.NextPayload, msg[HeaderLen:], p); err != nil {
		return h, nil, err
	}
	if err := CheckSingles(p); err != nil {
		return h, nil, err
	}
	var bodies []Body
	for _, payload := range p.All() {
		body, err := parseBody(payload.Type, payload.Body)
		if err != nil {
			return h, nil, err
		}
		bodies = append(bodies, body)
	}
	return h, bodies, nil
}

// offer, ni and baseSI make the IKE_SA_INIT request that tests begin from.
var (
	offer = SA{Proposals: []Proposal{{Number: 1, Protocol: ProtocolIKE, Transforms: []Transform{
		{Type: TransformENCR, ID: EncrAESGCM16, KeyLength: 256},
		{Type: TransformPRF, ID: PRFHMACSHA2_256},
		{Type: TransformKE, ID: uint16(GroupCurve25519)},
	}}}}
	ni = Nonce{Data: []byte("a nonce of thirty-two octets, ok")}
	ke = KeyExchange{Group: GroupCurve25519, Data: []byte("a public of thirty-two octets,ok")}
)

func baseSI(extra ...Body) []byte {
	h := Header{SPIi: 0x1122334455667788, Exchange: IKE_SA_INIT, Flags: FlagInitiator}
	return AppendMessage(nil, h, append([]Body{offer, ke, ni}, extra...)...)
}

// everyBody is one payload of every type and form, for seeds.
func everyBody() []Body {
	data := []byte("sixteen octets..")
	address := func(text string) netip.Addr { return netip.MustParseAddr(text) }
	return []Body{
		offer, ke, ni,
		SA{Proposals: []Proposal{
			{Number: 1, Protocol: ProtocolESP, SPI: data[:4], Transforms: []Transform{{Type: TransformENCR, ID: EncrAESCBC, KeyLength: 128},
				{Type: TransformINTEG, ID: IntegHMACSHA2_256_128}, {Type: TransformSN, ID: SN32}}},
			{Number: 2, Protocol: ProtocolIKE, SPI: data[:8], Transforms: []Transform{{Type: TransformADDKE1, ID: uint16(GroupMLKEM768)}}},
		}},
		Identification{Initiator: true, Type: IDFQDN, Data: []byte("moon.strongswan.example")},
		Identification{Initiator: true, Type: IDIPv4Addr, Data: data[:4]},
		Identification{Type: IDIPv6Addr, Data: data},
		Certificate{CertX509Signature, data}, CertRequest{CertX509Signature, append(data, data[:4]...)},
		Auth{AuthSharedKey, data}, Auth{AuthDigitalSignature, AppendSignature(nil, data[:3], data)},
		NewNotify(NotifyNATDetectionSourceIP, append(data, data[:4]...)), NewNotify(NotifyCookie, data),
		ChildNotify(NotifyRekeySA, ProtocolESP, 0xc1f2a3b4), InvalidKEPayload(GroupCurve25519), UnsupportedCritical(200),
		Uint32Notify(NotifySetWindowSize, 8), SignatureHashes(HashSHA2_256, HashIdentity), AdditionalAddress(address("192.0.2.1")),
		AdditionalAddress(address("2001:db8::1")), MessageIDSync{1, 2, 3}.Notify(),
		Delete{Protocol: ProtocolIKE}, Delete{ProtocolESP, []uint32{0xc1f2a3b4, 1}}, VendorID{data},
		TrafficSelectors{true, []Selector{
			{Type: TSIPv4AddrRange, EndPort: 0xffff, Start: address("10.0.0.0"), End: address("10.0.0.255")},
			{Type: TSIPv6AddrRange, Protocol: 17, StartPort: 0xffff, Start: address("2001:db8::"), End: address("2001:db8::ff")},
			{Type: TSSecLabel, Raw: data}}},
		Configuration{CPRequest, []CPAttribute{{CPInternalIP4Address, nil}, {CPInternalIP4DNS, data[:4]}, {CPInternalIP6DNS, data}}},
		EAP{Code: EAPRequest, Identifier: 1, Type: 1, Data: data}, EAP{Code: EAPSuccess, Identifier: 2},
	}
}
