package ike

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
)

// A table for each payload: the wire, and what it is read as or why not. Wires that are read must be written the same,
// but where they have reserved octets set.

type bodyCase struct {
	name string
	t    PayloadType
	wire string
	want Body
	err  Malformed
}

func runBodies(t *testing.T, cases []bodyCase) {
	for _, c := range cases {
		t.Run(c.t.String()+" "+c.name, func(t *testing.T) {
			wire := octets(t, c.wire)
			got, err := parseBody(c.t, wire)
			mustBe(t, err, c.err)
			if err != nil {
				return
			}
			same(t, got, c.want)
			if got.PayloadType() != c.t {
				t.Fatalf("is written as %v", got.PayloadType())
			}
			same(t, got.AppendBody(nil), wire)
		})
	}
}

func TestBodies(t *testing.T) {
	runBodies(t, []bodyCase{
		{"Curve25519", PayloadKE, "001f 0000 aabb", KeyExchange{GroupCurve25519, []byte{0xaa, 0xbb}}, ""},
		{"DN", PayloadIDr, "09 000000 3000", Identification{Type: IDDERASN1DN, Data: []byte{0x30, 0}}, ""},
		{"name", PayloadIDi, "02 000000 6d6f6f6e", Identification{Initiator: true, Type: IDFQDN, Data: []byte("moon")}, ""},
		{"X.509", PayloadCERT, "04 3000", Certificate{CertX509Signature, []byte{0x30, 0}}, ""},
		{"no encoding", PayloadCERT, "", nil, errCertEmpty},
		{"encoding alone", PayloadCERT, "0c", Certificate{CertHashURL, nil}, ""},
		{"any authority", PayloadCERTREQ, "04", CertRequest{CertX509Signature, nil}, ""},
		{"an authority cut short", PayloadCERTREQ, "04 aabb", CertRequest{CertX509Signature, []byte{0xaa, 0xbb}}, ""},
		{"no encoding", PayloadCERTREQ, "", nil, errCertEmpty},
		{"shared key", PayloadAUTH, "02 000000 aabb", Auth{AuthSharedKey, []byte{0xaa, 0xbb}}, ""},
		{"text", PayloadVendorID, "6869", VendorID{[]byte("hi")}, ""},
		{"empty", PayloadVendorID, "", VendorID{}, ""},
		{"status", PayloadNotify, "00 00 4004", Notify{Type: NotifyNATDetectionSourceIP}, ""},
		{"SPI and data", PayloadNotify, "03 04 4009 c1f2a3b4 aa",
			Notify{ProtocolESP, octets(t, "c1f2a3b4"), NotifyRekeySA, []byte{0xaa}}, ""},
		{"SPI where none belongs, X-62", PayloadNotify, "01 08 4002 1122334455667788",
			Notify{Protocol: ProtocolIKE, SPI: octets(t, "1122334455667788"), Type: NotifyAdditionalTSPossible}, ""},
		{"cut in the header", PayloadNotify, "00 00 40", nil, errNotifyShort},
		{"SPI past the end", PayloadNotify, "03 04 4009 c1f2a3", nil, errNotifySPI},
		{"SPI size 255", PayloadNotify, "03 ff 4009 c1f2a3b4", nil, errNotifySPI},
	})
}

func TestN24(t *testing.T) {
	runBodies(t, []bodyCase{
		{"2 octets in all", PayloadKE, "001f", nil, errKEShort},
		{"3 octets in all", PayloadKE, "001f00", nil, errKEShort},
		{"empty data", PayloadKE, "001f 0000", KeyExchange{Group: GroupCurve25519}, ""},
	})
}

func TestN28(t *testing.T) {
	for _, n := range []int{0, 15, 16, 256, 257} {
		want := Malformed("")
		if n < 16 || n > 256 {
			want = errNonceLength
		}
		got, err := ParseNonce(make([]byte, n))
		mustBe(t, err, want)
		if err == nil && len(got.Data) != n {
			t.Fatalf("%d octets of %d", len(got.Data), n)
		}
	}
}

