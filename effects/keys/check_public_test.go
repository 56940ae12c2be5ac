package keys

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
)

// TestCheckPublic: it refuses what an agreement refuses, and nothing else (PROTOCOL.md, N-24 to N-27).
func TestCheckPublic(t *testing.T) {
	for number, g := range groups {
		own := must[private](t)(g.draw(rand.Reader))
		good := must[private](t)(g.draw(rand.Reader)).public()
		tries := [][]byte{good, good[1:], append(bytes.Clone(good), 0), nil, make([]byte, len(good)), bytes.Repeat([]byte{0xff}, len(good))}
		one := make([]byte, len(good))
		one[0] = 1
		tries = append(tries, one)
		for u := range lowOrder {
			tries = append(tries, u[:], append(bytes.Clone(u[:31]), u[31]|0x80))
		}
		for range 32 {
			changed := bytes.Clone(good)
			changed[len(changed)/2]++
			good = changed
			tries = append(tries, changed)
		}
		for _, public := range tries {
			_, agreed := own.agree(public)
			if err := CheckPublic(uint16(number), public); (err == nil) != (agreed == nil) || err != nil && !errors.Is(err, ErrBadPublic) {
				t.Errorf("%v: %x: %v, agreement: %v", number, public, err, agreed)
			}
		}
	}
	if err := CheckPublic(uint16(ike.GroupNone), nil); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
}
