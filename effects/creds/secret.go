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
// Its errors do not repeat what was written.
func ParseSecret(s string) ([]byte, error) {
	var octets []byte
	var err error
	switch {
	case strings.HasPrefix(s, "0x"):
		octets, err = hex.DecodeString(s[2:])
		if err != nil {
			return nil, errors.New("secret after 0x is not hexadecimal; write two digits for each octet, or quote other text without 0x")
		}
	case strings.HasPrefix(s, "0s"):
		octets, err = base64.StdEncoding.DecodeString(s[2:])
		if err != nil {
			return nil, errors.New("secret after 0s is not base64; write it with its padding, or quote other text without 0s")
		}
	default:
		octets = []byte(s)
	}
	if len(octets) == 0 {
		return nil, errors.New("secret is empty; give it at least one octet")
	}
	return octets, nil
}

// hidden is what a secret, or the store, prints in every format.
const hidden = "(secret)"

// secret is octets that do not print themselves.
type secret []byte

func (secret) String() string               { return hidden }
func (secret) GoString() string             { return hidden }
func (secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (secret) Format(f fmt.State, _ rune)   { fmt.Fprint(f, hidden) }
func (secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// The store prints as the number of its secrets, whatever the verb: %v of its parts would print their octets, since
// fmt does not call methods on unexported fields.
func (s *Store) text() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return fmt.Sprintf("%d secrets", len(s.secrets))
}

func (s *Store) String() string             { return s.text() }
func (s *Store) GoString() string           { return s.text() }
func (s *Store) LogValue() slog.Value       { return slog.StringValue(s.text()) }
func (s *Store) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.text()) }