// TestN46: short bodies and addresses of a wrong length are malformed, unknown types are names nobody has.
func TestN46(t *testing.T) {
	runBodies(t, []bodyCase{
		{"of 3 octets", PayloadIDi, "020000", nil, errIDShort},
		{"empty", PayloadIDi, "", nil, errIDShort},
		{"type 0", PayloadIDi, "00 000000 aa", Identification{true, 0, []byte{0xaa}}, ""},
		{"type 4", PayloadIDi, "04 000000 aa", Identification{true, 4, []byte{0xaa}}, ""},
		{"type 255", PayloadIDr, "ff 000000", Identification{Type: 255}, ""},
		{"IPv4 of 3", PayloadIDi, "01 000000 c00002", nil, errIDAddress},
		{"IPv4 of 4", PayloadIDi, "01 000000 c0000201", Identification{true, IDIPv4Addr, []byte{192, 0, 2, 1}}, ""},
		{"IPv4 of 5", PayloadIDi, "01 000000 c000020100", nil, errIDAddress},
		{"IPv6 of 4", PayloadIDi, "05 000000 c0000201", nil, errIDAddress},
		{"IPv6 of 16", PayloadIDr, "05 000000 20010db8000000000000000000000001",
			Identification{Type: IDIPv6Addr, Data: octets(t, "20010db8000000000000000000000001")}, ""},
	})
}

func TestN47(t *testing.T) {
	runBodies(t, []bodyCase{
		{"empty data", PayloadAUTH, "02 000000", Auth{Method: AuthSharedKey}, ""},
		{"method 0", PayloadAUTH, "00 000000 aa", Auth{0, []byte{0xaa}}, ""},
		{"method 255", PayloadAUTH, "ff 000000 aa", Auth{255, []byte{0xaa}}, ""},
		{"of 3 octets", PayloadAUTH, "020000", nil, errAuthShort},
	})
	for _, c := range []struct {
		name, data string
		algorithm  int
		signature  int
		want       Malformed
	}{
		{"empty", "", 0, 0, errAuthAlgorithm},
		{"no algorithm", "00 aabb", 0, 0, errAuthAlgorithm},
		{"algorithm of 255 in 3", "ff aabbcc", 0, 0, errAuthAlgorithm},
		{"algorithm one too long", "04 aabbcc", 0, 0, errAuthAlgorithm},
		{"no signature", "03 aabbcc", 3, 0, ""},
		{"both", "02 aabbcc", 2, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := octets(t, c.data)
			algorithm, signature, err := ParseSignature(data)
			mustBe(t, err, c.want)
			if err != nil {
				return
			}
			if len(algorithm) != c.algorithm || len(signature) != c.signature {
				t.Fatalf("%d and %d octets", len(algorithm), len(signature))
			}
			same(t, AppendSignature(nil, algorithm, signature), data)
		})
	}
}

func TestN53(t *testing.T) {
	runBodies(t, []bodyCase{
		{"success", PayloadEAP, "03 07 0004", EAP{Code: EAPSuccess, Identifier: 7}, ""},
		{"success with data", PayloadEAP, "03 07 0005 01", nil, errEAPLength},
		{"identity request", PayloadEAP, "01 00 0005 01", EAP{Code: EAPRequest, Type: 1}, ""},
		{"empty identity", PayloadEAP, "02 00 0005 01", EAP{Code: EAPResponse, Type: 1}, ""},
		{"request without type", PayloadEAP, "01 00 0004", nil, errEAPLength},
		{"length over the payload's", PayloadEAP, "02 00 0007 01 aa", nil, errEAPLength},
		{"length under the payload's", PayloadEAP, "02 00 0005 01 aa", nil, errEAPLength},
		{"code 0", PayloadEAP, "00 00 0005 01", nil, errEAPCode},
		{"code 5", PayloadEAP, "05 00 0005 01", nil, errEAPCode},
		{"cut in the header", PayloadEAP, "03 07 00", nil, errEAPLength},
	})
	// 65,000 octets of identity are well formed; where they end is the authenticator's to say.
	long := EAP{Code: EAPResponse, Identifier: 1, Type: 1, Data: bytes.Repeat([]byte{'a'}, 65000)}
	got, err := ParseEAP(long.AppendBody(nil))
	mustBe(t, err, "")
	same(t, got, long)
}

