//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"
	"time"
)

// A crowd is many IKE SAs between two ends: left has a connection for each, with an identity of its own, and starts them
// all; right takes them by one. The Child SAs of the first half are called busy. Waits and budgets are the defaults, but for K-05 and K-06, since all come from one address.
var crowdConf = template.Must(template.New("swanctl.conf").Parse(`# made by the interop tests
connections {
{{- range $i, $name := .Names}}
    {{.}} {
        version = 2
        local_addrs = {{$.Local}}
        remote_addrs = {{$.Remote}}
        proposals = aes128gcm16-prfsha256-x25519
        mobike = no
        dpd_delay = 0s
        rekey_time = 0s
        unique = never
        local {
            auth = psk
            id = {{if $.Starts}}{{.}}.{{end}}{{$.LocalID}}
        }
        remote {
            auth = psk
{{- if $.Starts}}
            id = {{$.RemoteID}}
{{- end}}
        }
        children {
            {{if lt $i $.Busy}}busy{{else}}net{{end}} {
                local_ts = {{$.LocalNet}}
                remote_ts = {{$.RemoteNet}}
                esp_proposals = aes128gcm16
                rekey_time = 0s
{{- if $.Starts}}
                start_action = start
{{- end}}
            }
        }
    }
{{- end}}
}
secrets {
    ike-all {
        secret = "{{.Secret}}"
    }
}
ikejd {
    limits {
        cookies_from = 1000000
        cookies_from_source = 1000000
        half_open = 1000000
        half_open_source = 1000000
    }
}
`))

// crowd makes sides of a scene with n SAs.
func crowd(n int) func(left, right *side) {
	return func(left, right *side) {
		left.Starts = true
		for i := range n {
			left.Names = append(left.Names, fmt.Sprintf("c%d", i+1))
		}
		left.Busy = n / 2
		right.Names = []string{"all"}
	}
}

// stateLine is the first line of an IKE SA in what swanctl --list-sas says.
var stateLine = regexp.MustCompile(`(?m)^\S+: #\d+, ([A-Z]+), IKEv2,`)

// held counts the IKE SAs that e lists, by state. One that lingers has ended, and is not among them.
func (b *bed) held(e *end) (all, established int) {
	b.t.Helper()
	_, text, err := e.list()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range stateLine.FindAllStringSubmatch(text, -1) {
		switch m[1] {
		case "DESTROYING":
		case "ESTABLISHED":
			established++
			all++
		default:
			all++
		}
	}
	return all, established
}

// gather waits until both ends hold n IKE SAs.
func (b *bed) gather(n int, limit time.Duration) {
	b.t.Helper()
	count := ""
	until(b.t, limit, fmt.Sprintf("both ends hold %d IKE SAs", n), func() bool {
		left, up := b.held(b.left)
		count = fmt.Sprintf("left %d of %d established", up, left)
		if up < n {
			time.Sleep(time.Duration(n) * 100 * time.Microsecond) // a long list costs those who are to set up
			return false
		}
		_, up = b.held(b.right)
		count += fmt.Sprintf(", right %d", up)
		return up == n
	}, func() string { return count })
}

// lose has e's namespace drop that many percent of the IKE datagrams, each way.
func (b *bed) lose(namespace string, percent int) {
	b.t.Helper()
	if percent == 0 {
		return
	}
	rule := fmt.Sprintf("udp dport { 500, 4500 } numgen random mod 100 < %d drop;", percent)
	rules := filepath.Join(b.dir, "loss.nft")
	text := fmt.Sprintf("table inet loss {\n chain in { type filter hook input priority 0; %s }\n chain out { type filter hook output priority 0; %s }\n}\n", rule, rule)
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	if _, err := output(exec.Command("ip", "netns", "exec", namespace, "nft", "-f", rules)); err != nil {
		b.t.Fatal(err)
	}
}

// loadNow is what else the machine does: a figure of time means nothing without it.
func loadNow(t testing.TB) string {
	t.Helper()
	one, _, _ := strings.Cut(readFile("/proc/loadavg"), " ")
	return one
}
