package keys

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/testshared"
	"pgregory.net/rapid"
)

func TestChaCha20_RFC7634(t *testing.T) { testRFC7634(t, "testdata/rfc7634.json") }
func TestChaCha20_RFC7634Shared(t *testing.T) {
	testRFC7634(t, testshared.Path(t, "vectors/aead/rfc7634.json"))
}

func testRFC7634(t *testing.T, path string) {
	var vectors struct {
		ESP struct{ Keymat octets } `json:"esp_example"`
		IKE struct {
			Plaintext, AAD octets
			Message        octets `json:"ike_message"`
		} `json:"ikev2_example"`
	}
	readJSON(t, path, &vectors)
	v := vectors.IKE
	// Both examples share their keying material.
	protect := newProtector(Suite{Encr: ike.EncrChaCha20Poly1305}, vectors.ESP.Keymat, nil)
	plain, err := protect.open(v.Message, len(v.AAD))
	if err != nil || !bytes.Equal(plain, v.Plaintext) {
		t.Fatalf("opened %x, %v, want %x", plain, err, []byte(v.Plaintext))
	}
	message := bytes.Clone(v.Message)
	copy(message[len(v.AAD)+8:], v.Plaintext)
	protect.seal(message, len(v.AAD))
	if !bytes.Equal(message, v.Message) {
		t.Fatalf("sealed %x, want %x", message, []byte(v.Message))
	}
	first, opened, err := OpenForeign(Foreign{Encr: ike.EncrChaCha20Poly1305, EncrKey: vectors.ESP.Keymat}, v.Message)
	if err != nil || first != ike.PayloadNotify || !bytes.Equal(opened, v.Plaintext[:len(v.Plaintext)-1]) {
		t.Fatalf("the whole message opens to %v %x, %v", first, opened, err)
	}
}

// What one end seals the other opens: every suite, SK and SKF, requests and responses, whoever began the SA.
func TestRoundTrip(t *testing.T) {
	suites := allSuites(ike.GroupCurve25519)
	pairs := make([][2]end, len(suites))
	for i, suite := range suites {
		initiator, responder := pair(t, suite)
		pairs[i] = [2]end{initiator, responder}
	}
	id := uint32(0)
	rapid.Check(t, func(t *rapid.T) {
		ends := pairs[rapid.IntRange(0, len(pairs)-1).Draw(t, "suite")]
		from, to := ends[0], ends[1]
		if rapid.Bool().Draw(t, "responder sends") {
			from, to = to, from
		}
		plain := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "plaintext")
		var part Part
		if part.Total = rapid.Uint8().Draw(t, "total"); part.Total > 0 {
			part.Fragment = rapid.Uint8Range(1, part.Total).Draw(t, "fragment")
		}
		id++
		h := from.header(id, rapid.Bool().Draw(t, "response"))
		room := []byte("before")
		sealed, err := from.SealPart(room, from.ref, h, ike.PayloadNotify, part, plain)
		if err != nil || !bytes.HasPrefix(sealed, room) {
			t.Fatalf("not sealed behind what was there: %v", err)
		}
		sealed = sealed[len(room):]
		before := bytes.Clone(sealed)
		first, opened, err := to.Open(to.ref, sealed)
		if err != nil || !bytes.Equal(opened, plain) || !bytes.Equal(sealed, before) {
			t.Fatalf("opened %x, %v, message changed: %t", opened, err, !bytes.Equal(sealed, before))
		}
		if want := ike.PayloadNotify; part.Fragment < 2 && first != want || part.Fragment > 1 && first != 0 {
			t.Fatalf("first payload %v in fragment %d", first, part.Fragment)
		}
		_, own, err := from.Open(from.ref, sealed) // a sender can read its own: an audit does
		if err != nil || !bytes.Equal(own, plain) {
			t.Fatalf("its sender opened %x, %v", own, err)
		}
	})
}

