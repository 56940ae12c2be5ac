package keys

import (
	"fmt"
	"log/slog"
)

// hidden is what a value with keys in it prints, whatever the verb, and logs.
const hidden = "(keys)"

func (k *Keyring) Format(f fmt.State, _ rune)  { fmt.Fprint(f, hidden) }
func (k *Keyring) LogValue() slog.Value        { return slog.StringValue(hidden) }
func (ChildKeys) Format(f fmt.State, _ rune)   { fmt.Fprint(f, hidden) }
func (ChildKeys) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (ChildKeys) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (AuthInput) Format(f fmt.State, _ rune)   { fmt.Fprint(f, hidden) }
func (AuthInput) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (AuthInput) MarshalText() ([]byte, error) { return []byte(hidden), nil }
