package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// page is `page NAME`: what the last command printed is the block NAME of docs/shutdown.md, but for times, ports, SPIs and
// counts of steps. UPDATE=1 puts it there.
func page(ts *testscript.TestScript, _ bool, args []string) {
	file := filepath.Join(testDir, "..", "..", "docs", "shutdown.md")
	text, err := os.ReadFile(file)
	ts.Check(err)
	open := "<!-- " + args[0] + " -->\n```\n"
	before, rest, ok1 := strings.Cut(string(text), open)
	shown, after, ok2 := strings.Cut(rest, "```\n")
	if !ok1 || !ok2 {
		ts.Fatalf("docs/shutdown.md has no block %s", args[0])
	}
	said := strings.ReplaceAll(ts.ReadFile("stdout"), ts.MkAbs(".")+"/", "")
	switch {
	case ofTheRun.ReplaceAllString(shown, "#") == ofTheRun.ReplaceAllString(said, "#"):
	case os.Getenv("UPDATE") != "":
		ts.Check(os.WriteFile(file, []byte(before+open+said+"```\n"+after), 0o644))
	default:
		ts.Fatalf("docs/shutdown.md, %s, shows something else; try: UPDATE=1 go test ./cmd/ikejd -run TestProgram/shutdown_page\n%s", args[0], said)
	}
}

// ofTheRun is what differs from one run to the next: SPIs, versions, times, ports, steps.
var ofTheRun = regexp.MustCompile(`\b[0-9a-f]{8}\b…?|devel[-0-9a-f]*|[0-9][-0-9:.,TZ]*(?:ms|s|m)?|  +`)

// testDir is where the tests were started: scripts have a folder of their own.
var testDir, _ = os.Getwd()
