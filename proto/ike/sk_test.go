package ike

import "testing"

var skHeader = Header{SPIi: 1, SPIr: 2, Exchange: INFORMATIONAL, Flags: FlagInitiator, MessageID: 5}

// protect is a message as the keyring makes it: the frame, then as many octets as were promised.
func protect(frame []byte, bodyLen int) ([]byte, Header) {
	for i := range bodyLen {
		frame = append(frame, byte(i))
	}
	h, _ := ParseHeader(frame)
	return frame, h
}

func TestSKFrame(t *testing.T) {
	frame := AppendSKFrame(nil, skHeader, PayloadDelete, 24)
	same(t, frame, octets(t, "0000000000000001 0000000000000002 2e 20 25 08 00000005 00000038"+"2a 00 001c"))
	msg, h := protect(frame, 24)
	mustBe(t, h.CheckLength(len(msg)), "")
	sk, err := ParseSK(msg, h)
	mustBe(t, err, "")
	same(t, sk, SKFrame{First: PayloadDelete, AAD: msg[:32], Body: msg[32:]})
	if cap(sk.AAD) != len(sk.AAD) {
		t.Fatal("appending to the AAD would write over the IV")
	}

	empty, h := protect(AppendSKFrame(nil, skHeader, NoNextPayload, 0), 0)
	sk, err = ParseSK(empty, h)
	mustBe(t, err, "")
	same(t, sk, SKFrame{AAD: empty})
}

func TestSKFFrame(t *testing.T) {
	frame := AppendSKFFrame(nil, skHeader, PayloadIDi, 1, 3, 24)
	same(t, frame, octets(t, "0000000000000001 0000000000000002 35 20 25 08 00000005 0000003c"+"23 00 0020 0001 0003"))
	msg, h := protect(frame, 24)
	mustBe(t, h.CheckLength(len(msg)), "")
	sk, err := ParseSK(msg, h)
	mustBe(t, err, "")
	same(t, sk, SKFrame{Fragment: 1, Total: 3, First: PayloadIDi, AAD: msg[:36], Body: msg[36:]})

	// RFC 7383, section 2.5: only the first fragment says what is inside.
	msg, h = protect(AppendSKFFrame(nil, skHeader, PayloadIDi, 2, 3, 24), 24)
	sk, err = ParseSK(msg, h)
	mustBe(t, err, "")
	same(t, sk, SKFrame{Fragment: 2, Total: 3, AAD: msg[:36], Body: msg[36:]})
}

// TestN41Frame: what is too short for any algorithm; the rest of N-41 needs to know which.
func TestN41Frame(t *testing.T) {
	msg, h := protect(AppendSKFrame(nil, skHeader, PayloadDelete, 24), 24)
	for n := HeaderLen; n < HeaderLen+4; n++ {
		_, err := ParseSK(msg[:n], h)
		mustBe(t, err, errPayloadShort)
	}
	fragment, h := protect(AppendSKFFrame(nil, skHeader, PayloadDelete, 1, 1, 0), 0)
	for n := range 4 {
		cut := append([]byte{}, fragment[:HeaderLen+4+n]...)
		cut[HeaderLen+3] = byte(4 + n)
		_, err := ParseSK(cut, h)
		mustBe(t, err, errPayloadShort)
	}
}

func TestN42Frame(t *testing.T) {
	for _, msg := range [][]byte{
		AppendSKFrame(nil, skHeader, PayloadDelete, 24),
		AppendSKFFrame(nil, skHeader, PayloadDelete, 1, 2, 24),
	} {
		msg, h := protect(msg, 24)
		length := msg[HeaderLen+3]
		for octet, want := range map[byte]Malformed{
			length - 1: errSKNotLast, length + 1: errPayloadPastEnd, 4: errSKNotLast, 3: errPayloadLength, 0: errPayloadLength,
		} {
			msg[HeaderLen+3] = octet
			_, err := ParseSK(msg, h)
			mustBe(t, err, want)
		}
	}
	plain := AppendMessage(nil, skHeader, VendorID{Data: []byte("hi")})
	h, _ := ParseHeader(plain)
	_, err := ParseSK(plain, h)
	mustBe(t, err, errSKNotFirst)
	plain = AppendMessage(nil, skHeader)
	h, _ = ParseHeader(plain)
	_, err = ParseSK(plain, h)
	mustBe(t, err, errSKMissing)
}

func TestN65(t *testing.T) {
	for _, c := range []struct {
		fragment, total byte
		want            Malformed
	}{
		{0, 0, errFragmentNumbers}, {0, 1, errFragmentNumbers}, {1, 0, errFragmentNumbers}, {2, 1, errFragmentNumbers},
		{1, 1, ""}, {1, 255, ""}, {255, 255, ""},
	} {
		msg, h := protect(AppendSKFFrame(nil, skHeader, PayloadDelete, 1, 2, 24), 24)
		msg[33], msg[35] = c.fragment, c.total
		_, err := ParseSK(msg, h)
		mustBe(t, err, c.want)
	}
}

func TestN67(t *testing.T) {
	msg, h := protect(AppendSKFFrame(nil, skHeader, NoNextPayload, 1, 2, 24), 24)
	_, err := ParseSK(msg, h)
	mustBe(t, err, errFragmentFirst)
}

// TestIntAuthA: of a message in one piece and of the same in fragments, A is the same (RFC 9242, section 3.3.2), and what
// a peer put into reserved bits stays in it.
func TestIntAuthA(t *testing.T) {
	want := octets(t, "0000000000000001 0000000000000002 2e 20 25 08 00000005 0000002a"+"22 00 000e")
	whole := AppendSKFrame(nil, skHeader, PayloadKE, 60)
	first := AppendSKFFrame(nil, skHeader, PayloadKE, 1, 2, 40)
	same(t, AppendIntAuthA(nil, whole, 10), want)
	same(t, AppendIntAuthA(nil, first, 10), want)
	same(t, whole, AppendSKFrame(nil, skHeader, PayloadKE, 60)) // and the message is untouched
	whole[19] |= 0x41
	whole[29] = 0x7f
	want[19], want[29] = whole[19], 0x7f
	same(t, AppendIntAuthA([]byte("before"), whole, 10), append([]byte("before"), want...))
}