// N-40: any octet changed in any bit. Where the form says no already the ICV is not asked; everything else is ErrICV.
func TestTamper_N40(t *testing.T) {
	for _, suite := range allSuites(ike.GroupCurve25519) {
		if suite.PRF != ike.PRFHMACSHA2_256 { // the PRF has no part in it
			continue
		}
		from, to := pair(t, suite)
		sealed := must[[]byte](t)(from.Seal(nil, from.ref, from.header(7, false), ike.PayloadNotify, make([]byte, 20)))
		for i := range sealed {
			for bit := range 8 {
				bad := bytes.Clone(sealed)
				bad[i] ^= 1 << bit
				_, plain, err := to.Open(to.ref, bad)
				var malformed ike.Malformed
				form := i == 16 || i >= 24 && i < 28 || i >= 30 && i < 32 // next payload, the two lengths
				if !errors.Is(err, ErrICV) && !(form && errors.As(err, &malformed)) || plain != nil {
					t.Fatalf("%+v: octet %d bit %d changed: opened %x, %v", suite, i, bit, plain, err)
				}
			}
		}
	}
}

// N-41: too short, no whole blocks, padding over the payload.
func TestLengthsAndPadding_N41(t *testing.T) {
	cbc := Suite{Encr: ike.EncrAESCBC, KeyLength: 128, PRF: ike.PRFHMACSHA2_256, Integ: ike.IntegHMACSHA2_256_128, Group: 31}
	for _, suite := range []Suite{x25519Suite, cbc} {
		from, to := pair(t, suite)
		s := from.of(from.ref)
		_, l, err := s.entry(from.ref)
		if err != nil {
			t.Fatal(err)
		}
		protect := s.protector(from.ref, true, l)
		shape, icv := protect.shape(), protect.icv()
		sealBody := func(inner []byte) []byte {
			bodyLen := shape.iv + len(inner) + icv
			msg := ike.AppendSKFrame(nil, from.header(1, false), ike.NoNextPayload, bodyLen)
			at := len(msg)
			msg = append(append(append(msg, make([]byte, shape.iv)...), inner...), make([]byte, icv)...)
			if len(inner)%shape.block == 0 {
				protect.seal(msg, at)
			}
			return msg
		}
		for octets := range shape.iv + icv + shape.block { // never enough for a pad length
			msg := ike.AppendSKFrame(nil, from.header(1, false), ike.NoNextPayload, octets)
			if _, _, err := to.Open(to.ref, append(msg, make([]byte, octets)...)); !errors.Is(err, ErrShort) {
				t.Errorf("body of %d octets: got %v, want ErrShort", octets, err)
			}
		}
		inner := make([]byte, 32)
		for _, c := range []struct {
			padding byte
			want    error
			left    int
		}{{0, nil, 31}, {15, nil, 16}, {31, nil, 0}, {32, ErrMalformed, 0}, {255, ErrMalformed, 0}} {
			inner[31] = c.padding
			_, plain, err := to.Open(to.ref, sealBody(inner))
			if !errors.Is(err, c.want) || len(plain) != c.left {
				t.Errorf("pad length %d of 32 octets: %d left, %v; want %d, %v", c.padding, len(plain), err, c.left, c.want)
			}
		}
		if shape.block > 1 {
			if _, _, err := to.Open(to.ref, sealBody(make([]byte, 33))); !errors.Is(err, ErrShort) {
				t.Errorf("33 octets in blocks of 16: got %v, want ErrShort", err)
			}
		}
	}
}

// Sealing is a function of key and message: a keyring that comes out of the vault seals the same bytes.
func TestSealIsAFunction(t *testing.T) {
	for _, suite := range allSuites(ike.GroupCurve25519) {
		epochs := NewMemoryEpochs(newSeeded(1))
		from, _ := pair(t, suite)
		from.epochs = epochs
		entry := must[[]byte](t)(from.Export(from.ref))
		after := New(Options{Epochs: epochs})
		if err := after.Import(from.ref, entry); err != nil {
			t.Fatal(err)
		}
		h := from.header(3, true)
		one := must[[]byte](t)(from.Seal(nil, from.ref, h, ike.PayloadDelete, []byte("delete")))
		two := must[[]byte](t)(after.Seal(nil, from.ref, h, ike.PayloadDelete, []byte("delete")))
		if !bytes.Equal(one, two) {
			t.Errorf("%+v: sealed %x, after a crash %x", suite, one, two)
		}
	}
}

