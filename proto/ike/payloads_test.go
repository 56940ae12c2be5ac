package ike

import (
	"bytes"
	"testing"
)

// chain parses b from a first payload of type t.
func chain(t PayloadType, b []byte) (*Payloads, error) {
	p := new(Payloads)
	err := ParsePayloads(t, b, p)
	return p, err
}

func TestPayloads(t *testing.T) {
	b := octets(t, "22 80 0006 aaaa"+"29 00 0004"+"29 00 0005 01"+"00 00 0005 02")
	p, err := chain(PayloadSA, b)
	mustBe(t, err, "")
	same(t, p.All(), []Payload{
		{Type: PayloadSA, Critical: true, Body: []byte{0xaa, 0xaa}},
		{Type: PayloadKE},
		{Type: PayloadNotify, Body: []byte{1}},
		{Type: PayloadNotify, Body: []byte{2}},
	})
	if n := p.Count(PayloadNotify); n != 2 {
		t.Fatalf("%d notifies", n)
	}
	first, ok := p.First(PayloadNotify)
	if !ok || first.Body[0] != 1 {
		t.Fatalf("first notify: %v %v", first, ok)
	}
	if _, ok := p.First(PayloadNonce); ok {
		t.Fatal("found a nonce that is not there")
	}
	// A body must not be a way to write over what follows it.
	if c := p.All()[0].Body; cap(c) != len(c) {
		t.Fatalf("body of %d octets has room for %d", len(c), cap(c))
	}
	// An array used again holds the new message only.
	mustBe(t, ParsePayloads(NoNextPayload, nil, p), "")
	if len(p.All()) != 0 || p.Count(PayloadSA) != 0 {
		t.Fatal("payloads of the message before are still there")
	}
}

// TestN05: a next payload of 0 with a body is refused here; an empty chain is well formed, as in `IN {}`.
func TestN05(t *testing.T) {
	_, err := chain(NoNextPayload, []byte{0})
	mustBe(t, err, errPayloadLeftover)
	_, err = chain(NoNextPayload, nil)
	mustBe(t, err, "")
}

func TestN07(t *testing.T) {
	for length := range byte(4) {
		_, err := chain(PayloadVendorID, []byte{0, 0, 0, length, 1, 2, 3})
		mustBe(t, err, errPayloadLength)
	}
	for n := range 4 {
		_, err := chain(PayloadVendorID, make([]byte, n))
		mustBe(t, err, errPayloadShort)
	}
}

func TestN08(t *testing.T) {
	_, err := chain(PayloadVendorID, octets(t, "00 00 0007 aaaa"))
	mustBe(t, err, errPayloadPastEnd)
	_, err = chain(PayloadVendorID, octets(t, "00 00 ffff aaaa"))
	mustBe(t, err, errPayloadPastEnd)
	_, err = chain(PayloadVendorID, octets(t, "2b 00 0006 aaaa"))
	mustBe(t, err, errPayloadShort)
	// The largest payload there can be is whole.
	_, err = chain(PayloadVendorID, append(octets(t, "00 00 ffff"), make([]byte, 0xffff-4)...))
	mustBe(t, err, "")
}

func TestN09(t *testing.T) {
	_, err := chain(PayloadVendorID, octets(t, "00 00 0004 aa"))
	mustBe(t, err, errPayloadLeftover)
}

// TestN10: the limit of K-21 is met exactly.
func TestN10(t *testing.T) {
	many := func(n int) []byte {
		b := bytes.Repeat([]byte{200, 0, 0, 4}, n)
		b[len(b)-4] = 0
		return b
	}
	_, err := chain(200, many(MaxPayloads))
	mustBe(t, err, "")
	for _, n := range []int{MaxPayloads + 1, 1000} {
		p, err := chain(200, many(n))
		mustBe(t, err, errPayloadCount)
		if len(p.All()) != MaxPayloads {
			t.Fatalf("%d payloads kept", len(p.All()))
		}
	}
}

