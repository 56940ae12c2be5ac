//go:build interop

package interop

import (
	"regexp"
	"strings"
)

// swanctl is Debian's, talking to the daemon whose folder is dir.
func swanctl(dir string, args ...string) (string, error) {
	return output(script("charon.sh", append([]string{"swanctl", dir}, args...)...))
}

// ikeSA is what swanctl --list-sas says of one.
type ikeSA struct {
	state, spiI, spiR, suite string
	children                 []childSA
}

type childSA struct{ name, state, in, out string }

var (
	ikeLine   = regexp.MustCompile(`^\S+: #\d+, (\S+), IKEv2, ([0-9a-f]{16})_i\*? ([0-9a-f]{16})_r\*?`)
	suiteLine = regexp.MustCompile(`^  ([A-Z][A-Z0-9_]+[/-]\S+)$`)
	childLine = regexp.MustCompile(`^  (\S+): #\d+, reqid \d+, (\w+),`)
	spiLine   = regexp.MustCompile(`^    (in|out)\s+([0-9a-f]{8})`)
)

func parseSAs(list string) (sas []ikeSA) {
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\n")
		if m := ikeLine.FindStringSubmatch(line); m != nil {
			sas = append(sas, ikeSA{state: m[1], spiI: m[2], spiR: m[3]})
			continue
		}
		if len(sas) == 0 {
			continue
		}
		s := &sas[len(sas)-1]
		if m := suiteLine.FindStringSubmatch(line); m != nil {
			s.suite = m[1]
		} else if m := childLine.FindStringSubmatch(line); m != nil {
			s.children = append(s.children, childSA{name: m[1], state: m[2]})
		} else if m := spiLine.FindStringSubmatch(line); m != nil && len(s.children) > 0 {
			c := &s.children[len(s.children)-1]
			if m[1] == "in" {
				c.in = m[2]
			} else {
				c.out = m[2]
			}
		}
	}
	return sas
}
