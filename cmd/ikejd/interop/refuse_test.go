//go:build interop

package interop

import (
	"strings"
	"testing"
)

// Set-ups that must fail: the initiator is told, and neither end keeps anything.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(l, r *side)
		auths  int // IKE_AUTH exchanges that can be seen
	}{
		"wrong PSK":          {func(l, r *side) { l.Secret = "another pre-shared key" }, 1},
		"unknown initiator":  {func(l, r *side) { l.LocalID = "stranger.lab" }, 1},
		"unknown responder":  {func(l, r *side) { r.LocalID = "stranger.lab" }, 1},
		"no common proposal": {func(l, r *side) { r.Proposals = "aes128-sha256-modp2048" }, 0},
		"no common ESP":      {func(l, r *side) { r.ESP = "aes128-sha256" }, 1},
		"no common selectors": {func(l, r *side) {
			if r.LocalNet = "10.9.0.0/24"; strings.Contains(r.RemoteNet, ":") {
				r.LocalNet = "fd09::/64"
			}
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, scene{change: c.change}, func(b *bed) {
				if out, err := swanctl(b.left.dir, "--initiate", "--child", "net", "--timeout", "60"); err == nil {
					b.t.Errorf("the set-up succeeded:\n%s", out)
				}
				if n := exchanges(b.tap.messages(b.t), ikeAuth, b.left.addr); n != c.auths {
					b.t.Errorf("%d IKE_AUTH exchanges, want %d", n, c.auths)
				}
				if name == "no common ESP" || name == "no common selectors" {
					b.agree(0) // section 1.2: the IKE SA is set up without the child
					b.swanctl(b.left, "--terminate", "--ike", "lab")
				}
			})
		})
	}
}
