package conf

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/creds"
)

const minimal = `connections {
    gw {
        %s
        local { auth = psk
            id = left.lab }
        remote { auth = psk }
        children {
            net {
                %s
            }
        }
    }
}
`

// connection loads the minimal connection with lines added to it and to its child.
func connection(text, child string) (Connection, []Problem) {
	config, problems := LoadText("swanctl.conf", fmt.Sprintf(minimal, text, child))
	return config.Connections[0], problems
}

// unbuilt are keys whose values are read and checked although this version does nothing with them: each adds a problem
// that says so, which TestUnbuilt is about.
var unbuilt = regexp.MustCompile(`^(rekey|reauth|over|rand|life)_(time|bytes|packets) (has no|is not supported)|^(mobike|send_cert|childless|fragmentation|inactivity|replay_window) (has no|is not supported)`)

func built(problems []Problem) []Problem {
	return slices.DeleteFunc(problems, func(p Problem) bool { return unbuilt.MatchString(p.Text) })
}

// TestUnbuilt: what has no effect is never passed over in silence; lifetimes that would not hold are an error.
func TestUnbuilt(t *testing.T) {
	for _, c := range []struct{ connection, child, want string }{
		{connection: "rekey_time = 0s"},
		{connection: "rekey_time = 1h"},
		{connection: "reauth_time = 1h", want: "warning: reauth_time has no effect in connections.gw"},
		{connection: "mobike = no"},
		{connection: "mobike = yes", want: "warning: mobike has no effect"},
		{connection: "childless = force", want: "childless is not supported"},
		{connection: "fragmentation = yes", want: "warning: fragmentation has no effect"},
		{child: "life_time = 1h"},
		{child: "life_bytes = 0"},
		{child: "life_bytes = 1g", want: "life_bytes is not supported"},
		{child: "replay_window = 1024", want: "warning: replay_window has no effect"},
	} {
		_, problems := connection(c.connection, c.child)
		if got := lines(problems); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s%s:\ngot  %swant %s", c.connection, c.child, got, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	c, problems := connection("", "")
	if len(problems) > 0 {
		t.Fatal(lines(problems))
	}
	dynamic := []Selector{{Dynamic: true, PortHigh: 65535}}
	want := Connection{
		Name: "gw", LocalPort: 500, RemotePort: 500, Proposals: defaultProposals(false),
		RekeyTime: 4 * time.Hour, OverTime: 24 * time.Minute, RandTime: 24 * time.Minute,
		Mobike: true, KeyingTries: 1,
		Local: Auth{Method: PSK, ID: "left.lab", Wire: creds.ID{Type: 2, Data: []byte("left.lab")}}, Remote: Auth{Method: PSK},
		Children: []Child{{
			Name: "net", Proposals: defaultProposals(true), LocalTS: dynamic, RemoteTS: dynamic,
			RekeyTime: time.Hour, LifeTime: 66 * time.Minute, RandTime: 6 * time.Minute, ReplayWindow: 32,
		}},
	}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreTypes(Pos{}), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
}

func TestConnection(t *testing.T) {
	c, problems := connection(`
		version = 2
		local_addrs = 192.0.2.1, fe80::1%eth0
		remote_addrs = gw.example.com, 10.0.0.0/8, 10.0.0.1-10.0.0.9, 2001:db8::/32, %any
		local_port = 4500
		remote_port = 15000
		dpd_delay = 30
		reauth_time = 1d
		over_time = 90m
		rand_time = 0
		unique = replace
		mobike = no
		encap = yes
		keyingtries = 0
		send_cert = always
		childless = force
		fragmentation = accept`, `
		mode = transport
		life_time = 11m
		rekey_bytes = 100m
		rand_bytes = 1k
		life_packets = 5
		start_action = start
		dpd_action = restart
		close_action = start
		inactivity = 1.5m
		replay_window = 0x400
		tfc_padding = 0
		hw_offload = auto`)
	if problems = built(problems); len(problems) > 0 {
		t.Fatal(lines(problems))
	}
	ip := netip.MustParseAddr
	want := Connection{
		Name:       "gw",
		LocalAddrs: []Host{{Addr: ip("192.0.2.1")}, {Addr: ip("fe80::1%eth0")}},
		RemoteAddrs: []Host{{Name: "gw.example.com"}, {Prefix: netip.MustParsePrefix("10.0.0.0/8")}, {Low: ip("10.0.0.1"), High: ip("10.0.0.9")},
			{Prefix: netip.MustParsePrefix("2001:db8::/32")}, {Prefix: netip.MustParsePrefix("0.0.0.0/0")}, {Prefix: netip.MustParsePrefix("::/0")}},
		LocalPort: 4500, RemotePort: 15000, Proposals: defaultProposals(false),
		DPDDelay: 30 * time.Second, ReauthTime: 24 * time.Hour, OverTime: 90 * time.Minute,
		Unique: UniqueReplace, Encap: true, SendCert: SendCertAlways, Childless: ChildlessForce, Fragmentation: FragmentationAccept,
	}
	wantChild := Child{
		Name: "net", Proposals: defaultProposals(true), Mode: Transport,
		RekeyTime: 10 * time.Minute, LifeTime: 11 * time.Minute, RandTime: time.Minute,
		RekeyBytes: 100 << 20, LifeBytes: 110 << 20, RandBytes: 1 << 10, LifePackets: 5,
		StartAction: StartInitiate, DPDAction: ActionStart, CloseAction: ActionStart,
		Inactivity: 90 * time.Second, ReplayWindow: 1024,
	}
	options := cmp.Options{cmpopts.IgnoreTypes(Pos{}, Auth{}, []Child{}), cmpopts.IgnoreFields(Child{}, "LocalTS", "RemoteTS"),
		cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})}
	if diff := cmp.Diff(want, c, options); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(wantChild, c.Children[0], options); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct{ connection, child, want string }{
		{connection: "propsals = default", want: `swanctl.conf:3: unknown key "propsals" in connections.gw; did you mean "proposals"?`},
		{connection: "colour = red", want: `swanctl.conf:3: unknown key "colour" in connections.gw; the keys are: version, `},
		{connection: "version = 1", want: `swanctl.conf:3: version = "1" in connections.gw; IKEv1 is not supported (RFC 9395 deprecates it); write 2, and set the peer to IKEv2`},
		{connection: "version = two", want: `swanctl.conf:3: version = "two" in connections.gw; write one of: 2, 0`},
		{connection: "mobike = perhaps", want: `swanctl.conf:3: mobike = "perhaps" in connections.gw; neither yes nor no; write yes or no`},
		{connection: "dpd_delay = 3 fortnights", want: `swanctl.conf:3: dpd_delay = "3 fortnights" in connections.gw; not a time; write a number with s, m, h or d, such as 30s or 1h`},
		{connection: "dpd_delay = 1e9", want: "not a time"},
		{connection: "dpd_delay = -1s", want: "not a time"},
		{connection: "dpd_delay = s", want: "not a time"},
		{connection: "rekey_time = 99999999999h", want: "longer than ten years; write 0 for never"},
		{connection: "rekey_time = 1h\nrand_time = 2h", want: "swanctl.conf:4: rand_time is not below rekey_time in connections.gw; make it smaller"},
		{connection: "local_port = 70000", want: "too large; write at most 65535"},
		{connection: "remote_port = 0", want: "remote_port = 0 in connections.gw; remove it"},
		{connection: "keyingtries = forever", want: "not a whole number; write digits"},
		{connection: "dpd_timeout = 150s", want: "swanctl.conf:3: warning: dpd_timeout has no effect in connections.gw; IKEv2 gives a silent peer up by retransmission; set ikejd.retransmit.sends instead"},
		{connection: "remote_addrs = 10.0.0.256", want: `remote_addrs = "10.0.0.256" in connections.gw; not an address; write`},
		{connection: "remote_addrs = 10.0.0.0/33", want: "not an address"},
		{connection: "remote_addrs = 10.0.0.9-10.0.0.1", want: "not an address"},
		{connection: "remote_addrs = a b", want: "not an address"},
		{connection: "ppk_required = yes", want: "ppk_required is not supported in connections.gw; post-quantum"},
		{connection: "if_id_in = 7", want: "if_id_in is not supported"},
		{connection: "local-2 { auth = psk\n}", want: "swanctl.conf:5: a second round of authentication, local in connections.gw; multiple authentication"},
		{connection: "childrn { }", want: `unknown section "childrn" in connections.gw; did you mean "children"?`},
		{connection: "remote_addrs = 10.0.0.0/8", child: "start_action = start", want: "swanctl.conf:8: start_action = start in connections.gw.children.net; remote_addrs names no single address to start with; add one, or write start_action = none"},
		{child: "mark_in = 5", want: "swanctl.conf:9: mark_in is not supported in connections.gw.children.net; marks are not built"},
		{child: "mode = beet", want: "BEET mode is not built; write tunnel"},
		{child: "mode = drop", want: "policies without IPsec are not built, and the traffic would pass"},
		{child: "start_action = trap", want: `start_action = "trap" in connections.gw.children.net; trap policies are not built yet; write start, or none`},
		{child: "start_action = later", want: "write one of: none, start"},
		{child: "life_time = 1m\nrekey_time = 2m", want: "life_time is not above rekey_time in connections.gw.children.net; the child would end before it is rekeyed"},
		{child: "rekey_bytes = 1t", want: "not a number of octets"},
		{child: "rekey_bytes = 99999999999g", want: "not a number of octets"},
		{child: "replay_window = 0", want: "without a window packets could be replayed"},
		{child: "local_ts = 10.0.0.0", want: ""},
		{child: "local_ts = 10.0.0.0/8[tpc]", want: "unknown protocol in the brackets"},
		{child: "updown = script", want: "warning: updown has no effect"},
		{child: "inner { }", want: `unknown section "inner" in connections.gw.children.net; no section may be inside it`},
	} {
		_, problems := connection(c.connection, c.child)
		problems = built(problems)
		got := lines(problems)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || c.want != "" && len(problems) != 1 {
			t.Errorf("%s%s:\ngot  %swant %s", c.connection, c.child, got, c.want)
		}
	}
}

