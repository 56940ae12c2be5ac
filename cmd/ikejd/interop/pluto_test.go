//go:build interop

package interop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pluto is libreswan's daemon, driven by its own whack.
type pluto struct{ dir, namespace string }

func (p *pluto) start() error {
	_, err := output(script("pluto.sh", "start", p.dir, "-n", p.namespace, "-s", filepath.Join(lab, "fakexfrm.so")))
	return err
}

func (p *pluto) stop() error {
	_, err := output(script("pluto.sh", "stop", p.dir))
	return err
}

func (p *pluto) kill() {
	if _, err := output(script("pluto.sh", "kill", p.dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func (*pluto) verify() error { return nil } // it keeps no journal

// whack's status is that of the last thing it was told, which for the traffic counters of a kernel without ESP is an
// error; what it says is what counts.
func (p *pluto) whack(args ...string) (string, error) {
	out, err := output(script("pluto.sh", append([]string{"whack", p.dir}, args...)...))
	if out != "" {
		err = nil
	}
	return out, err
}

func (p *pluto) initiate() error {
	out, err := p.whack("--name", "lab", "--initiate")
	if err == nil && !strings.Contains(out, "initiator established Child SA") {
		err = errors.New(out)
	}
	return err
}

func (p *pluto) terminate() error {
	out, err := p.whack("--name", "lab", "--terminate")
	if err == nil && !strings.Contains(out, "and sending notification") {
		err = errors.New(out)
	}
	return err
}

func (p *pluto) list() ([]ikeSA, string, error) {
	text, err := output(script("pluto.sh", "whack", p.dir, "--showstates"))
	return parseStates(text), text, err
}

var (
	plutoIKE   = regexp.MustCompile(`^000 #\d+: "lab":\d+ STATE_V2_(\w+)_IKE_SA `)
	plutoChild = regexp.MustCompile(`^000 #\d+: "lab" esp\.([0-9a-f]+)@\S+ esp\.([0-9a-f]+)@\S+ `)
)

// parseStates reads whack --showstates, which names a child's outbound SPI first. There is at most one IKE SA here.
func parseStates(text string) (sas []ikeSA) {
	for line := range strings.Lines(text) {
		if m := plutoIKE.FindStringSubmatch(line); m != nil {
			sas = append(sas, ikeSA{state: m[1]})
		} else if m := plutoChild.FindStringSubmatch(line); m != nil && len(sas) > 0 {
			s := &sas[len(sas)-1]
			s.children = append(s.children, childSA{"net", "INSTALLED", fmt.Sprintf("%08s", m[2]), fmt.Sprintf("%08s", m[1])})
		}
	}
	return sas
}

// libreswan's pluto in both roles; either end deletes.
func TestPluto(t *testing.T) {
	t.Parallel()
	s := scene{ends: []pairing{{"ikejd", "pluto"}, {"pluto", "ikejd"}}}
	eachSide(t, s, "", func(b *bed, acts *end) {
		b.setUp(b.left)
		if err := acts.terminate(); err != nil {
			b.t.Fatal(err)
		}
		b.empty()
		b.saw(informational, acts, 1) // the Delete
	})
}

func TestParseStates(t *testing.T) {
	sas := parseStates(`000 #1: "lab":500 STATE_V2_ESTABLISHED_IKE_SA (established IKE SA); EXPIRE in 28799s; newest; idle;
000 #2: "lab":500 STATE_V2_ESTABLISHED_CHILD_SA (established Child SA); EXPIRE in 28799s; newest; eroute owner; IKE SA #1; idle;
000 #2: "lab" esp.2e095d0@10.77.0.1 esp.57f42e80@10.77.0.2 tun.0@10.77.0.1 tun.0@10.77.0.2 Traffic: ESPin=0B ESPmax=2^63B
`)
	want := childSA{"net", "INSTALLED", "57f42e80", "02e095d0"}
	if len(sas) != 1 || sas[0].state != "ESTABLISHED" || len(sas[0].children) != 1 || sas[0].children[0] != want {
		t.Errorf("found %+v", sas)
	}
}
