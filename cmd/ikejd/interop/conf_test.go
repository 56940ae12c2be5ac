//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

// side is one end's configuration: what it says of itself and of the other.
type side struct {
	Local, Remote       string // addresses
	LocalID, RemoteID   string
	LocalNet, RemoteNet string
	Secret              string
	Proposals, ESP      string
	DPDDelay            string
	Encap               bool // pretends to be behind a NAT
	Sends               int  // of ikejd, until it gives up

	Names  []string // of a crowd's connections
	Starts bool     // and it starts them
	Busy   int      // so many of them have a child of that name
}

var sideConf = template.Must(template.New("swanctl.conf").Parse(`# made by the interop tests
connections {
    lab {
        version = 2
        local_addrs = {{.Local}}
        remote_addrs = {{.Remote}}
        proposals = {{.Proposals}}
        mobike = no
        encap = {{if .Encap}}yes{{else}}no{{end}}
        dpd_delay = {{.DPDDelay}}
        rekey_time = 0s
        local {
            auth = psk
            id = {{.LocalID}}
        }
        remote {
            auth = psk
            id = {{.RemoteID}}
        }
        children {
            net {
                local_ts = {{.LocalNet}}
                remote_ts = {{.RemoteNet}}
                esp_proposals = {{.ESP}}
                rekey_time = 0s
                mode = tunnel
            }
        }
    }
}
secrets {
    ike-lab {
        id-1 = {{.LocalID}}
        id-2 = {{.RemoteID}}
        secret = "{{.Secret}}"
    }
}
# charon reads past this. A silent peer is given up after about twenty seconds here, as by charon with the options of its start.
ikejd {
    retransmit {
        sends = {{.Sends}}
        first_wait = 1s
        least_wait = 500ms
        most_wait = 1s
        growth_percent = 130
    }
    linger {
        least = 5s
    }
    shutdown {
        budget = 10s
    }
}
`))

var ipsecConf = template.Must(template.New("ipsec.conf").Parse(`# made by the interop tests
config setup
    protostack=xfrm

conn lab
    ikev2=insist
    authby=secret
    left={{.Local}}
    leftid=@{{.LocalID}}
    leftsubnet={{.LocalNet}}
    right={{.Remote}}
    rightid=@{{.RemoteID}}
    rightsubnet={{.RemoteNet}}
    ike=aes256-sha2_256;dh19
    esp=aes_gcm256
    encapsulation={{if .Float}}yes{{else}}no{{end}}
    leftupdown=
    rekey=no
    auto=add
`))

const sharedKey = "a pre-shared key for tests"

// sides are the two configurations that agree with each other.
func sides(p *pair, r road, v6 bool) (left, right side) {
	left = side{Local: p.leftAddr, Remote: p.rightAddr, LocalID: "left.lab", RemoteID: "right.lab",
		LocalNet: "10.1.0.0/24", RemoteNet: "10.2.0.0/24", Secret: sharedKey,
		Proposals: "aes256-sha256-ecp256", ESP: "aes256gcm16", DPDDelay: "0s", Sends: 8}
	if v6 {
		left.LocalNet, left.RemoteNet = "fd01::/64", "fd02::/64"
	}
	right = left
	right.Local, right.Remote = p.rightAddr, p.leftSeen
	if r == nat {
		right.Remote = "%any"
	}
	right.LocalID, right.RemoteID = left.RemoteID, left.LocalID
	right.LocalNet, right.RemoteNet = left.RemoteNet, left.LocalNet
	return left, right
}

// write puts the configuration where charon.sh and ikejd look for it below the end's folder.
func (s side) write(t testing.TB, dir string) {
	t.Helper()
	conf := sideConf
	if s.Names != nil {
		conf = crowdConf
	}
	writeConf(t, confFile(dir), conf, s)
}

// writeIpsec puts pluto's files there, with the suites that are the default of sides. float has it pretend to be behind a NAT.
func (s side) writeIpsec(t testing.TB, dir string, float bool) {
	t.Helper()
	writeConf(t, filepath.Join(dir, "ipsec.conf"), ipsecConf, struct {
		side
		Float bool
	}{s, float})
	secret := fmt.Sprintf("@%s @%s : PSK %q\n", s.LocalID, s.RemoteID, s.Secret)
	if err := os.WriteFile(filepath.Join(dir, "ipsec.secrets"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeConf(t testing.TB, file string, conf *template.Template, data any) {
	t.Helper()
	var text strings.Builder
	if err := conf.Execute(&text, data); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func confFile(dir string) string { return filepath.Join(dir, "swanctl", "swanctl.conf") }