func TestAuthentication(t *testing.T) {
	for _, c := range []struct{ local, remote, want string }{
		{"id = a", "auth = psk", `swanctl.conf:3: no auth in connections.gw.local; its default is pubkey, which is not built; write auth = psk, and the key in secrets { }`},
		{"auth = pubkey-sha256\ncerts = a.pem", "auth = psk", `auth = "pubkey-sha256" in connections.gw.local; certificates and public keys are not built`},
		{"auth = ike:rsa/pss-sha256", "auth = psk", "certificates and public keys are not built"},
		{"auth = psk", "auth = eap-mschapv2\neap_id = %any", `auth = "eap-mschapv2" in connections.gw.remote; EAP and XAuth are not built`},
		{"auth = psk", "auth = pks", "unknown method of authentication; write auth = psk"},
		{"auth = psk\ncerts = a.pem", "auth = psk", "warning: certs has no effect in connections.gw.local; auth = psk shows no certificate; remove it"},
		{"auth = psk", "auth = psk\ngroups = admins", "groups is not supported in connections.gw.remote; only auth = psk is built, and without certificates this would not be checked"},
		{"auth = psk", "auth = psk\ncacert1 { file = ca.pem }", "section cacert1 in connections.gw.remote; only auth = psk is built"},
		{"auth = psk\nid = %any", "auth = psk", "our own identity must be one"},
		{"auth = psk", "auth = psk\nid = ipv4:1.2.3", `swanctl.conf:7: identity "ipv4:1.2.3": not an address of that kind in connections.gw.remote; write it in numbers`},
		{"auth = psk", "auth = psk\nid = \"{999}:x\"", `type between braces is no number from 1 to 255 in connections.gw.remote; write a name`},
	} {
		text := "connections { gw {\nlocal {\n" + c.local + "\n}\nremote {\n" + c.remote + "\n}\n} }\n"
		text = strings.Replace(text, "gw {\nlocal {\nid", "gw {\n\nlocal {\nid", 1)
		_, problems := LoadText("swanctl.conf", text)
		if len(problems) != 1 || !strings.Contains(lines(problems), c.want) {
			t.Errorf("local { %s } remote { %s }:\ngot  %swant %s", c.local, c.remote, lines(problems), c.want)
		}
	}
	_, problems := LoadText("swanctl.conf", "connections { gw { } }")
	if got := lines(problems); len(problems) != 2 || !strings.Contains(got, "no local section") || !strings.Contains(got, "no remote section") {
		t.Errorf("got %s", got)
	}
}

