package ike

import "testing"

func TestHeader(t *testing.T) {
	wire := octets(t, "1122334455667788 99aabbccddeeff00 2e 20 24 08 00000007 0000001c")
	h, err := ParseHeader(wire)
	mustBe(t, err, "")
	same(t, h, Header{
		SPIi: 0x1122334455667788, SPIr: 0x99aabbccddeeff00, NextPayload: PayloadSK, Major: 2,
		Exchange: CREATE_CHILD_SA, Flags: FlagInitiator, MessageID: 7, Length: 28,
	})
	same(t, h.Append(nil), wire)
	if h.Response() || !h.Initiator() {
		t.Fatal("I is set and R is not")
	}
	h.Flags = FlagResponse
	if !h.Response() || h.Initiator() {
		t.Fatal("R is set and I is not")
	}
}

// TestN01: what is shorter than a header is no message.
func TestN01(t *testing.T) {
	for n := range HeaderLen {
		_, err := ParseHeader(make([]byte, n))
		mustBe(t, err, errHeaderShort)
	}
	_, err := ParseHeader(make([]byte, HeaderLen))
	mustBe(t, err, "")
}

func TestN02(t *testing.T) {
	for _, c := range []struct {
		length uint32
		n      int
		want   Malformed
	}{{28, 28, ""}, {27, 28, errHeaderLength}, {29, 28, errHeaderLength}, {0, 28, errHeaderLength},
		{0xffffffff, 28, errHeaderLength}, {0, 0, ""}} {
		mustBe(t, Header{Length: c.length}.CheckLength(c.n), c.want)
	}
}

// TestN03: a header of any version can be read, so that it can be answered; what we send is 2.0 whatever we answer.
func TestN03(t *testing.T) {
	for _, octet := range []byte{0x00, 0x10, 0x20, 0x2f, 0x30, 0xf0} {
		wire := baseSI()
		wire[17] = octet
		h, err := ParseHeader(wire)
		mustBe(t, err, "")
		if h.Major != octet>>4 || h.Minor != octet&15 {
			t.Fatalf("version octet %#x read as %d.%d", octet, h.Major, h.Minor)
		}
		same(t, h.Append(nil), wire[:HeaderLen])
		if answer := AppendMessage(nil, h); answer[17] != 0x20 {
			t.Fatalf("answered with version octet %#x", answer[17])
		}
	}
}

// TestN14Header: reserved flags are no reason to refuse, and are not sent back.
func TestN14Header(t *testing.T) {
	wire := baseSI()
	wire[19] = 0xff
	h, err := ParseHeader(wire)
	mustBe(t, err, "")
	if h.Flags != 0xff {
		t.Fatalf("flags read as %v", h.Flags)
	}
	if answer := AppendMessage(nil, h); Flags(answer[19]) != FlagInitiator|FlagResponse {
		t.Fatalf("sent flags %v", Flags(answer[19]))
	}
}