func TestN56(t *testing.T) {
	const net10 = "07 06 0010 0050 0051 0a000000 0a0000ff"
	selector := Selector{Type: TSIPv4AddrRange, Protocol: 6, StartPort: 80, EndPort: 81,
		Start: netip.MustParseAddr("10.0.0.0"), End: netip.MustParseAddr("10.0.0.255")}
	opaque, unknown := selector, Selector{Type: 10, Raw: []byte{}}
	opaque.StartPort, opaque.EndPort = 0xffff, 0
	runBodies(t, []bodyCase{
		{"one", PayloadTSi, "01 000000" + net10, TrafficSelectors{true, []Selector{selector}}, ""},
		{"two", PayloadTSr, "02 000000" + net10 + net10, TrafficSelectors{false, []Selector{selector, selector}}, ""},
		{"IPv6", PayloadTSr, "01 000000 08 00 0028 0000 ffff" + "20010db8000000000000000000000000" + "20010db80000000000000000000000ff",
			TrafficSelectors{false, []Selector{{Type: TSIPv6AddrRange, EndPort: 0xffff,
				Start: netip.MustParseAddr("2001:db8::"), End: netip.MustParseAddr("2001:db8::ff")}}}, ""},
		{"OPAQUE ports", PayloadTSi, "01 000000 07 06 0010 ffff 0000 0a000000 0a0000ff",
			TrafficSelectors{true, []Selector{opaque}}, ""},
		{"count 0", PayloadTSi, "00 000000", nil, errTSEmpty},
		{"count 0 with a selector", PayloadTSi, "00 000000" + net10, nil, errTSEmpty},
		{"count over what is there", PayloadTSi, "02 000000" + net10, nil, errTSCount},
		{"count 255", PayloadTSi, "ff 000000" + net10, nil, errTSCount},
		{"count under what is there", PayloadTSi, "01 000000" + net10 + net10, nil, errTSCount},
		{"cut in the header", PayloadTSi, "01 0000", nil, errTSShort},
		{"length 15", PayloadTSi, "01 000000 07 06 000f 0050 0051 0a000000 0a0000", nil, errTSLength},
		{"length 17", PayloadTSi, "01 000000 07 06 0011 0050 0051 0a000000 0a0000ff 00", nil, errTSLength},
		{"length past the payload", PayloadTSi, "01 000000 07 06 0010 0050 0051 0a000000 0a0000", nil, errTSLength},
		{"length 3", PayloadTSi, "01 000000 0a 00 0003", nil, errTSLength},
		{"IPv6 of an IPv4's length", PayloadTSi, "01 000000 08 06 0010 0050 0051 0a000000 0a0000ff", nil, errTSLength},
		{"IPv4 of an IPv6's length", PayloadTSi, "01 000000 07 00 0028 0000 ffff" + "20010db8000000000000000000000000" +
			"20010db80000000000000000000000ff", nil, errTSLength},
		{"start above end", PayloadTSi, "01 000000 07 06 0010 0050 0051 0a0000ff 0a000000", nil, errTSAddress},
		{"ports reversed", PayloadTSi, "01 000000 07 06 0010 0051 0050 0a000000 0a0000ff", nil, errTSPorts},
		{"ports nearly OPAQUE", PayloadTSi, "01 000000 07 06 0010 ffff 0001 0a000000 0a0000ff", nil, errTSPorts},
		{"type 10 of length 4", PayloadTSi, "01 000000 0a 00 0004", TrafficSelectors{true, []Selector{unknown}}, ""},
		{"type 0 beside a good one", PayloadTSi, "02 000000 00 00 0006 aabb" + net10,
			TrafficSelectors{true, []Selector{{Type: 0, Raw: []byte{0xaa, 0xbb}}, selector}}, ""},
	})
	if !selector.Known() || unknown.Known() || selector.Opaque() || !opaque.Opaque() {
		t.Fatal("known or opaque is told wrong")
	}
}

// TestN58: a REKEY_SA names one Child SA, or is malformed.
func TestN58(t *testing.T) {
	for p := range ProtocolID(6) {
		for _, size := range []int{0, 3, 4, 5, 8} {
			want := errRekeySPI
			if (p == ProtocolAH || p == ProtocolESP) && size == 4 {
				want = ""
			}
			_, _, err := Notify{Protocol: p, SPI: make([]byte, size), Type: NotifyRekeySA}.ChildSPI()
			mustBe(t, err, want)
		}
	}
	p, spi, err := ChildNotify(NotifyRekeySA, ProtocolESP, 0xc1f2a3b4).ChildSPI()
	mustBe(t, err, "")
	if p != ProtocolESP || spi != 0xc1f2a3b4 {
		t.Fatalf("%v %x", p, spi)
	}
}

