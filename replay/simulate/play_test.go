package simulate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// scenarios are the files of testdata, by name, and those of them that wait for exchanges of later versions.
func scenarios(t *testing.T) (texts map[string]string, names []string, next map[string]bool) {
	files, err := filepath.Glob("testdata/B-??.txt")
	if err != nil || len(files) != 45 {
		t.Fatalf("%d scenarios: %v", len(files), err)
	}
	more, err := filepath.Glob("testdata/B-??-*.txt") // second halves, and what of others can be played now
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, more...)
	texts, next = map[string]string{}, map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		texts[name], names = string(text), append(names, name)
	}
	waiting, err := os.ReadFile("testdata/next.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(waiting)) {
		if strings.HasPrefix(line, "B-") {
			next[line[:4]] = true
		}
	}
	return texts, names, next
}

// Each scenario of BUGS.md can be read; those that are not played are named in testdata/next.txt.
func TestScenariosParse(t *testing.T) {
	texts, names, next := scenarios(t)
	for _, name := range names {
		f, err := scenario.Parse(texts[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(f.Expected) == 0 || !strings.HasPrefix(f.Title, name[:4]) {
			t.Errorf("%s says neither what it is nor what is expected", name)
		}
		if needs := f.Needs(); needs != "" && !next[name] {
			t.Errorf("%s needs %s, and is not in next.txt", name, needs)
		}
	}
}

// Each scenario that can be played comes out as it says, with many seeds.
func TestScenarios(t *testing.T) {
	texts, names, next := scenarios(t)
	seeds := uint64(100)
	if testing.Short() {
		seeds = 5
	}
	for _, name := range names {
		if next[name] {
			continue
		}
		play, err := ParsePlay(texts[name])
		if err != nil {
			t.Fatal(err)
		}
		if play.Searches() {
			continue // not one run but very many: TestCrossings
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range seeds {
				if _, wrong := play.Run(seed); wrong != nil {
					t.Fatalf("seed %d: %v", seed, wrong)
				}
			}
		})
	}
}
