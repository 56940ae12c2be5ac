package ike

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// gcm is proposal 1 for an IKE SA: AES-GCM-16 with 256 bits, HMAC-SHA2-256, Curve25519.
const gcm = "00 00 0024 01 01 00 03" +
	"03 00 000c 01 00 0014 800e 0100" + "03 00 0008 02 00 0005" + "00 00 0008 04 00 001f"

func TestSA(t *testing.T) {
	got, err := ParseSA(octets(t, gcm))
	mustBe(t, err, "")
	same(t, got, offer)
	same(t, got.AppendBody(nil), octets(t, gcm))

	two := "02 00 0018 01 03 04 01 c1f2a3b4 00 00 000c 01 00 000c 800e 0080" +
		"00 00 001c 02 02 04 02 c1f2a3b5 03 00 0008 03 00 000c 00 00 0008 05 00 0001"
	got, err = ParseSA(octets(t, two))
	mustBe(t, err, "")
	same(t, got, SA{Proposals: []Proposal{
		{Number: 1, Protocol: ProtocolESP, SPI: octets(t, "c1f2a3b4"), Transforms: []Transform{
			{Type: TransformENCR, ID: EncrAESCBC, KeyLength: 128}}},
		{Number: 2, Protocol: ProtocolAH, SPI: octets(t, "c1f2a3b5"), Transforms: []Transform{
			{Type: TransformINTEG, ID: IntegHMACSHA2_256_128}, {Type: TransformSN, ID: SN64}}},
	}})
	same(t, got.AppendBody(nil), octets(t, two))
	// The transforms of all proposals lie in one array: appending to one's must not write over the next one's.
	first := got.Proposals[0].Transforms
	if cap(first) != len(first) {
		t.Fatalf("%d transforms with room for %d", len(first), cap(first))
	}
}

// edit is gcm with one octet changed.
func edit(t *testing.T, at int, octet byte) []byte {
	b := octets(t, gcm)
	b[at] = octet
	return b
}

func TestN15(t *testing.T) {
	for _, c := range []struct {
		name string
		body []byte
		want Malformed
	}{
		{"proposal one longer than SA", edit(t, 3, 0x25), errProposalLength},
		{"proposal one shorter than SA", edit(t, 3, 0x23), errProposalMore},
		{"proposal length 65535", octets(t, "00 00 ffff 01 01 00 01 00 00 0008 01 00 0014"), errProposalLength},
		{"proposal shorter than its header", edit(t, 3, 7), errProposalLength},
		{"SA cut in the proposal header", octets(t, gcm)[:7], errProposalLength},
		{"proposal that ends in its transforms", octets(t, "00 00 000c 01 01 00 01 00 00 0008"), errTransformLength},
		{"transform one longer than proposal", edit(t, 8+12+8+3, 9), errTransformLength},
		{"last transform with four octets it says it has not", octets(t, "00 00 0014 01 01 00 01 00 00 0008 01 00 0014 800e 0100"), errTransformMore},
		{"transform shorter than its header", edit(t, 8+12+3, 7), errTransformLength},
		{"transform one shorter than its attribute", edit(t, 8+3, 11), errAttributeLength},
		{"attribute cut short", octets(t, "00 00 0012 01 01 00 01 00 00 000a 01 00 0014 800e"), errAttributeLength},
		{"long attribute past the transform", octets(t, "00 00 0015 01 01 00 01 00 00 000d 01 00 0014 0001 0002 aa"), errAttributeLength},
		{"long attribute one short of the transform", octets(t, "00 00 0015 01 01 00 01 00 00 000d 01 00 0014 0001 0000 aa"), errAttributeLength},
		{"SPI longer than the proposal", octets(t, "00 00 0010 01 01 ff 01 00 00 0008 01 00 0014"), errProposalLength},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseSA(c.body)
			mustBe(t, err, c.want)
		})
	}
}

