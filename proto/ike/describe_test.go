package ike

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDescribe(t *testing.T) {
	rekey := []Body{
		ChildNotify(NotifyRekeySA, ProtocolESP, 0xc1f2a3b4), offer, ni, ke,
		TrafficSelectors{Initiator: true, Selectors: []Selector{{Type: 0}}}, TrafficSelectors{Selectors: []Selector{{Type: 0}}},
	}
	children := Delete{Protocol: ProtocolESP, SPIs: []uint32{0xc1f2a3b4, 1, 2, 3}}
	tooMany := Delete{Protocol: ProtocolESP, SPIs: []uint32{0xc1f2a3b4, 1, 2, 3, 4, 5}}
	for want, bodies := range map[string][]Body{
		"{}":                     nil,
		"{D(IKE)}":               {Delete{Protocol: ProtocolIKE}},
		"{N(TEMPORARY_FAILURE)}": {NewNotify(NotifyTemporaryFailure, nil)},
		"{N(NOTIFY(40960))}":     {NewNotify(40960, nil)},
		"{D(c1f2a3b4)}":          {Delete{Protocol: ProtocolESP, SPIs: []uint32{0xc1f2a3b4}}},
		"{D(c1f2a3b4 00000001 00000002 00000003)}":   {children},
		"{D(c1f2a3b4 00000001 00000002 00000003 …)}": {tooMany},
		"{N(REKEY_SA) SA Ni KEi TSi TSr}":            rekey,
		"{CP(CFG_REQUEST) EAP(Success)}":             {Configuration{Type: CPRequest}, EAP{Code: EAPSuccess}},
		"{N(?) D(?) CP(?) EAP(?)}": {Payload{Type: PayloadNotify}, Payload{Type: PayloadDelete},
			Payload{Type: PayloadCP}, Payload{Type: PayloadEAP}},
		"{PAYLOAD(200) V IDi IDr CERT CERTREQ AUTH}": {Payload{Type: 200}, VendorID{[]byte("\x1b[31m")},
			Identification{Initiator: true, Data: []byte("\x1b]0;x\a")}, Identification{}, Certificate{}, CertRequest{}, Auth{}},
	} {
		first, plaintext := AppendPayloads(nil, bodies...)
		if got := Describe(first, plaintext); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestDescribeMessage(t *testing.T) {
	nat := NewNotify(NotifyNATDetectionSourceIP, nil)
	for _, c := range []struct {
		h      Header
		bodies []Body
		want   string
	}{
		{Header{Exchange: IKE_SA_INIT}, []Body{offer, ke, ni, nat}, "{SAi1 KEi Ni N(NAT_DETECTION_SOURCE_IP)}"},
		{Header{Exchange: IKE_SA_INIT, Flags: FlagResponse}, []Body{offer, ke, ni}, "{SAr1 KEr Nr}"},
		{Header{Exchange: IKE_AUTH, Flags: FlagInitiator}, []Body{Identification{Initiator: true}, Auth{}, offer}, "{IDi AUTH SAi2}"},
		{Header{Exchange: IKE_AUTH, Flags: FlagResponse}, []Body{Identification{}, Auth{}, offer}, "{IDr AUTH SAr2}"},
		{Header{Exchange: CREATE_CHILD_SA, Flags: FlagResponse}, []Body{offer, ni, ke}, "{SA Nr KEr}"},
	} {
		first, plaintext := AppendPayloads(nil, c.bodies...)
		if got := DescribeMessage(c.h, first, plaintext); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	msg, h := protect(AppendSKFrame(nil, skHeader, PayloadDelete, 24), 24)
	if got := DescribeMessage(h, h.NextPayload, msg[HeaderLen:]); got != "{SK}" {
		t.Error(got)
	}
	msg, h = protect(AppendSKFFrame(nil, skHeader, PayloadDelete, 2, 3, 24), 24)
	if got := DescribeMessage(h, h.NextPayload, msg[HeaderLen:]); got != "{SKF(2/3)}" {
		t.Error(got)
	}
}

// TestDescribeHostile: whatever comes, one printable line of bounded length, with the reason where it cannot be read.
func TestDescribeHostile(t *testing.T) {
	many := bytes.Repeat([]byte{41, 0, 0, 8, 0, 0, 0xff, 0xff}, 60)
	many[len(many)-8] = 0
	for want, plaintext := range map[string][]byte{
		"{malformed: payload header cut short}":                {},
		"{malformed: payload length under 4 octets}":           {0, 0, 0, 3},
		"{N(?) malformed: octets left after the last payload}": {0, 0, 0, 4, 1},
	} {
		if got := Describe(PayloadNotify, plaintext); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := Describe(PayloadNotify, many); !printable(got) || !strings.HasSuffix(got, " …}") {
		t.Errorf("%d octets: %s", len(got), got)
	}
}

// printable is true of a line a terminal can be given: 16 words of at most 48 octets, and a reason.
func printable(line string) bool {
	for _, r := range line {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return len(line) < 1000
}