func TestN11(t *testing.T) {
	once := []PayloadType{PayloadSA, PayloadKE, PayloadNonce, PayloadIDi, PayloadIDr, PayloadAUTH, PayloadTSi, PayloadTSr,
		PayloadSK, PayloadEAP}
	twice := func(a PayloadType) *Payloads {
		return &Payloads{n: 3, list: [MaxPayloads]Payload{{Type: a}, {Type: PayloadVendorID}, {Type: a}}}
	}
	for _, a := range once {
		mustBe(t, CheckSingles(twice(a)), errPayloadTwice)
	}
	for _, a := range []PayloadType{PayloadCERT, PayloadCERTREQ, PayloadNotify, PayloadDelete, PayloadVendorID, 1, 200,
		64 + PayloadSA} {
		mustBe(t, CheckSingles(twice(a)), "")
	}
	all := &Payloads{}
	for _, a := range once {
		all.list[all.n].Type = a
		all.n++
	}
	mustBe(t, CheckSingles(all), "")
}

// TestN12 and X-21: types of IKEv1 are unknown types, ignored or named; of types we know the bit says nothing.
func TestN12(t *testing.T) {
	for v1 := PayloadType(1); v1 <= 32; v1++ {
		p, err := chain(v1, octets(t, "00 00 0004"))
		mustBe(t, err, "")
		if x, found := UnknownCritical(p); found {
			t.Fatalf("type %d is not critical, yet %d was named", v1, x)
		}
		p, _ = chain(PayloadSA, append([]byte{byte(v1), 0x80, 0, 4}, 0, 0x80, 0, 4))
		if x, found := UnknownCritical(p); !found || x != v1 {
			t.Fatalf("type %d is critical, but %d %v was named", v1, x, found)
		}
	}
	for known := PayloadSA; known <= PayloadEAP; known++ {
		p := &Payloads{n: 1, list: [MaxPayloads]Payload{{Type: known, Critical: true}}}
		if x, found := UnknownCritical(p); found {
			t.Fatalf("%v is known, yet %v was named", known, x)
		}
	}
	for _, unknown := range []PayloadType{PayloadGSPM, PayloadPS, 55, 255} {
		p := &Payloads{n: 1, list: [MaxPayloads]Payload{{Type: unknown, Critical: true}}}
		if x, found := UnknownCritical(p); !found || x != unknown {
			t.Fatalf("%v is unknown, but %v %v was named", unknown, x, found)
		}
	}
}

func TestN13(t *testing.T) {
	var p Payloads
	_, _, err := read(AppendMessage(nil, Header{}, ni, ke, offer), &p)
	mustBe(t, err, "")
	if p.Count(PayloadSA) != 1 || p.All()[0].Type != PayloadNonce {
		t.Fatal("payloads are not in the order of the wire")
	}
}

// TestN14: reserved bits of the generic header are no reason to refuse, and are not the critical bit.
func TestN14(t *testing.T) {
	p, err := chain(200, octets(t, "00 7f 0004"))
	mustBe(t, err, "")
	if p.All()[0].Critical {
		t.Fatal("reserved bits read as critical")
	}
}

// TestN42: an Encrypted payload has no company and no Encrypted payload inside.
func TestN42(t *testing.T) {
	for _, sk := range []PayloadType{PayloadSK, PayloadSKF} {
		p, err := chain(sk, octets(t, "2a 00 0006 aabb"))
		mustBe(t, err, "")
		same(t, p.All(), []Payload{{Type: sk, Next: PayloadDelete, Body: []byte{0xaa, 0xbb}}})

		_, err = chain(sk, octets(t, "2b 00 0006 aabb"+"00 00 0004"))
		mustBe(t, err, errSKNotAlone)
		_, err = chain(sk, octets(t, "2e 00 0004"+"00 00 0004"))
		mustBe(t, err, errSKNotAlone)
		_, err = chain(PayloadVendorID, append([]byte{byte(sk), 0, 0, 4}, 0, 0, 0, 4))
		mustBe(t, err, errSKNotAlone)

		mustBe(t, ParseOpened(sk, octets(t, "2a 00 0006 aabb"), new(Payloads)), errSKInside)
	}
	mustBe(t, ParseOpened(PayloadVendorID, octets(t, "00 00 0004"), new(Payloads)), "")
	mustBe(t, ParseOpened(PayloadVendorID, octets(t, "00 00 0005"), new(Payloads)), errPayloadPastEnd)
}

