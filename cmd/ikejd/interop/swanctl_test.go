//go:build interop

package interop

import (
	"os"
	"strings"
	"testing"
)

// Debian's swanctl loads its file into ikejd, which goes on answering for what it read itself; what swanctl loaded and
// does not find in its file any more it unloads, and nothing else.
func TestSwanctl(t *testing.T) {
	t.Parallel()
	play(t, scene{only: func(ends pairing) bool { return ends.left == "ikejd" }}, func(b *bed) {
		file := confFile(b.left.dir)
		first := readFile(file)
		load := func(text string, want ...string) {
			b.t.Helper()
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				b.t.Fatal(err)
			}
			said := b.swanctl(b.left, "--load-all")
			for _, line := range want {
				if !strings.Contains(said, line) {
					b.t.Errorf("swanctl --load-all does not say %q:\n%s", line, said)
				}
			}
		}
		has := func(name string, want bool) {
			b.t.Helper()
			if said := b.swanctl(b.left, "--list-conns"); strings.Contains("\n"+said, "\n"+name+": ") != want {
				b.t.Errorf("connection %s is listed: %v, want %v\n%s", name, !want, want, said)
			}
		}
		other := strings.Replace(first, "    lab {", "    other {", 1)
		load(first, "loaded ike secret 'ike-lab'", "loaded connection 'lab'", "successfully loaded 1 connections, 0 unloaded")
		b.setUp(b.left)
		load(other, "loaded connection 'other'", "successfully loaded 1 connections, 1 unloaded")
		has("other", true)
		has("lab", true) // its own file's
		load(first, "successfully loaded 1 connections, 1 unloaded")
		has("other", false)
		has("lab", true)
		b.agree(1) // none of that touched the SA

		if said := b.swanctl(b.left, "--list-sas"); !strings.Contains(said, "AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256") || !strings.Contains(said, "ESP:AES_GCM_16-256") {
			b.t.Errorf("algorithms are not called as charon calls them:\n%s", said)
		}
		if said := b.swanctl(b.left, "--version", "--daemon"); !strings.Contains(said, "ikejd") {
			b.t.Errorf("swanctl --version: %s", said)
		}
		if said := b.swanctl(b.left, "--stats"); !strings.Contains(said, "IKE_SAs: 1 total, 0 half-open") {
			b.t.Errorf("swanctl --stats: %s", said)
		}
		for _, c := range []struct {
			args []string
			says string
		}{
			{[]string{"--initiate", "--child", "nosuch"}, "CHILD_SA config 'nosuch' not found"},
			{[]string{"--initiate", "--ike", "nosuch"}, "IKE_SA config 'nosuch' not found"},
			{[]string{"--terminate", "--child", "nosuch"}, "no matching SAs to terminate found"},
		} {
			if said, err := swanctl(b.left.dir, c.args...); err == nil || !strings.Contains(err.Error(), c.says) {
				b.t.Errorf("swanctl %v: %s %v", c.args, said, err)
			}
		}
		b.swanctl(b.left, "--terminate", "--ike", "lab", "--timeout", "10")
	})
}
