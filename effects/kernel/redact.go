package kernel

import (
	"fmt"
	"io"
	"log/slog"
)

// Keys have no way out by printing: whatever verb, logger or encoder they meet, directly or inside a
// Child, gets their lengths.

// String says how long the keys are.
func (k Keys) String() string {
	return fmt.Sprintf("keys(%d+%d octets)", len(k.EncrKey), len(k.IntegKey))
}

// Format is String for every verb, %x and %#v among them.
func (k Keys) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// LogValue is what slog shows.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText is what encoders of text show (JSON, and slog's where Keys is inside something).
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String names a Child SA by its key, as in `ESP 0xc1f2a3b4 in, 0x00ab12cd out, 192.0.2.1 - 192.0.2.2`.
func (c Child) String() string { return c.Key().String() }

// LogValue names a Child SA for slog.
func (c Child) LogValue() slog.Value { return slog.StringValue(c.String()) }

// String is one line.
func (k ChildKey) String() string {
	return fmt.Sprintf("%v 0x%08x in, 0x%08x out, %v - %v", k.Protocol, k.InboundSPI, k.OutboundSPI, k.Local, k.Remote)
}

// String is the protocol's name.
func (p Protocol) String() string {
	switch p {
	case ESP:
		return "ESP"
	case AH:
		return "AH"
	}
	return fmt.Sprintf("protocol %d", uint8(p))
}
