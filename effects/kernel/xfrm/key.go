package xfrm

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
)

// Key is octets that are a secret, or have one among them. No way of printing shows them: whatever verb, logger or
// encoder they meet gets their number. They are behind a function, because fmt asks a value in an unexported field for
// no method and prints what it finds there, or behind a pointer.
type Key struct{ octets func() []byte }

// KeyOf holds octets, without a copy.
func KeyOf(octets []byte) Key { return Key{func() []byte { return octets }} }

// bytes are the octets themselves.
func (k Key) bytes() []byte {
	if k.octets == nil {
		return nil
	}
	return k.octets()
}

// Len is how many octets there are.
func (k Key) Len() int { return len(k.bytes()) }

// Equal compares the octets.
func (k Key) Equal(other Key) bool { return bytes.Equal(k.bytes(), other.bytes()) }

// Wipe overwrites the octets.
func (k Key) Wipe() { clear(k.bytes()) }

// String says how long the key is.
func (k Key) String() string { return fmt.Sprintf("key(%d octets)", k.Len()) }

// Format is String for every verb, %x and %#v among them.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// LogValue is what slog shows.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is what encoders of text show (JSON, and slog's where a key is inside something).
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
