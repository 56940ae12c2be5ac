//go:build interop

package interop

import (
	"path/filepath"
	"testing"
)

// The three suites of the issue, as swanctl writes a proposal and as it lists what was agreed.
var suites = []struct {
	name, proposal, listed string
	shark                  ciphers // empty where tshark does not know the cipher
}{
	{"aes128gcm", "aes128gcm16-prfsha256-x25519", "AES_GCM_16-128/PRF_HMAC_SHA2_256/CURVE_25519",
		ciphers{"AES-GCM-128 with 16 octet ICV [RFC5282]", "NONE [RFC4306]"}},
	{"aes256cbc", "aes256-sha384-prfsha384-ecp384", "AES_CBC-256/HMAC_SHA2_384_192/PRF_HMAC_SHA2_384/ECP_384",
		ciphers{"AES-CBC-256 [RFC3602]", "HMAC_SHA2_384_192 [RFC4868]"}},
	{"chacha20", "chacha20poly1305-prfsha512-modp3072", "CHACHA20_POLY1305/PRF_HMAC_SHA2_512/MODP_3072", ciphers{}},
}

// IKE_SA_INIT and IKE_AUTH with each suite, then the Delete; tshark opens every message where it knows the cipher and
// a charon took part, whose log has the keys (ikejd's never does).
func TestSetUp(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		t.Run(suite.name, func(t *testing.T) {
			t.Parallel()
			change := func(l, r *side) { l.Proposals, r.Proposals = suite.proposal, suite.proposal }
			play(t, scene{change: change, keys: true}, func(b *bed) {
				if sa := b.setUp(b.left); sa.suite != suite.listed {
					b.t.Errorf("agreed on %q, want %q", sa.suite, suite.listed)
				}
				b.swanctl(b.left, "--terminate", "--ike", "lab")
				b.empty()
				if log := b.charonLog(); log != "" && suite.shark != (ciphers{}) {
					if good, err := b.tap.decoded(log, suite.shark); err != nil || good < 4 {
						b.t.Errorf("tshark opened %d messages, want IKE_AUTH and the Delete, twice each: %v", good, err)
					}
				}
			})
		})
	}
}

// charonLog is the log of an end that is charon, or nothing.
func (b *bed) charonLog() string {
	for _, e := range b.both() {
		if e.kind == "charon" {
			return filepath.Join(e.dir, "log")
		}
	}
	return ""
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	play(t, scene{v6: true}, func(b *bed) {
		b.setUp(b.left)
		b.swanctl(b.right, "--terminate", "--ike", "lab")
	})
}

// A real NAT: left is behind it, so left starts; the Delete comes from outside, through the mapping.
func TestBehindNAT(t *testing.T) {
	t.Parallel()
	play(t, scene{road: nat}, func(b *bed) {
		b.setUp(b.left)
		b.swanctl(b.right, "--terminate", "--ike", "lab")
	})
}

// Both ends load their files again while an SA is up: it stays.
func TestLoadAll(t *testing.T) {
	t.Parallel()
	play(t, scene{}, func(b *bed) {
		before := b.setUp(b.left)
		for _, e := range b.both() {
			b.swanctl(e, "--load-all")
		}
		if after := b.agree(1); after.spiI != before.spiI {
			b.t.Errorf("the IKE SA %s became %s", before.spiI, after.spiI)
		}
		b.swanctl(b.left, "--terminate", "--ike", "lab")
	})
}

func TestParseSAs(t *testing.T) {
	sas := parseSAs(`lab: #1, ESTABLISHED, IKEv2, e9e6409f46dbd0d1_i* a616dc7feaf1c2b3_r
  local  'left.lab' @ 10.77.0.1[500]
  remote 'right.lab' @ 10.77.0.2[500]
  AES_GCM_16-128/PRF_HMAC_SHA2_256/CURVE_25519
  established 0s ago
  net: #1, reqid 1, INSTALLED, TUNNEL, ESP:AES_GCM_16-256
    installed 0s ago
    in  c5b1ebaa,      0 bytes,     0 packets
    out cda0c879,      0 bytes,     0 packets
    local  10.1.0.0/24
    remote 10.2.0.0/24
`)
	if len(sas) != 1 || len(sas[0].children) != 1 {
		t.Fatalf("found %+v", sas)
	}
	want := childSA{"net", "INSTALLED", "c5b1ebaa", "cda0c879"}
	if s := sas[0]; s.state != "ESTABLISHED" || s.spiI != "e9e6409f46dbd0d1" || s.spiR != "a616dc7feaf1c2b3" ||
		s.suite != "AES_GCM_16-128/PRF_HMAC_SHA2_256/CURVE_25519" || s.children[0] != want {
		t.Errorf("found %+v", s)
	}
}