// Each direction has its own key, whatever the cache holds.
func TestDirections(t *testing.T) {
	for _, suite := range allSuites(ike.GroupCurve25519) {
		i, r := pair(t, suite)
		_, l, _ := i.of(i.ref).entry(i.ref)
		for id, e := range []end{i, r, i, r} {
			msg := must[[]byte](t)(e.Seal(nil, e.ref, e.header(uint32(id), false), 41, []byte("x")))
			for _, keyring := range []end{i, r} {
				if _, _, err := keyring.Open(keyring.ref, msg); err != nil {
					t.Errorf("%+v: %v", suite, err)
				}
			}
			_, frame, err := parse(msg)
			if err != nil {
				t.Fatal(err)
			}
			for _, initiator := range []bool{true, false} {
				_, err := open(newProtector(suite, l.encr(initiator), l.integ(initiator)), msg, len(frame.AAD))
				if (err == nil) != (initiator == e.initiator) {
					t.Errorf("%+v: sealed by initiator %t, under the key of initiator %t: %v", suite, e.initiator, initiator, err)
				}
			}
		}
	}
}

// The IV of DESIGN.md, "Sealing", as it is on the wire.
func TestIVOnTheWire(t *testing.T) {
	from, _ := pair(t, x25519Suite)
	for _, c := range []struct {
		id       uint32
		response bool
		part     Part
		want     [8]byte
	}{
		{0x01020304, false, Part{}, [8]byte{1, 2, 3, 4}},
		{0x01020305, true, Part{}, [8]byte{1, 2, 3, 5, 0x80}},
		{0x01020306, true, Part{0x0102, 0, 0}, [8]byte{1, 2, 3, 6, 0x81, 2}},
		{0x01020307, false, Part{0, 3, 9}, [8]byte{1, 2, 3, 7, 0, 0, 9, 3}},
	} {
		msg := must[[]byte](t)(from.SealPart(nil, from.ref, from.header(c.id, c.response), 41, c.part, nil))
		h, frame, err := parse(msg)
		if err != nil || !bytes.Equal(frame.Body[:8], c.want[:]) || h.MessageID != c.id {
			t.Errorf("id %x: IV %x, %v, want %x", c.id, frame.Body[:8], err, c.want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	cbc := Suite{Encr: ike.EncrAESCBC, KeyLength: 256, PRF: ike.PRFHMACSHA2_256, Integ: ike.IntegHMACSHA2_512_256, Group: 31}
	var receivers []end
	for _, suite := range []Suite{x25519Suite, cbc} {
		from, to := pair(f, suite)
		receivers = append(receivers, to)
		f.Add(must[[]byte](f)(from.Seal(nil, from.ref, from.header(1, false), ike.PayloadDelete, []byte("payloads"))))
		f.Add(must[[]byte](f)(from.SealPart(nil, from.ref, from.header(2, false), ike.PayloadDelete, Part{0, 1, 2}, nil)))
	}
	key := bytes.Repeat([]byte{1}, 36)
	f.Fuzz(func(t *testing.T, msg []byte) {
		for _, to := range receivers {
			if _, plain, err := to.Open(to.ref, msg); err != nil && plain != nil {
				t.Fatalf("%v, and yet %x", err, plain)
			}
		}
		for encr := range foreignCiphers {
			shape := foreignCiphers[encr]
			foreign := Foreign{encr, ike.IntegHMACSHA1_96, key[:16+shape.salt], key[:20]}
			if encr == ike.Encr3DES {
				foreign.EncrKey = key[:24]
			}
			if _, _, err := OpenForeign(foreign, msg); err == nil {
				t.Fatalf("ENCR %d: opened under a key nobody used", encr)
			}
		}
	})
}
