package conf

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ikejd/ikejd/proto/ike"
)

func TestProposals(t *testing.T) {
	gcm := func(bits uint16) []Cipher { return []Cipher{{20, bits}} }
	cbc := func(bits uint16) []Cipher { return []Cipher{{12, bits}} }
	for text, want := range map[string]Proposal{
		"aes128gcm16-prfsha256-x25519":        {Encr: gcm(128), PRF: []uint16{5}, Groups: []uint16{31}},
		"aes256gcm128-prfsha384-ecp384":       {Encr: gcm(256), PRF: []uint16{6}, Groups: []uint16{20}},
		"aes256-sha384-prfsha384-ecp384":      {Encr: cbc(256), PRF: []uint16{6}, Integ: []uint16{13}, Groups: []uint16{20}},
		"chacha20poly1305-prfsha512-modp3072": {Encr: []Cipher{{28, 0}}, PRF: []uint16{7}, Groups: []uint16{15}},
		"AES256-SHA256-ECP256":                {Encr: cbc(256), PRF: []uint16{5}, Integ: []uint16{12}, Groups: []uint16{19}},
		"aes128-sha256-sha512-curve25519":     {Encr: cbc(128), PRF: []uint16{5, 7}, Integ: []uint16{12, 14}, Groups: []uint16{31}},
		"aes128-sha256-prfsha512-modp2048":    {Encr: cbc(128), PRF: []uint16{7}, Integ: []uint16{12}, Groups: []uint16{14}},
		"aes128gcm16-sha256-ecp256":           {Encr: gcm(128), PRF: []uint16{5}, Groups: []uint16{19}},
		"aes256gcm16-aes128gcm16-prfsha256-x25519-ecp256-modp4096-x25519": {
			Encr: []Cipher{{20, 256}, {20, 128}}, PRF: []uint16{5}, Groups: []uint16{31, 19, 16}},
	} {
		got, ok := parseProposal(text, false, func(what, advice string) { t.Errorf("%s: %s; %s", text, what, advice) })
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for text, want := range map[string]Proposal{
		"aes128gcm16":                  {Encr: gcm(128), ESN: []uint16{0}},
		"aes128gcm16-x25519-none-esn":  {Encr: gcm(128), Groups: []uint16{31, 0}, ESN: []uint16{1}},
		"aes256-sha512-esn-noesn":      {Encr: cbc(256), Integ: []uint16{14}, ESN: []uint16{1, 0}},
		"aes128gcm16-sha256-ecp256":    {Encr: gcm(128), Groups: []uint16{19}, ESN: []uint16{0}},
		"chacha20poly1305-aes256gcm16": {Encr: []Cipher{{28, 0}, {20, 256}}, ESN: []uint16{0}},
	} {
		got, ok := parseProposal(text, true, func(what, advice string) { t.Errorf("%s: %s; %s", text, what, advice) })
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestRefusedProposals(t *testing.T) {
	for _, c := range []struct {
		text string
		esp  bool
		want string
	}{
		{"aes128", false, "no integrity algorithm; add one"},
		{"aes128-sha256", false, "no key exchange; add one, such as x25519"},
		{"aes128-sha256-none", false, "no key exchange"},
		{"aes128gcm16-x25519", false, "no PRF; add one, such as prfsha256"},
		{"sha256-x25519", false, "no encryption; add one"},
		{"aes128-aes128gcm16-sha256-x25519", false, "ciphers with and without integrity of their own; make two proposals of it"},
		{"aes128gcm16-prfsha256-x25519-esn", false, "sequence numbers for ESP"},
		{"aes128", true, "no integrity algorithm"},
		{"aes128gcm16-prfsha256", true, "a PRF in a proposal for ESP; remove it"},
		{"aes128-sha256-x25519-ke1_mlkem768", false, "further key exchange ke1_mlkem768; key exchanges beyond the first (RFC 9370) are not built"},
		{"aes128gcm16-prfsha265-x25519", false, `unknown algorithm "prfsha265"; did you mean "prfsha256"?`},
		{"rot13", true, `unknown algorithm "rot13"`},
		{"", true, `unknown algorithm ""`},
		{"aes256--sha256", true, `unknown algorithm ""`},
		{"des-sha256", true, "algorithm des; it is refused: DES"},
		{"3des-sha256", true, "3DES has blocks of 64 bits"},
		{"aes128-md5", true, "MD5 is broken"},
		{"aes128-sha1", true, "SHA-1 is on its way out (RFC 8247"},
		{"aes128-sha256-modp768", true, "a group this small can be computed (RFC 8247"},
		{"aes128-sha256-modp1024", true, "a group this small"},
		{"aes128-sha256-modp1536", true, "a group this small"},
		{"aes128-sha256-modp2048s256", true, "its prime and small subgroup"},
		{"null-sha256", true, "it encrypts nothing"},
		{"aes128ctr-sha256", true, "algorithm aes128ctr; it is not built into ikejd; use aes256gcm16"},
		{"aes128-sha256-mlkem768", true, "algorithm mlkem768; it is not built into ikejd; use x25519"},
		{"camellia256-sha256", true, "not built into ikejd"},
	} {
		var said []string
		_, ok := parseProposal(c.text, c.esp, func(what, advice string) { said = append(said, what+"; "+advice) })
		if ok || len(said) == 0 || !strings.Contains(said[0], c.want) {
			t.Errorf("%s: %q, want %s", c.text, said, c.want)
		}
	}
	// In a file the proposal is named, and the others of the list are still looked at.
	con, problems := connection("proposals = aes128-sha1-x25519, default, aes128", "")
	want := `swanctl.conf:3: algorithm sha1 in proposals = "aes128-sha1-x25519" in connections.gw; it is refused: SHA-1 is on its way out (RFC 8247, sections 2.2 and 2.3: MUST-); use sha256 or prfsha256`
	if len(con.Proposals) != 2 || len(problems) != 4 || problems[0].String() != want {
		t.Errorf("%d proposals\n%s", len(con.Proposals), lines(problems))
	}
}

// Whatever is offered by default, and whatever a keyword gives, this binary can compute; every word has its reason.
func TestKeywords(t *testing.T) {
	usable := map[ike.TransformType]int{}
	for word, k := range keywords {
		if why := k.refusal(); why == "" {
			usable[k.transform]++
		} else if !strings.Contains(why, "; use ") {
			t.Errorf("%s %s: nothing said to use instead", word, why)
		}
		if k.weak != "" && k.refusal() == "" {
			t.Errorf("%s is weak and usable", word)
		}
	}
	for _, transform := range []ike.TransformType{ike.TransformENCR, ike.TransformPRF, ike.TransformINTEG, ike.TransformKE, ike.TransformSN} {
		if usable[transform] == 0 {
			t.Errorf("no keyword of type %v is usable", transform)
		}
	}
	for _, advice := range slices.Collect(maps.Values(goodInstead)) {
		for word := range strings.SplitSeq(strings.ReplaceAll(advice, " or ", ", "), ", ") {
			if k, known := keywords[word]; !known || k.refusal() != "" {
				t.Errorf("%q is advised and not usable", word)
			}
		}
	}
	for _, esp := range []bool{false, true} {
		for _, p := range defaultProposals(esp) {
			var all []keyword
			for _, c := range p.Encr {
				all = append(all, keyword{transform: ike.TransformENCR, id: c.ID, bits: c.KeyLength})
			}
			for _, id := range p.PRF {
				all = append(all, keyword{transform: ike.TransformPRF, id: id})
			}
			for _, id := range p.Integ {
				all = append(all, keyword{transform: ike.TransformINTEG, id: id})
			}
			for _, id := range p.Groups {
				all = append(all, keyword{transform: ike.TransformKE, id: id})
			}
			for _, k := range all {
				if why := k.refusal(); why != "" {
					t.Errorf("default %v: %s", k, why)
				}
			}
		}
	}
}

func TestSelectors(t *testing.T) {
	ip := netip.MustParseAddr
	for text, want := range map[string]Selector{
		"dynamic":                      {Dynamic: true, PortHigh: 65535},
		"%dynamic[icmp]":               {Dynamic: true, Protocol: 1, PortHigh: 65535},
		"10.1.0.0/16":                  {Low: ip("10.1.0.0"), High: ip("10.1.255.255"), PortHigh: 65535},
		"10.1.2.3/20":                  {Low: ip("10.1.0.0"), High: ip("10.1.15.255"), PortHigh: 65535},
		"0.0.0.0/0":                    {Low: ip("0.0.0.0"), High: ip("255.255.255.255"), PortHigh: 65535},
		"10.1.0.1":                     {Low: ip("10.1.0.1"), High: ip("10.1.0.1"), PortHigh: 65535},
		"10.1.0.1 - 10.1.0.9 [tcp/80]": {Low: ip("10.1.0.1"), High: ip("10.1.0.9"), Protocol: 6, PortLow: 80, PortHigh: 80},
		"2001:db8::/33[ipv6-icmp]":     {Low: ip("2001:db8::"), High: ip("2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"), Protocol: 58, PortHigh: 65535},
		"dynamic[tcp/32768-65535]":     {Dynamic: true, Protocol: 6, PortLow: 32768, PortHigh: 65535},
		"dynamic[17/opaque]":           {Dynamic: true, Protocol: 17, PortLow: 65535, PortHigh: 0},
		"dynamic[/53]":                 {Dynamic: true, PortLow: 53, PortHigh: 53},
		"dynamic[icmp/2048]":           {Dynamic: true, Protocol: 1, PortLow: 2048, PortHigh: 2048},
		"10.1.0.0/16[tcp/ssh]":         {Low: ip("10.1.0.0"), High: ip("10.1.255.255"), Protocol: 6, PortLow: 22, PortHigh: 22},
		"dynamic[0x2f]":                {Dynamic: true, Protocol: 47, PortHigh: 65535},
		"dynamic[any/any]":             {Dynamic: true, PortHigh: 65535},
	} {
		got, err := parseSelector(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]error{
		"":                        errSelector,
		"10.0.0.0/33":             errSelector,
		"10.0.0.9-10.0.0.1":       errSelector,
		"10.0.0.1-::1":            errSelector,
		"fe80::1%eth0":            errSelector,
		"example.com":             errSelector,
		"dynamic[tcp":             errSelector,
		"dynamic[tcp]x":           errSelector,
		"dynamic[256]":            errProtocol,
		"dynamic[tcp/90-80]":      errPort,
		"dynamic[tcp/65536]":      errPort,
		"dynamic[tcp/-1]":         errPort,
		"dynamic[tcp/nosuchsvc9]": errPort,
		"dynamic[icmp/ssh]":       errPort,
	} {
		if got, err := parseSelector(text); err != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
