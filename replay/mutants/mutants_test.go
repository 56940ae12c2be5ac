package mutants

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/simulate"
)

// atLeast is how many wrong reducers there are at least.
const atLeast = 30

// Each mutant fits the source of this commit and names a rule that there is.
func TestMutantsFit(t *testing.T) {
	all := mutants(t)
	if len(all) < atLeast {
		t.Errorf("there are %d mutants, fewer than %d", len(all), atLeast)
	}
	for _, m := range all {
		if _, err := m.apply(readSource); err != nil {
			t.Error(err)
		}
		if _, err := audit.Pick(m.rule); err != nil && m.rule != "COL-07" {
			t.Errorf("%s: mutant %s: %v", m.at, m.name, err)
		}
	}
}

func TestMutantThatNoLongerFits(t *testing.T) {
	some, err := parse("old.txt", "mutant old\nrule WIN-01\nwhy none\nfile reducer/window.go\n-\treturn before\n+\treturn after\n")
	if err != nil {
		t.Fatal(err)
	}
	for source, times := range map[string]int{"": 0, "\treturn before\n": 1, "\treturn before\n\treturn before\n": 2} {
		changed, err := some[0].apply(func(string) ([]byte, error) { return []byte(source), nil })
		if times == 1 {
			if err != nil || string(changed["reducer/window.go"]) != "\treturn after\n" {
				t.Errorf("%q becomes %q, %v", source, changed, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("old no longer fits: what it replaces is %d times in reducer/window.go", times)) {
			t.Errorf("%q: %v", source, err)
		}
	}
}

// The right reducer shows nothing of what the mutants are caught by; each wrong one is caught by the rule that names it.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program for each wrong reducer")
	}
	all := mutants(t)
	var right sync.Map // played -> func() []First
	rightly := func(p played) ([]First, error) {
		f, _ := right.LoadOrStore(p, sync.OnceValues(func() ([]First, error) { return playRight(t, p) }))
		return f.(func() ([]First, error))()
	}
	for _, m := range all {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			found, seeds := playWrong(t, m)
			i := slices.IndexFunc(found, func(f First) bool { return f.Rule == m.rule })
			if i < 0 {
				t.Fatalf("%s: not caught by %s within %d seeds: %s\nfound were %v", m.at, m.rule, seeds, m.why, found)
			}
			t.Logf("%s at seed %d; before it %v", m.rule, found[i].Seed, found[:i])
			before, err := rightly(m.play)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(before, func(f First) bool { return f.Rule == m.rule }) {
				t.Errorf("%s: the right reducer is caught by %s too: %v", m.at, m.rule, before)
			}
		})
	}
}

func playRight(t *testing.T, p played) ([]First, error) {
	choice, err := simulate.ParseFaults(p.faults)
	if err != nil {
		return nil, err
	}
	found, _, err := Player{Nodes: p.nodes, For: p.length, Faults: choice}.Play(t.Context())
	return found, err
}

// playWrong builds command play with the mutant's files laid over those of the tree, and runs it.
func playWrong(t *testing.T, m mutant) ([]First, uint64) {
	t.Helper()
	dir := t.TempDir()
	changed, err := m.apply(readSource)
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	for name, text := range changed {
		there, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		replace[there] = filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(replace[there], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "play.exe")
	run(t, "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-trimpath", "-ldflags=-s -w", "-o", program, "./play")
	out := run(t, program, "-want", m.rule, "-for", m.play.length.String(), "-nodes", fmt.Sprint(m.play.nodes), "-faults", m.play.faults)
	var result struct {
		Found []First `json:"found"`
		Seeds uint64  `json:"seeds"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatal(err)
	}
	return result.Found, result.Seeds
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	var problems strings.Builder
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, problems.String())
	}
	return out
}
