package ike

import (
	"net/netip"
	"testing"
)

func TestN30(t *testing.T) {
	for n, want := range map[int]Malformed{0: errNotifyDataLength, 1: "", 64: "", 65: errNotifyDataLength} {
		mustBe(t, CheckCookie(make([]byte, n)), want)
	}
}

// TestN70Length: a COOKIE2 is 8 to 64 octets (RFC 4555, section 4.2.5).
func TestN70Length(t *testing.T) {
	for n, want := range map[int]Malformed{7: errNotifyDataLength, 8: "", 64: "", 65: errNotifyDataLength} {
		mustBe(t, CheckCookie2(make([]byte, n)), want)
	}
}

func TestN33(t *testing.T) {
	for n, want := range map[int]Malformed{0: errNotifyDataLength, 1: errNotifyDataLength, 2: "", 4: errNotifyDataLength} {
		_, err := ParseInvalidKE(make([]byte, n))
		mustBe(t, err, want)
	}
	n := InvalidKEPayload(GroupCurve25519)
	same(t, n.AppendBody(nil), octets(t, "00 00 0011 001f"))
	g, err := ParseInvalidKE(n.Data)
	mustBe(t, err, "")
	if g != GroupCurve25519 {
		t.Fatal(g)
	}
}

func TestX21(t *testing.T) {
	n := UnsupportedCritical(200)
	same(t, n.AppendBody(nil), octets(t, "00 00 0001 c8"))
	got, err := ParseUnsupportedCritical(n.Data)
	mustBe(t, err, "")
	if got != 200 {
		t.Fatal(got)
	}
	_, err = ParseUnsupportedCritical(nil)
	mustBe(t, err, errNotifyDataLength)
}

// TestN36 pins the hash to a value computed apart from this code: sha1sum of SPIs, address and port.
func TestN36(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1:500":          "c31e70110fc425fd1cdd03aa08eef6ef77e1d848",
		"[::ffff:192.0.2.1]:500": "c31e70110fc425fd1cdd03aa08eef6ef77e1d848",
		"[2001:db8::1]:4500":     "140f95d36ae0c893c11f39d9eb6bb012d7d333fb",
	} {
		hash := NATDetectionHash(0x1122334455667788, 0x99aabbccddeeff00, netip.MustParseAddrPort(addr))
		same(t, hash[:], octets(t, want))
	}
}

func TestN72(t *testing.T) {
	for n, want := range map[int]Malformed{0: errNotifyDataLength, 3: errNotifyDataLength, 4: "", 5: errNotifyDataLength} {
		_, err := ParseUint32(make([]byte, n))
		mustBe(t, err, want)
	}
	for _, v := range []uint32{0, 1, 8, 1<<32 - 1} {
		got, err := ParseUint32(Uint32Notify(NotifySetWindowSize, v).Data)
		mustBe(t, err, "")
		if got != v {
			t.Fatalf("%d read as %d", v, got)
		}
	}
	same(t, Uint32Notify(NotifyInvalidMessageID, 0x01020304).AppendBody(nil), octets(t, "00 00 0009 01020304"))
}

func TestSignatureHashes(t *testing.T) {
	n := SignatureHashes(HashSHA2_256, HashIdentity)
	same(t, n.AppendBody(nil), octets(t, "00 00 402f 0002 0005"))
	got, err := ParseSignatureHashes(n.Data)
	mustBe(t, err, "")
	same(t, got, []HashAlgorithm{HashSHA2_256, HashIdentity})
	_, err = ParseSignatureHashes(n.Data[:3])
	mustBe(t, err, errNotifyDataLength)
}

func TestAdditionalAddress(t *testing.T) {
	for addr, want := range map[string]NotifyType{
		"192.0.2.1": NotifyAdditionalIP4Address, "2001:db8::1": NotifyAdditionalIP6Address,
	} {
		n := AdditionalAddress(netip.MustParseAddr(addr))
		if n.Type != want {
			t.Fatalf("%s is announced as %v", addr, n.Type)
		}
		got, err := ParseAdditionalAddress(n)
		mustBe(t, err, "")
		same(t, got, netip.MustParseAddr(addr))
		n.Data = append(n.Data, 0)
		_, err = ParseAdditionalAddress(n)
		mustBe(t, err, errNotifyDataLength)
	}
	if n := AdditionalAddress(netip.MustParseAddr("::ffff:192.0.2.1")); n.Type != NotifyAdditionalIP4Address || len(n.Data) != 4 {
		t.Fatalf("a mapped address is announced as %v of %d octets", n.Type, len(n.Data))
	}
	_, err := ParseAdditionalAddress(Notify{Type: NotifyAdditionalIP6Address, Data: make([]byte, 4)})
	mustBe(t, err, errNotifyDataLength)
}

func TestMessageIDSync(t *testing.T) {
	m := MessageIDSync{Nonce: 0x01020304, ExpectedSend: 5, ExpectedRecv: 6}
	same(t, m.Notify().AppendBody(nil), octets(t, "00 00 4026 01020304 00000005 00000006"))
	got, err := ParseMessageIDSync(m.Notify().Data)
	mustBe(t, err, "")
	same(t, got, m)
	_, err = ParseMessageIDSync(make([]byte, 11))
	mustBe(t, err, errNotifyDataLength)
}
