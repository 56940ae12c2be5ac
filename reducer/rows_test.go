package reducer

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/proto/testshared"
)

// The rows of PROTOCOL.md that the reducer answers for: all of W and D, and of C the crossings that need no
// CREATE_CHILD_SA. Each is the name of a scene, or stands in testdata/waiting.txt with what it waits for.

// rowTables are W-01 to W-32, D-01 to D-30 and D-40 to D-45: the numbers between are not given.
var rowTables = []struct {
	table       string
	first, last int
}{{"W", 1, 32}, {"D", 1, 30}, {"D", 40, 45}}

// crossings are the rows of C that two daemons can meet without CREATE_CHILD_SA.
var crossings = []string{"C-18", "C-24", "C-41", "C-42", "C-81", "C-82", "C-83"}

const waitingRows = "testdata/waiting.txt"

// rows are their ids, without the crossings.
func rows() []string {
	var ids []string
	for _, r := range rowTables {
		for n := r.first; n <= r.last; n++ {
			ids = append(ids, fmt.Sprintf("%s-%02d", r.table, n))
		}
	}
	return ids
}

// TestRows: a row has a scene of its name, or waits for something, and never both.
func TestRows(t *testing.T) {
	waits, named := waiting(t), namedRows(t)
	all := slices.Concat(rows(), crossings)
	for _, row := range all {
		if named[row] && waits[row] != "" {
			t.Errorf("%s has a scene and stands in %s; take the line out", row, waitingRows)
		}
		if !named[row] && waits[row] == "" {
			t.Errorf("%s has no scene; write `subtest %s` into a script of testdata", row, row)
		}
	}
	for row := range waits {
		if !slices.Contains(all, row) {
			t.Errorf("%s waits for %q and is no row of W or D, nor a crossing", row, waits[row])
		}
	}
}

// TestRowsAreAll holds the list here to PROTOCOL.md.
func TestRowsAreAll(t *testing.T) {
	protocol, err := os.ReadFile(testshared.Path(t, "PROTOCOL.md"))
	must(t, err)
	theirs := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([WDC]-\d+) \|`).FindAllStringSubmatch(string(protocol), -1) {
		theirs[m[1]] = true
	}
	for _, row := range crossings {
		if !theirs[row] {
			t.Errorf("PROTOCOL.md has no %s", row)
		}
	}
	maps.DeleteFunc(theirs, func(row string, _ bool) bool { return row[0] == 'C' })
	if their := slices.Sorted(maps.Keys(theirs)); !slices.Equal(their, slices.Sorted(slices.Values(rows()))) {
		t.Errorf("rows of W and D in PROTOCOL.md: %v", their)
	}
}

// waiting are the rows of waiting.txt, and what each waits for.
func waiting(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(waitingRows)
	must(t, err)
	waits := map[string]string{}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		row, what, ok := strings.Cut(line, " ")
		if !ok || waits[row] != "" {
			t.Fatalf("%s: %q is not a row and what it waits for, or is there twice", waitingRows, line)
		}
		waits[row] = what
	}
	return waits
}

// namedRows are the rows in the names of scenes: `subtest D-19,W-15`, a further scene of the same rows with .2 behind.
func namedRows(t *testing.T) map[string]bool {
	t.Helper()
	named := map[string]bool{}
	name := regexp.MustCompile(`(?m)^subtest (\S+)`)
	for _, file := range scripts(t) {
		b, err := os.ReadFile(file)
		must(t, err)
		for _, m := range name.FindAllStringSubmatch(string(b), -1) {
			rows, _, _ := strings.Cut(m[1], ".")
			for row := range strings.SplitSeq(rows, ",") {
				named[row] = true
			}
		}
	}
	return named
}

// scripts are the files of scenes.
func scripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	must(t, err)
	files = slices.DeleteFunc(files, func(file string) bool { return filepath.ToSlash(file) == waitingRows })
	if len(files) == 0 {
		t.Fatal("no scripts in testdata")
	}
	return files
}
