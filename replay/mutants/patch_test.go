package mutants

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/replay/simulate"
)

// mutant is one reducer that is wrong on purpose. In a file of testdata it reads
//
//	mutant no-linger
//	rule DEL-04
//	play for=30s nodes=3 faults=loss,repeat
//	file reducer/delete_ike.go
//	-	t.linger(sa, cause, "request "+decimal(to.ID))
//	+	t.discard(sa, cause, "request "+decimal(to.ID))
//	why a peer whose answer was lost asks again, and nobody is there
//
// where lines that begin with a space are context, several hunks are parted by "file", and play may be missing.
type mutant struct {
	name, rule, why string
	at              string // file and line, for people
	play            played
	hunks           []hunk
}

// played is how a mutant's seeds are.
type played struct {
	length time.Duration
	nodes  int
	faults string
}

// hunk replaces one text of a file.
type hunk struct{ file, from, to string }

var usual = played{length: time.Minute, nodes: 2, faults: "all"}

// root is the module's, seen from this package.
const root = "../.."

// mutants are all there are.
func mutants(t *testing.T) (all []mutant) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		some, err := parse(file, string(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range some {
			if before, twice := seen[m.name]; twice {
				t.Fatalf("%s: there is a mutant %s at %s already", m.at, m.name, before)
			}
			seen[m.name] = m.at
		}
		all = append(all, some...)
	}
	return all
}

func parse(file, text string) (all []mutant, err error) {
	for i, line := range strings.Split(text, "\n") {
		at := fmt.Sprintf("%s:%d", file, i+1)
		word, rest, _ := strings.Cut(line, " ")
		if word == "mutant" {
			all = append(all, mutant{name: rest, at: at, play: usual})
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("%s: before the first mutant there are only comments", at)
		}
		m := &all[len(all)-1]
		var h *hunk
		if len(m.hunks) > 0 {
			h = &m.hunks[len(m.hunks)-1]
		}
		switch {
		case word == "rule":
			m.rule = rest
		case word == "why":
			m.why = rest
		case word == "play":
			if m.play, err = parsePlay(rest); err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
		case word == "file":
			m.hunks = append(m.hunks, hunk{file: rest})
		case h != nil && line[0] == '-':
			h.from += line[1:] + "\n"
		case h != nil && line[0] == '+':
			h.to += line[1:] + "\n"
		case h != nil && line[0] == ' ':
			h.from += line[1:] + "\n"
			h.to += line[1:] + "\n"
		default:
			return nil, fmt.Errorf("%s: %q is no line of a mutant", at, line)
		}
	}
	for _, m := range all {
		if m.name == "" || m.rule == "" || m.why == "" || len(m.hunks) == 0 {
			return nil, fmt.Errorf("%s: a mutant has a name, a rule, why, and a file with what is replaced", m.at)
		}
	}
	return all, nil
}

func parsePlay(words string) (played, error) {
	p := usual
	for word := range strings.FieldsSeq(words) {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "for":
			p.length, err = time.ParseDuration(value)
		case "nodes":
			_, err = fmt.Sscan(value, &p.nodes)
		case "faults":
			p.faults = value
			_, err = simulate.ParseFaults(value)
		default:
			err = fmt.Errorf("%q is not for, nodes or faults", word)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// apply gives the changed files, by name.
func (m *mutant) apply(read func(string) ([]byte, error)) (map[string][]byte, error) {
	changed := map[string][]byte{}
	for _, h := range m.hunks {
		text, ok := changed[h.file]
		if !ok {
			var err error
			if text, err = read(h.file); err != nil {
				return nil, fmt.Errorf("%s: mutant %s: %w", m.at, m.name, err)
			}
		}
		if n := bytes.Count(text, []byte(h.from)); h.from == "" || n != 1 {
			return nil, fmt.Errorf("%s: mutant %s no longer fits: what it replaces is %d times in %s, not once; mend the mutant with the rule it changes:\n%s",
				m.at, m.name, n, h.file, h.from)
		}
		changed[h.file] = bytes.Replace(text, []byte(h.from), []byte(h.to), 1)
	}
	return changed, nil
}

func readSource(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
}