func TestTopLevel(t *testing.T) {
	for text, want := range map[string]string{
		"conections { }":                     `t.conf:1: unknown section "conections"; did you mean "connections"?`,
		"spare-part { }":                     `t.conf:1: warning: section "spare-part" has no effect; no section inherits from it; remove it, or write it into connections { }`,
		"base { x { } }\nikejd : base.x { }": "",
		"pools { }\nauthorities { }":         "",
		"pools { a { } }":                    `t.conf:1: warning: section pools has no effect; virtual addresses are not built; remove it`,
		"k = v":                              `t.conf:1: a value at the top level; put it into ikejd { } or connections { }`,
		"connections { k = v }":              `t.conf:1: a value where only sections may be in connections; write: connections { gw`,
	} {
		_, problems := LoadText("t.conf", text)
		if got := lines(problems); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s:\ngot  %swant %s", text, got, want)
		}
	}
}

// A value that two connections inherit is wrong once.
func TestInheritedProblemIsReportedOnce(t *testing.T) {
	_, problems := LoadText("t.conf", `
base {
    dpd_delay = soon
    local { auth = psk }
    remote { auth = psk }
}
connections {
    a : base { }
    b : base { }
}`)
	if len(problems) != 1 || problems[0].Pos.Line != 3 {
		t.Errorf("got\n%s", lines(problems))
	}
}

// What comes over the control socket has lists in place of commas, and no file.
func TestConnectionFromAMessage(t *testing.T) {
	var m vici.Message
	m.List("proposals", "aes128gcm16-prfsha256-x25519", "default")
	m.List("local_addrs")
	m.Set("dpd_delay", "30s")
	m.Section("local").Set("auth", "psk")
	m.Section("remote").Set("auth", "psk")
	m.Section("children").Section("net").List("local_ts", "10.1.0.0/16", "10.2.0.0/16")
	c, problems := ReadConnection(FromMessage("gw", m))
	if len(problems) > 0 || c.Name != "gw" || len(c.Proposals) != 3 || len(c.Children[0].LocalTS) != 2 || c.DPDDelay != 30*time.Second {
		t.Errorf("%+v\n%s", c, lines(problems))
	}
	m.List("proposals", "aes128")
	m.Section("children").Section("net").Set("mark_in", "%unique")
	_, problems = ReadConnection(FromMessage("gw", m))
	want := "mark_in is not supported in connections.gw.children.net; marks are not built"
	if len(problems) != 4 || !strings.HasPrefix(problems[3].String(), want) {
		t.Errorf("got\n%s", lines(problems))
	}
}