func TestN16(t *testing.T) {
	_, err := ParseSA(nil)
	mustBe(t, err, errSAEmpty)
	for _, c := range []struct {
		name string
		body []byte
		want Malformed
	}{
		{"transform count 0", edit(t, 7, 0), errProposalTransforms},
		{"transform count 4 of 3", edit(t, 7, 4), errTransformMore},
		{"transform count 2 of 3", edit(t, 7, 2), errTransformMore},
		{"last mark 1", edit(t, 0, 1), errProposalMore},
		{"last mark 2 in the last", edit(t, 0, 2), errProposalMore},
		{"last mark 0 before another", append(octets(t, gcm), edit(t, 4, 2)...), errProposalMore},
		{"transform mark 3 in the last", edit(t, 28, 3), errTransformMore},
		{"transform mark 0 before another", edit(t, 8, 0), errTransformMore},
		{"transform mark 2", edit(t, 8, 2), errTransformMore},
		{"number 0", edit(t, 4, 0), errProposalNumber},
		{"numbers 1, 3", append(edit(t, 0, 2), edit(t, 4, 3)...), errProposalNumber},
		{"numbers 2, 3", append(octets(t, "02 00 0024 02"+gcm[len("00 00 0024 01"):]), edit(t, 4, 3)...), errProposalNumber},
		{"numbers 1, 1", append(edit(t, 0, 2), octets(t, gcm)...), errProposalNumber},
		{"numbers 1, 2", append(edit(t, 0, 2), edit(t, 4, 2)...), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseSA(c.body)
			mustBe(t, err, c.want)
		})
	}
	// Only a response may begin with another number: that of the proposal it chose.
	chosen, err := ParseSA(edit(t, 4, 7))
	mustBe(t, err, "")
	mustBe(t, chosen.CheckChoice(0), "")
	mustBe(t, chosen.CheckOffer(0), errProposalNumber)
	mustBe(t, SA{}.CheckOffer(0), errSAEmpty)
}

// TestK21Proposals: the limits are met exactly, in proposals and in transforms of all proposals.
func TestK21Proposals(t *testing.T) {
	build := func(proposals, transforms int) []byte {
		sa := SA{}
		for i := range proposals {
			sa.Proposals = append(sa.Proposals, Proposal{Number: uint8(i + 1), Protocol: ProtocolIKE,
				Transforms: make([]Transform, transforms)})
		}
		return sa.AppendBody(nil)
	}
	for _, c := range []struct {
		proposals, transforms int
		want                  Malformed
	}{{128, 1, ""}, {129, 1, errProposalCount}, {128, 8, ""}, {4, 255, ""}, {5, 205, errTransformCount}, {5, 255, errTransformCount}, {114, 9, errTransformCount}} {
		_, err := ParseSA(build(c.proposals, c.transforms))
		mustBe(t, err, c.want)
	}
	// A declared count alone must cost nothing.
	_, err := ParseSA(octets(t, "00 00 0008 01 01 00 ff"))
	mustBe(t, err, errTransformLength)
}

func TestN19(t *testing.T) {
	// with gives the only transform of a proposal that has these attributes.
	with := func(attributes string) (Transform, error) {
		extra := octets(t, attributes)
		b := octets(t, "00 00 0010 01 01 00 01 00 00 0008 01 00 0014")
		b[3], b[11] = b[3]+uint8(len(extra)), b[11]+uint8(len(extra))
		sa, err := ParseSA(append(b, extra...))
		if err != nil {
			return Transform{}, err
		}
		return sa.Proposals[0].Transforms[0], nil
	}
	for _, c := range []struct {
		attributes string
		keyLength  uint16
		unknown    bool
		want       Malformed
	}{
		{"", 0, false, ""},
		{"800e 0100", 256, false, ""},
		{"800e 0081", 129, false, ""}, // wrong for AES, but that is for who knows AES
		{"800e ffff", 65535, false, ""},
		{"800e 0000", 0, true, ""}, // given and 0 is not the same as not given
		{"800e 0100 800e 0100", 0, false, errAttributeTwice},
		{"800e 0000 800e 0100", 0, false, errAttributeTwice},
		{"8001 0100", 0, true, ""},
		{"0001 0001 aa", 0, true, ""},
		{"000e 0002 0100", 0, true, ""}, // the key length has the short form only (section 3.3.5)
		{"800e 0100 0001 0000", 256, true, ""},
		{"8001 0000 800e 0080", 128, true, ""},
	} {
		t.Run(c.attributes, func(t *testing.T) {
			got, err := with(c.attributes)
			mustBe(t, err, c.want)
			if got.KeyLength != c.keyLength || got.Unknown != c.unknown {
				t.Fatalf("read as %+v", got)
			}
		})
	}
}

