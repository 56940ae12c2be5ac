package creds

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// ParseSecret reads a secret as swanctl.conf has it: 0x and hexadecimal, 0s and base64, anything else as it stands.
// (What vici's load-shared brings has been decoded by swanctl.)
// Its errors do not repeat what was written.
func ParseSecret(s string) (Secret, error) {
	var octets []byte
	var err error
	switch {
	case strings.HasPrefix(s, "0x"):
		digits := strings.ReplaceAll(s[2:], ":", "")
		if len(digits)%2 == 1 { // strongSwan takes the first digit for an octet
			digits = "0" + digits
		}
		octets, err = hex.DecodeString(digits)
		if err != nil {
			return nil, errors.New("secret after 0x is not hexadecimal; write two digits for each octet, or other text without 0x")
		}
	case strings.HasPrefix(s, "0s"):
		octets, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(s[2:], "="))
		if err != nil {
			return nil, errors.New("secret after 0s is not base64; encode it again, or write other text without 0s")
		}
	default:
		octets = []byte(s)
	}
	if len(octets) == 0 {
		return nil, errors.New("secret is empty; give it at least one octet")
	}
	return octets, nil
}

// hidden is what a secret prints, whatever the verb.
const hidden = "(secret)"

// Secret is octets that do not print themselves. Where octets are taken, it is taken too.
type Secret []byte

func (Secret) String() string               { return hidden }
func (Secret) GoString() string             { return hidden }
func (Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (Secret) Format(f fmt.State, _ rune)   { fmt.Fprint(f, hidden) }
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// The store prints how many secrets it has: fmt calls no methods on unexported fields, so it must not reach them.

func (s *Store) String() string             { return fmt.Sprintf("%d secrets", len(s.Names())) }
func (s *Store) GoString() string           { return s.String() }
func (s *Store) LogValue() slog.Value       { return slog.StringValue(s.String()) }
func (s *Store) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }
