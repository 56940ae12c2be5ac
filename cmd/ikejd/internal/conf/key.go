package conf

import "fmt"

// Key is a secret. Whatever prints it (%v, %+v, %#v, %x, JSON, slog) shows only that it is there; who needs the octets
// says so with Bytes.
type Key struct{ octets []byte }

// NewKey takes over the octets.
func NewKey(octets []byte) Key { return Key{octets: octets} }

// Bytes is the secret itself, shared with the Key: do not change it, do not log it.
func (k Key) Bytes() []byte { return k.octets }

// Format hides the secret from every verb of package fmt.
func (k Key) Format(s fmt.State, _ rune) { fmt.Fprint(s, k.String()) }

// String never shows the secret nor its length.
func (k Key) String() string { return "(secret)" }

// MarshalText keeps the secret out of JSON and slog.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