// TestN20: an unknown transform type is read, so that the reducer can pass its proposal over.
func TestN20(t *testing.T) {
	sa, err := ParseSA(edit(t, 8+12+4, 200))
	mustBe(t, err, "")
	if got := sa.Proposals[0].Transforms[1].Type; got != 200 || got.Known() {
		t.Fatalf("type %v, known %v", got, got.Known())
	}
	for known := TransformENCR; known <= TransformADDKE7; known++ {
		if !known.Known() {
			t.Fatalf("%v is not known", known)
		}
	}
	if TransformType(0).Known() || TransformType(13).Known() {
		t.Fatal("types 0 and 13 are known")
	}
}

func TestN22(t *testing.T) {
	// with gives an SA of one proposal with this protocol and SPI.
	with := func(p ProtocolID, spi []byte) []byte {
		b := append([]byte{0, 0, 0, byte(16 + len(spi)), 1, byte(p), byte(len(spi)), 1}, spi...)
		return append(b, 0, 0, 0, 8, 1, 0, 0, 20)
	}
	const good = 0xc1f2a3b4
	for _, p := range []ProtocolID{ProtocolIKE, ProtocolAH, ProtocolESP, 4} {
		for size := range 10 {
			spi := binary.BigEndian.AppendUint32(bytes.Repeat([]byte{0xc1}, 8), good)[12-size:]
			want := errProposalSPISize
			switch {
			case p == ProtocolIKE && (size == 0 || size == 8), p == ProtocolAH && size == 4, p == ProtocolESP && size == 4, p == 4:
				want = ""
			}
			_, err := ParseSA(with(p, spi))
			mustBe(t, err, want)
		}
	}
	for _, p := range []ProtocolID{ProtocolAH, ProtocolESP} {
		for _, spi := range []string{"00000000", "00000001", "000000ff"} {
			_, err := ParseSA(with(p, octets(t, spi)))
			mustBe(t, err, errProposalSPI)
		}
		_, err := ParseSA(with(p, octets(t, "00000100")))
		mustBe(t, err, "")
	}
	_, err := ParseSA(with(ProtocolIKE, make([]byte, 8)))
	mustBe(t, err, errProposalSPI)

	// Which size an IKE proposal's SPI must have, its place decides.
	initial, _ := ParseSA(with(ProtocolIKE, nil))
	rekey, _ := ParseSA(with(ProtocolIKE, octets(t, "1122334455667788")))
	child, _ := ParseSA(with(ProtocolESP, octets(t, "c1f2a3b4")))
	for _, check := range []func(SA, int) error{SA.CheckOffer, SA.CheckChoice} {
		mustBe(t, check(initial, 0), "")
		mustBe(t, check(initial, 8), errProposalSPISize)
		mustBe(t, check(rekey, 8), "")
		mustBe(t, check(rekey, 0), errProposalSPISize)
		mustBe(t, check(child, 0), "")
	}
}

// TestN35: what a response's form can say; whether it was offered is the reducer's.
func TestN35(t *testing.T) {
	mustBe(t, offer.CheckChoice(0), "")
	two := SA{Proposals: []Proposal{offer.Proposals[0], offer.Proposals[0]}}
	mustBe(t, two.CheckChoice(0), errNotOneProposal)
	twice := SA{Proposals: []Proposal{{Number: 1, Protocol: ProtocolIKE, Transforms: []Transform{
		{Type: TransformPRF, ID: PRFHMACSHA2_256}, {Type: TransformPRF, ID: PRFHMACSHA2_384}}}}}
	mustBe(t, twice.CheckChoice(0), errNotOneTransform)
}
