package keys

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"pgregory.net/rapid"
)

// Against a model that forgets nothing: no IV may ever carry two contents, whatever is asked for, in whatever order.
// And what a window of eight has sealed is sealed again, the same bytes.
func TestOneIDOneContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		suite := x25519Suite
		if rapid.Bool().Draw(t, "cbc") {
			suite = Suite{Encr: ike.EncrAESCBC, KeyLength: 128, PRF: ike.PRFHMACSHA2_256, Integ: ike.IntegHMACSHA2_256_128, Group: 31}
		}
		from, _ := loneEnd(suite)
		contents := map[string]string{} // IV -> plaintext
		high := map[bool]uint32{}
		ids := rapid.SampledFrom([]uint32{1, 3, 24}).Draw(t, "ids")
		takeovers := rapid.SampledFrom([][]uint16{{0}, {1, 2}, {0, 0, 1, 0x7fff}}).Draw(t, "takeovers")
		totals := rapid.SampledFrom([][]uint8{{0}, {2, 3}, {0, 1, 2, 3, 255}}).Draw(t, "totals")
		far := rapid.Bool().Draw(t, "far")
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			response := rapid.Bool().Draw(t, "response")
			id := rapid.Uint32Range(0, ids).Draw(t, "id")
			if far && rapid.IntRange(0, 19).Draw(t, "jump") == 0 {
				id = rapid.Uint32().Draw(t, "any id")
			}
			part := Part{Takeover: rapid.SampledFrom(takeovers).Draw(t, "takeover")}
			if part.Total = rapid.SampledFrom(totals).Draw(t, "total"); part.Total > 0 {
				part.Fragment = rapid.Uint8Range(1, part.Total).Draw(t, "fragment")
			}
			plain := fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "content"))
			sealed, err := from.SealPart(nil, from.ref, from.header(id, response), 41, part, []byte(plain))
			if err != nil && !errors.Is(err, ErrIVUsed) {
				t.Fatal(err)
			}
			usual := part == Part{}
			key := fmt.Sprint(id, response, part)
			if err == nil {
				iv := string(ivOnWire(t, sealed, suite))
				if before, used := contents[iv]; used && before != plain {
					t.Fatalf("IV %x carried %q and then %q", iv, before, plain)
				}
				contents[iv] = plain
				if before, used := contents[key]; usual && used && before != string(sealed) {
					t.Fatalf("%s: sealed to other bytes than before", key)
				}
				contents[key] = string(sealed)
				if part.Takeover == 0 {
					high[response] = max(high[response], id)
				}
			} else if last, begun := high[response]; part.Takeover == 0 && (!begun || id > last) {
				t.Fatalf("%s: above all others, and refused", key)
			}
		}
	})
}

// ivOnWire undoes SP 800-38A appendix C by not caring: equal IVs are equal octets on the wire.
func ivOnWire(t *rapid.T, sealed []byte, suite Suite) []byte {
	_, frame, err := parse(sealed)
	if err != nil {
		t.Fatal(err)
	}
	return frame.Body[:ciphers[suite.Encr].iv]
}

// loneEnd is an end with keys of zeros.
func loneEnd(suite Suite) (from end, l layout) {
	from = end{New(Options{Protectors: 1}), 1, true}
	keys := make([]byte, suite.octets())
	from.of(1).put(1, entry{suite: suite, initiator: true}, keys)
	return from, layout{suite, keys}
}

