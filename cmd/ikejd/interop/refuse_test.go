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
		change      func(l, r *side)
		auths       int    // IKE_AUTH exchanges that can be seen
		left, right string // what an end that is ikejd says about ike1, or where it has none about the peer; "" is not asked
	}{
		"wrong PSK": {func(l, r *side) { l.Secret = "another pre-shared key" }, 1,
			"The peer answered AUTHENTICATION_FAILED", "Authentication failed: the peer's AUTH does not fit the shared key for left.lab"},
		"unknown initiator": {func(l, r *side) { l.LocalID = "stranger.lab" }, 1,
			"The peer answered AUTHENTICATION_FAILED", `no connection for "stranger.lab" that asks for "right.lab"`},
		"unknown responder": {func(l, r *side) { r.LocalID = "stranger.lab" }, 1,
			"The peer answered AUTHENTICATION_FAILED", `no connection for "left.lab" that asks for "right.lab"`},
		"no common proposal": {func(l, r *side) { r.Proposals = "aes128-sha256-modp2048" }, 0,
			"The peer answered NO_PROPOSAL_CHOSEN.*a better answer to request 0", "no acceptable proposal; the answer was NO_PROPOSAL_CHOSEN"},
		"no common ESP": {func(l, r *side) { r.ESP = "aes128-sha256" }, 1, "", ""},
		"no common selectors": {func(l, r *side) {
			if r.LocalNet = "10.9.0.0/24"; strings.Contains(r.RemoteNet, ":") {
				r.LocalNet = "fd09::/64"
			}
		}, 1, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, scene{change: c.change}, func(b *bed) {
				if out, err := swanctl(b.left.dir, "--initiate", "--child", "net", "--timeout", "60"); err == nil {
					b.t.Errorf("the set-up succeeded:\n%s", out)
				}
				b.saw(ikeAuth, b.left, c.auths)
				if name == "no common ESP" || name == "no common selectors" {
					b.agree(0) // section 1.2: the IKE SA is set up without the child
					b.swanctl(b.left, "--terminate", "--ike", "lab")
				}
				if c.left != "" {
					b.explain(b.left, "ike1", c.left)
				}
				switch {
				case c.auths == 0:
					b.explain(b.right, b.pair.leftSeen, c.right)
				case c.right != "":
					b.explain(b.right, "ike1", c.right)
				}
			})
		})
	}
}
