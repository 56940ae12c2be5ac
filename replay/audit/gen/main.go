package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ikejd/ikejd/replay/audit"
)

func main() {
	if err := write(".", filepath.Join("..", "..", "docs", "audit")); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write(rules, docs string) error {
	all, err := pages(rules)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(docs, 0o755); err != nil {
		return err
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(docs, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// pages are the files of docs/audit, by name, made of the rules and the fixtures in that folder.
func pages(rules string) (map[string]string, error) {
	all := map[string]string{"README.md": index()}
	for _, e := range audit.Catalogue {
		if _, absent := audit.Absent[e.ID]; absent {
			continue
		}
		fixtures, err := os.ReadFile(filepath.Join(rules, "testdata", e.ID+".txt"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		all[e.ID+".md"] = page(e, string(fixtures))
	}
	return all, nil
}

const made = "<!-- Made by go generate in replay/audit of the rule and its journals in testdata. -->\n"

func page(e audit.Entry, fixtures string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n%s\n%s · %s · works on: %s\n\n", e.ID, e.Title, made, e.Severity, e.Section, e.Mark)
	fmt.Fprintf(&b, "- **Proves** %s\n- **Reads** %s\n- **State** %s\n", e.Proves, e.Reads, e.State)
	if limits := audit.Limits(e.ID); limits != "" {
		fmt.Fprintf(&b, "- **Limits** %s\n", limits)
	}
	if fixtures == "" {
		b.WriteString("\nIts journals cannot be told in a few words: the test is in `replay/audit/elsewhere_test.go`.\n")
		return b.String()
	}
	for _, c := range cases(fixtures) {
		switch c.command {
		case "pass":
			b.WriteString("\n## Passes")
		case "fail":
			b.WriteString("\n## Fails")
		default:
			b.WriteString("\n## Inconclusive")
		}
		if c.given != "" {
			b.WriteString(", from " + c.given)
		}
		fmt.Fprintf(&b, "\n\n```\n%s\n```\n", c.journal)
		if c.command != "pass" {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", c.found)
		}
	}
	return b.String()
}

// fixture is one journal of a rule's file.
type fixture struct {
	command, given, journal, found string
}

// cases reads a datadriven file: a command with arguments, lines, ----, what was found, an empty line.
func cases(text string) []fixture {
	var all []fixture
	var c *fixture
	found := false
	scan := bufio.NewScanner(strings.NewReader(text))
	for scan.Scan() {
		line := scan.Text()
		switch {
		case c == nil && (line == "" || strings.HasPrefix(line, "#")):
		case c == nil:
			words := strings.Fields(line)
			all = append(all, fixture{command: words[0]})
			c, found = &all[len(all)-1], false
			for _, w := range words[1:] {
				if given, ok := strings.CutPrefix(w, "given="); ok {
					c.given = given
				}
			}
		case line == "----":
			found = true
		case line == "" && found:
			c = nil
		case found:
			c.found = joined(c.found, line)
		default:
			c.journal = joined(c.journal, line)
		}
	}
	return all
}

func joined(text, line string) string {
	if text == "" {
		return line
	}
	return text + "\n" + line
}

func index() string {
	var b strings.Builder
	b.WriteString("# The audit rules\n\n" + made + `
` + "`ikejd audit`" + ` judges a journal by these rules. They share no code with what the daemon decides by, and recompute what they
need from datagrams and completion events. A finding is a violation, a warning, a note, or inconclusive: then it says what
is missing. The journals on the pages are written in the notation of ` + "`replay/audit/mini/words.go`" + `: one line is one step.

| rule | what it says | severity | section | works on |
|---|---|---|---|---|
`)
	for _, e := range audit.Catalogue {
		if _, absent := audit.Absent[e.ID]; !absent {
			fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s | %s |\n", e.ID, e.ID, e.Title, e.Severity, e.Section, e.Mark)
		}
	}
	b.WriteString("\n## Not built yet\n\n| rule | what it says | why |\n|---|---|---|\n")
	for _, e := range audit.Catalogue {
		if why, absent := audit.Absent[e.ID]; absent {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", e.ID, e.Title, why)
		}
	}
	return b.String()
}
