package keys

import (
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
)

// octets is a string of hexadecimal in a vector.
type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

// readJSON fills into from a file of vectors.
func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// must is for what cannot fail in a test that goes on.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// seeded is randomness that repeats.
type seeded struct{ *rand.ChaCha8 }

func newSeeded(n byte) seeded { return seeded{rand.NewChaCha8([32]byte{n})} }

var x25519Suite = Suite{
	Encr: ike.EncrAESGCM16, KeyLength: 256, PRF: ike.PRFHMACSHA2_256, Group: uint16(ike.GroupCurve25519),
}

// allSuites is every cipher with every PRF, and every integrity transform where there must be one.
func allSuites(group ike.Group) []Suite {
	var all []Suite
	for encr, shape := range ciphers {
		lengths := shape.keyBits
		if lengths == nil {
			lengths = []uint16{0}
		}
		for _, length := range lengths {
			for _, prf := range []uint16{ike.PRFHMACSHA2_256, ike.PRFHMACSHA2_384, ike.PRFHMACSHA2_512} {
				suite := Suite{Encr: encr, KeyLength: length, PRF: prf, Group: uint16(group)}
				if shape.icv != 0 {
					all = append(all, suite)
					continue
				}
				for integ := range integs {
					suite.Integ = integ
					all = append(all, suite)
				}
			}
		}
	}
	return all
}

// end is one of the two ends of an IKE SA.
type end struct {
	*Keyring
	ref       uint64
	initiator bool
}

// header is that of a message from this end.
func (e end) header(id uint32, response bool) ike.Header {
	h := ike.Header{SPIi: 1, SPIr: 2, Exchange: ike.INFORMATIONAL, MessageID: id}
	if e.initiator {
		h.Flags |= ike.FlagInitiator
	}
	if response {
		h.Flags |= ike.FlagResponse
	}
	return h
}

// pair agrees on an SA between two keyrings.
func pair(t testing.TB, suite Suite) (initiator, responder end) {
	t.Helper()
	initiator, responder = end{New(Options{}), 0, true}, end{New(Options{}), 0, false}
	i := must[Init](t)(initiator.MakeInit(suite.Group))
	r := must[Init](t)(responder.MakeInit(suite.Group))
	initiator.ref, responder.ref = i.Ref, r.Ref
	a := Agreement{Suite: suite, SPIi: i.SPI, SPIr: r.SPI, Ni: i.Nonce, Nr: r.Nonce}
	forI, forR := a, a
	forI.Initiator, forI.PeerPublic = true, r.Public
	forR.PeerPublic = i.Public
	if err := initiator.Agree(i.Ref, forI); err != nil {
		t.Fatal(err)
	}
	if err := responder.Agree(r.Ref, forR); err != nil {
		t.Fatal(err)
	}
	return initiator, responder
}