// TestAppendMessage reads what it writes octet by octet.
func TestAppendMessage(t *testing.T) {
	h := Header{SPIi: 1, SPIr: 2, Exchange: INFORMATIONAL, Flags: FlagResponse, MessageID: 3}
	got := AppendMessage([]byte{0, 0, 0, 0}, h, NewNotify(NotifyInvalidIKESPI, nil), VendorID{Data: []byte("hi")})
	same(t, got, octets(t, "00000000"+"0000000000000001 0000000000000002 29 20 25 20 00000003 0000002a"+
		"2b 00 0008 00 00 0004"+"00 00 0006 6869"))
	same(t, AppendMessage(nil, h), octets(t, "0000000000000001 0000000000000002 00 20 25 20 00000003 0000001c"))
}

// TestTooLarge: what we make and cannot be put on the wire is a broken invariant.
func TestTooLarge(t *testing.T) {
	big := make([]byte, 0x10000)
	for name, write := range map[string]func(){
		"payload":    func() { AppendPayloads(nil, VendorID{Data: big[:0xffff-3]}) },
		"SK":         func() { AppendSKFrame(nil, Header{}, NoNextPayload, 0xffff-3) },
		"fragment":   func() { AppendSKFFrame(nil, Header{}, NoNextPayload, 3, 2, 0) },
		"selectors":  func() { TrafficSelectors{Selectors: make([]Selector, 256)}.AppendBody(nil) },
		"family":     func() { TrafficSelectors{Selectors: []Selector{{Type: TSIPv4AddrRange}}}.AppendBody(nil) },
		"transforms": func() { SA{Proposals: []Proposal{{Transforms: make([]Transform, 256)}}}.AppendBody(nil) },
		"Delete":     func() { Delete{Protocol: ProtocolIKE, SPIs: []uint32{1}}.AppendBody(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("was written")
				}
			}()
			write()
		})
	}
	if _, out := AppendPayloads(nil, VendorID{Data: big[:0xffff-4]}); len(out) != 0xffff {
		t.Fatalf("the largest payload has %d octets", len(out))
	}
}

// TestNoAllocation: K-21 for the path every datagram takes.
func TestNoAllocation(t *testing.T) {
	msg := baseSI(NewNotify(NotifyNATDetectionSourceIP, make([]byte, 20)), NewNotify(NotifyNATDetectionDestinationIP, make([]byte, 20)))
	bad := bytes.Clone(msg)
	bad[len(bad)-25]++ // the last payload's length
	var p Payloads
	_, err := walk(msg, &p)
	mustBe(t, err, "")
	_, err = walk(bad, &p)
	mustBe(t, err, errPayloadPastEnd)
	for _, m := range [][]byte{msg, bad} {
		if n := testing.AllocsPerRun(100, func() { walk(m, &p) }); n != 0 {
			t.Fatalf("%v allocations", n)
		}
	}
}

func walk(msg []byte, p *Payloads) (PayloadType, error) {
	h, err := ParseHeader(msg)
	if err == nil {
		err = h.CheckLength(len(msg))
	}
	if err == nil {
		err = ParsePayloads(h.NextPayload, msg[HeaderLen:], p)
	}
	if err == nil {
		err = CheckSingles(p)
	}
	if err != nil {
		return NoNextPayload, err
	}
	unknown, _ := UnknownCritical(p)
	return unknown, nil
}

func BenchmarkWalk(b *testing.B) {
	msg := baseSI(NewNotify(NotifyNATDetectionSourceIP, make([]byte, 20)), NewNotify(NotifyNATDetectionDestinationIP, make([]byte, 20)))
	var p Payloads
	b.ReportAllocs()
	for b.Loop() {
		if _, err := walk(msg, &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseSA(b *testing.B) {
	body := offer.AppendBody(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseSA(body); err != nil {
			b.Fatal(err)
		}
	}
}
