package reducer

import (
	"net/netip"
	"testing"
)

// TestWithin: the addresses a connection is for.
func TestWithin(t *testing.T) {
	for _, c := range []struct {
		list string
		addr string
		want bool
	}{
		{"", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.0/24", "192.0.2.77", true},
		{"192.0.2.0/24", "192.0.3.77", false},
		{"192.0.2.4-192.0.2.8", "192.0.2.8", true},
		{"192.0.2.4-192.0.2.8", "192.0.2.9", false},
		{"192.0.2.4-192.0.2.8", "2001:db8::1", false},
		{"192.0.2.4-nothing", "192.0.2.4", false},
		{"nothing/24", "192.0.2.4", false},
		{"nothing", "192.0.2.4", false},
		{"%any", "2001:db8::1", true},
		{"%any4", "192.0.2.1", true},
		{"%any4", "2001:db8::1", false},
		{"%any6", "2001:db8::1", true},
		{"fe80::1", "fe80::1%eth0", true},
	} {
		var list []string
		if c.list != "" {
			list = []string{"198.51.100.1", c.list}
		}
		if got := within(list, netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("%s within %q: %v", c.addr, c.list, got)
		}
	}
}

// TestSettingsDefaults: a configuration that says nothing has the numbers of PROTOCOL.md, and brings them back.
func TestSettingsDefaults(t *testing.T) {
	if got := settingsFrom(nil); got != Defaults {
		t.Errorf("nothing said: %+v", got)
	}
	if got := settingsFrom(settingsTo(Defaults)); got != Defaults {
		t.Errorf("written and read: %+v", got)
	}
	other := Settings{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}
	if got := settingsFrom(settingsTo(other)); got != other {
		t.Errorf("written and read: %+v, want %+v", got, other)
	}
}

// TestVisible: what the world can notice waits until its record is durable (DESIGN.md, "The loop"); timers, notes and the
// keyring's work do not.
func TestVisible(t *testing.T) {
	visible := map[EffectKind]bool{EffectRecord: true, EffectResend: true, EffectRefuse: true, EffectInstallChild: true,
		EffectRemoveChild: true, EffectAnswer: true, EffectReport: true, EffectDestroyKeys: true}
	for k := EffectRecord; k <= EffectLocate; k++ {
		if k.Visible() != visible[k] {
			t.Errorf("effect %d is visible: %v", k, k.Visible())
		}
	}
}
