package ike

import (
	"bytes"
	"reflect"
	"testing"
)

// One target for each payload and one for whole messages. No input may panic; what is read and written again is read as
// the same and no longer than it was; and no decoder may write into its input, which others hold.

// fuzzBody seeds with the body of every payload of type t in a message that has all of them.
func fuzzBody(f *testing.F, t PayloadType) {
	for _, body := range everyBody() {
		if body.PayloadType() == t {
			f.Add(body.AppendBody(nil))
		}
	}
	f.Fuzz(func(ft *testing.T, b []byte) {
		before := bytes.Clone(b)
		body, err := parseBody(t, b)
		if err != nil {
			return
		}
		again(ft, body, len(b))
		if !bytes.Equal(b, before) {
			ft.Fatal("the input was changed")
		}
	})
}

// again writes what was read, and reads it.
func again(t *testing.T, body Body, most int) {
	if sa, ok := body.(SA); ok && unknownIn(sa) {
		return // of these the unknown attributes are not kept
	}
	wire := body.AppendBody(nil)
	if len(wire) > most {
		t.Fatalf("%d octets became %d", most, len(wire))
	}
	got, err := parseBody(body.PayloadType(), wire)
	mustBe(t, err, "")
	equal(t, got, body)
}

// equal is same for the hot path of a fuzz target. With cmp there, the fuzzer's minimiser used up its whole time and
// hardly an input was tried; cmp is needed for its printing only.
func equal(t *testing.T, got, want any) {
	if !reflect.DeepEqual(got, want) {
		same(t, got, want)
	}
}

func unknownIn(sa SA) bool {
	for _, p := range sa.Proposals {
		for _, t := range p.Transforms {
			if t.Unknown {
				return true
			}
		}
	}
	return false
}

func FuzzSA(f *testing.F)      { fuzzBody(f, PayloadSA) }
func FuzzKE(f *testing.F)      { fuzzBody(f, PayloadKE) }
func FuzzIDi(f *testing.F)     { fuzzBody(f, PayloadIDi) }
func FuzzCERT(f *testing.F)    { fuzzBody(f, PayloadCERT) }
func FuzzCERTREQ(f *testing.F) { fuzzBody(f, PayloadCERTREQ) }
func FuzzAUTH(f *testing.F)    { fuzzBody(f, PayloadAUTH) }
func FuzzNonce(f *testing.F)   { fuzzBody(f, PayloadNonce) }
func FuzzDelete(f *testing.F)  { fuzzBody(f, PayloadDelete) }
func FuzzVendor(f *testing.F)  { fuzzBody(f, PayloadVendorID) }
func FuzzTSi(f *testing.F)     { fuzzBody(f, PayloadTSi) }
func FuzzCP(f *testing.F)      { fuzzBody(f, PayloadCP) }
func FuzzEAP(f *testing.F)     { fuzzBody(f, PayloadEAP) }

// FuzzNotify also takes the data apart, by every reader there is.
func FuzzNotify(f *testing.F) {
	for _, body := range everyBody() {
		if n, ok := body.(Notify); ok {
			f.Add(n.AppendBody(nil))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseNotify(b)
		if err != nil {
			return
		}
		again(t, n, len(b))
		if p, spi, err := n.ChildSPI(); err == nil {
			equal(t, ChildNotify(n.Type, p, spi).SPI, n.SPI)
		}
		if g, err := ParseInvalidKE(n.Data); err == nil {
			equal(t, InvalidKEPayload(g).Data, n.Data)
		}
		if x, err := ParseUnsupportedCritical(n.Data); err == nil {
			equal(t, UnsupportedCritical(x).Data, n.Data)
		}
		if v, err := ParseUint32(n.Data); err == nil {
			equal(t, Uint32Notify(n.Type, v).Data, n.Data)
		}
		if hashes, err := ParseSignatureHashes(n.Data); err == nil {
			equal(t, SignatureHashes(hashes...).Data, n.Data)
		}
		if m, err := ParseMessageIDSync(n.Data); err == nil {
			equal(t, m.Notify().Data, n.Data)
		}
		if a, err := ParseAdditionalAddress(n); err == nil {
			equal(t, a.AsSlice(), n.Data)
		}
		if algorithm, signature, err := ParseSignature(n.Data); err == nil {
			equal(t, AppendSignature(nil, algorithm, signature), n.Data)
		}
	})
}

// FuzzMessage is what a stranger can reach: a datagram from its first octet on, every payload in it, and its short form.
func FuzzMessage(f *testing.F) {
	f.Add(baseSI())
	f.Add(AppendMessage(nil, Header{SPIi: 1, SPIr: 2, Exchange: IKE_AUTH}, everyBody()...))
	for _, frame := range [][]byte{
		AppendSKFrame(nil, skHeader, PayloadDelete, 24), AppendSKFFrame(nil, skHeader, PayloadDelete, 2, 3, 24),
	} {
		msg, _ := protect(frame, 24)
		f.Add(msg)
	}
	var p Payloads
	f.Fuzz(func(t *testing.T, msg []byte) {
		before := bytes.Clone(msg)
		h, bodies, err := read(msg, &p)
		if len(msg) >= HeaderLen {
			if line := DescribeMessage(h, h.NextPayload, msg[HeaderLen:]); !printable(line) {
				t.Fatalf("not printable: %q", line)
			}
			if sk, err := ParseSK(msg, h); err == nil {
				equal(t, append(bytes.Clone(sk.AAD), sk.Body...), msg)
				if a := AppendIntAuthA(nil, sk.AAD, 0); len(a) != HeaderLen+4 {
					t.Fatalf("A of %d octets", len(a))
				}
			}
		}
		UnknownCritical(&p)
		if !bytes.Equal(msg, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		for i, body := range bodies {
			again(t, body, len(p.All()[i].Body))
		}
	})
}
