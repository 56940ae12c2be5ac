package demo_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/demo"
)

var rewrite = flag.Bool("rewrite", false, "put what the demo printed into README.md")

const (
	readme    = "../../../../README.md"
	blockOpen = "<!-- demo: what `make demo` printed; a test holds it to what it prints now -->\n```\n"
	blockEnd  = "```\n<!-- demo ends -->"
)

// TestDemo tells the story, which fails where a chapter does not go as it must, and holds the README to what was told:
// the words are the same, times, ports and SPIs are of the day.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	program := filepath.Join(t.TempDir(), "ikejd")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/ikejd/ikejd/cmd/ikejd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var told strings.Builder
	story := demo.Story{Program: program, Out: &told}
	if err := story.Tell(context.Background()); err != nil {
		t.Fatalf("%v\ntold so far:\n%s", err, told.String())
	}
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(page), blockOpen)
	shown, after, ok2 := strings.Cut(rest, blockEnd)
	if !ok1 || !ok2 {
		t.Fatal("README.md has no block of the demo's output")
	}
	if *rewrite {
		if err := os.WriteFile(readme, []byte(before+blockOpen+told.String()+blockEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(timeless(shown), timeless(told.String())); diff != "" {
		t.Errorf("README.md shows another story; try: go test ./cmd/ikejd/internal/demo -rewrite\n%s", diff)
	}
}

// ofTheDay is what differs from one telling to the next: hex digits of SPIs and digests, times, ports, versions.
var ofTheDay = regexp.MustCompile(`\b[0-9a-f]{4,16}…|digest [0-9a-f]{4}|devel[-0-9a-f]*|[0-9][0-9:.,]*[0-9]|[0-9]|  +`)

func timeless(text string) []string {
	return strings.Split(ofTheDay.ReplaceAllString(text, "#"), "\n")
}