// The same by hand, with what is allowed: this is what a window needs.
func TestWhatMayBeSealedAgain(t *testing.T) {
	from, _ := loneEnd(x25519Suite)
	seal := func(id uint32, part Part, plain string) error {
		_, err := from.SealPart(nil, from.ref, from.header(id, false), 41, part, []byte(plain))
		return err
	}
	for i, c := range []struct {
		id    uint32
		part  Part
		plain string
		want  error
	}{
		{0, Part{}, "a", nil},
		{0, Part{}, "a", nil},        // identical
		{0, Part{}, "b", ErrIVUsed},  // other bytes
		{3, Part{}, "c", nil},        // ahead: a peer's window of 4
		{1, Part{}, "d", nil},        // between: not sealed yet
		{0, Part{}, "a", nil},        // still remembered
		{0, Part{0, 1, 2}, "a", nil}, // from an SK to SKFs
		{0, Part{0, 2, 2}, "b", nil}, //
		{0, Part{0, 1, 2}, "a", nil}, // identical
		{0, Part{0, 2, 2}, "x", ErrIVUsed},
		{0, Part{}, "a", ErrIVUsed},        // not back to an SK
		{0, Part{0, 1, 3}, "x", nil},       // split again, into more
		{0, Part{0, 2, 2}, "x", ErrIVUsed}, // not back to fewer, though 2 of 3 is free
		{8, Part{}, "e", nil},              // eight ahead: 0 is forgotten
		{0, Part{0, 1, 3}, "x", ErrIVUsed},
		{1, Part{}, "d", nil},           // and 1 is not
		{8, Part{0, 1, 1}, "e", nil},    // the slot of 0 has none of its fragments
		{0, Part{1, 0, 0}, "sync", nil}, // W-29: id 0 comes again after a takeover
		{0, Part{1, 0, 0}, "other", ErrIVUsed},
		{0, Part{2, 0, 0}, "other", nil}, // and after the next
		{0, Part{1, 0, 0}, "sync", ErrIVUsed},
		{5, Part{2, 0, 0}, "a", nil},
		{6, Part{3, 0, 0}, "a", nil},
		{5, Part{2, 0, 0}, "b", ErrIVUsed}, // a takeover is not undone
		{9, Part{}, "f", nil},              // the usual ids go on meanwhile
		{0xffffffff, Part{}, "z", nil},
		{0xfffffff8, Part{}, "y", nil},
		{0xfffffff7, Part{}, "x", ErrIVUsed},
	} {
		if err := seal(c.id, c.part, c.plain); !errors.Is(err, c.want) {
			t.Fatalf("line %d: id %d, part %+v, %q: got %v, want %v", i, c.id, c.part, c.plain, err, c.want)
		}
	}
	h := from.header(9, false)
	h.Exchange = ike.CREATE_CHILD_SA
	if _, err := from.Seal(nil, from.ref, h, 41, []byte("f")); !errors.Is(err, ErrIVUsed) {
		t.Errorf("other header under the same IV: got %v, want ErrIVUsed", err)
	}
	if _, err := from.Seal(nil, from.ref, from.header(9, false), 42, []byte("f")); !errors.Is(err, ErrIVUsed) {
		t.Errorf("other first payload under the same IV: got %v, want ErrIVUsed", err)
	}
}

// Memory stays bounded: nothing is remembered beside the window, however many fragments were sealed.
func TestFragmentsAreForgotten(t *testing.T) {
	from, _ := loneEnd(x25519Suite)
	s := from.of(from.ref)
	for id := range uint32(100) {
		for n := range uint8(40) {
			if _, err := from.SealPart(nil, from.ref, from.header(id, id%2 == 1), 41, Part{0, n + 1, 40}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(s.split) > 2*onceWindow {
		t.Errorf("fragments of %d messages are remembered, want at most %d", len(s.split), 2*onceWindow)
	}
	if _, err := from.SealPart(nil, from.ref, from.header(0, false), 41, Part{Takeover: 1}, nil); err != nil {
		t.Fatal(err)
	}
	from.Destroy(from.ref)
	if len(s.split)+len(s.taken)+len(s.agreed) > 0 {
		t.Errorf("after Destroy: %d split, %d taken over, %d entries", len(s.split), len(s.taken), len(s.agreed))
	}
}

// A CBC IV is not what a stranger could have written down beforehand (SP 800-38A, appendix C).
func TestCBCIVThroughTheCipher(t *testing.T) {
	suite := Suite{Encr: ike.EncrAESCBC, KeyLength: 128, PRF: ike.PRFHMACSHA2_256, Integ: ike.IntegHMACSHA2_256_128, Group: 31}
	from, l := loneEnd(suite)
	msg := must[[]byte](t)(from.Seal(nil, from.ref, from.header(5, false), 41, []byte("x")))
	_, frame, err := parse(msg)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 16)
	copy(want, []byte{0, 0, 0, 5})
	newAES(l.encr(true)).Encrypt(want, want)
	if !bytes.Equal(frame.Body[:16], want) {
		t.Errorf("IV %x, want %x", frame.Body[:16], want)
	}
}
