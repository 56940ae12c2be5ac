package arch

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The top level is fixed: whoever knows one checkout knows them all.
var topLevel = []string{".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "README.md", "cmd", "docs",
	"effects", "go.mod", "go.sum", "journal", "proto", "reducer", "replay"}

func TestTopLevel(t *testing.T) {
	found := map[string]bool{}
	for _, name := range files(t) {
		top, _, _ := strings.Cut(name, "/")
		found[top] = true
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, topLevel) {
		t.Errorf("the top level has\n%v, want\n%v", got, topLevel)
	}
}

// maxLines: a longer file is two exchanges or two rules (STYLE.md).
const maxLines = 350

// unfinished is what a file says when its author meant to come back. Written in pieces here, or this file would say it.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b|(?i)not ` + `implemented\b|\bun` + `implemented\b`)

// foreign is what belongs to one machine or one network: nothing in the repository may depend on it.
var foreign = regexp.MustCompile(`(^|[^A-Za-z0-9_.})])/(work|farm|ro` + `ot|tmp|home/[a-z]+)/|de` + `b\.debian|pro` + `xy\.golang|reg` + `istry\.npmjs`)

// problems are what is wrong with the text of one file.
func problems(name, text string) (bad []string) {
	line := func(re *regexp.Regexp, what string) {
		n := 0
		for l := range strings.Lines(text) {
			n++
			if m := re.FindString(l); m != "" {
				bad = append(bad, what+" in line "+itoa(n)+": "+strings.TrimSpace(m))
			}
		}
	}
	if strings.ContainsRune(text, 0) {
		return nil // not a text
	}
	line(foreign, "a path or host of one machine")
	if path.Ext(name) != ".go" {
		return bad
	}
	if f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.PackageClauseOnly); err == nil && ast.IsGenerated(f) {
		return bad
	}
	line(unfinished, "something unfinished")
	if n := strings.Count(text, "\n"); n > maxLines {
		bad = append(bad, itoa(n)+" lines, more than "+itoa(maxLines))
	}
	if formatted, err := format.Source([]byte(text)); err != nil {
		bad = append(bad, err.Error())
	} else if !bytes.Equal(formatted, []byte(text)) {
		bad = append(bad, "is not formatted; try: gofmt -w "+name)
	}
	return bad
}

func TestFiles(t *testing.T) {
	for _, name := range files(t) {
		for _, bad := range problems(name, read(t, name)) {
			t.Errorf("%s: %s", name, bad)
		}
	}
}

// The tools that run outside Go must be able to run, and say what they are for.
func TestScripts(t *testing.T) {
	for _, name := range files(t) {
		if path.Ext(name) == ".sh" && !strings.HasPrefix(read(t, name), "#!/bin/sh\n#") && path.Base(name) != "lib.sh" {
			t.Errorf("%s does not begin with #!/bin/sh and a comment of what it is for", name)
		}
	}
}