func TestN60(t *testing.T) {
	runBodies(t, []bodyCase{
		{"IKE SA", PayloadDelete, "01 00 0000", Delete{Protocol: ProtocolIKE}, ""},
		{"two children", PayloadDelete, "03 04 0002 c1f2a3b4 00000001", Delete{ProtocolESP, []uint32{0xc1f2a3b4, 1}}, ""},
		{"AH", PayloadDelete, "02 04 0001 c1f2a3b4", Delete{ProtocolAH, []uint32{0xc1f2a3b4}}, ""},
		{"no children", PayloadDelete, "03 04 0000", Delete{Protocol: ProtocolESP}, ""},
		{"IKE SA with SPI", PayloadDelete, "01 08 0001 1122334455667788", nil, errDeleteSPISize},
		{"IKE SA with count", PayloadDelete, "01 00 0001", nil, errDeleteCount},
		{"IKE SA with octets", PayloadDelete, "01 00 0000 00", nil, errDeleteCount},
		{"ESP of size 0", PayloadDelete, "03 00 0001", nil, errDeleteSPISize},
		{"ESP of size 8", PayloadDelete, "03 08 0001 1122334455667788", nil, errDeleteSPISize},
		{"count 65535 in 12 octets", PayloadDelete, "03 04 ffff 1122334455667788", nil, errDeleteCount},
		{"count one too low", PayloadDelete, "03 04 0001 1122334455667788", nil, errDeleteCount},
		{"SPI cut short", PayloadDelete, "03 04 0001 112233", nil, errDeleteCount},
		{"protocol 0", PayloadDelete, "00 00 0000", nil, errDeleteProtocol},
		{"protocol 4", PayloadDelete, "04 04 0001 11223344", nil, errDeleteProtocol},
		{"cut in the header", PayloadDelete, "01 00 00", nil, errDeleteShort},
	})
}

func TestN71(t *testing.T) {
	runBodies(t, []bodyCase{
		{"request", PayloadCP, "01 000000 0001 0000 0003 0004 0a000001", Configuration{CPRequest, []CPAttribute{
			{CPInternalIP4Address, nil}, {CPInternalIP4DNS, []byte{10, 0, 0, 1}}}}, ""},
		{"nothing", PayloadCP, "02 000000", Configuration{Type: CPReply}, ""},
		{"unknown attribute", PayloadCP, "01 000000 7fff 0001 aa", Configuration{CPRequest, []CPAttribute{{0x7fff, []byte{0xaa}}}}, ""},
		{"attribute longer than the payload", PayloadCP, "01 000000 0001 0004 0a0000", nil, errCPLength},
		{"attribute cut short", PayloadCP, "01 000000 0001 00", nil, errCPLength},
		{"IPv4 address of 3 octets", PayloadCP, "01 000000 0001 0003 0a0000", nil, errCPValue},
		{"IPv6 address without its prefix", PayloadCP, "01 000000 0008 0010 20010db8000000000000000000000001", nil, errCPValue},
		{"IPv6 address", PayloadCP, "01 000000 0008 0011 20010db8000000000000000000000001 40", Configuration{CPRequest, []CPAttribute{
			{CPInternalIP6Address, octets(t, "20010db8000000000000000000000001 40")}}}, ""},
		{"of 3 octets", PayloadCP, "010000", nil, errCPShort},
	})
	for n, want := range map[int]Malformed{MaxCPAttributes: "", MaxCPAttributes + 1: errCPCount, 10000: errCPCount} {
		_, err := ParseConfiguration(append([]byte{1, 0, 0, 0}, bytes.Repeat([]byte{0, 1, 0, 0}, n)...))
		mustBe(t, err, want)
	}
}

// TestN14Bodies: reserved octets of every payload that has some may hold anything, and are written as 0.
func TestN14Bodies(t *testing.T) {
	for _, c := range []struct {
		t        PayloadType
		wire     string
		reserved []int
	}{
		{PayloadSA, gcm, []int{1, 8 + 1, 8 + 5, 20 + 1, 20 + 5}},
		{PayloadKE, "001f 0000 aabb", []int{2, 3}},
		{PayloadIDi, "02 000000 aabb", []int{1, 2, 3}},
		{PayloadAUTH, "02 000000 aabb", []int{1, 2, 3}},
		{PayloadTSi, "01 000000 07 06 0010 0050 0051 0a000000 0a0000ff", []int{1, 2, 3}},
		{PayloadCP, "01 000000 0001 0000", []int{1, 2, 3}},
	} {
		clean := octets(t, c.wire)
		dirty := slices.Clone(clean)
		for _, at := range c.reserved {
			dirty[at] = 0xff
		}
		if c.t == PayloadCP {
			dirty[4] |= 0x80 // the reserved bit of an attribute's type
		}
		want, err := parseBody(c.t, clean)
		mustBe(t, err, "")
		got, err := parseBody(c.t, dirty)
		mustBe(t, err, "")
		same(t, got, want)
		same(t, got.AppendBody(nil), clean)
	}
}
