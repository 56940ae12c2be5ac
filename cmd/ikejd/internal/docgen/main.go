package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/cli"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
)

const docs = "../../../../docs"

func main() {
	for _, write := range []func() error{manuals, configuration} {
		if err := write(); err != nil {
			fmt.Fprintln(os.Stderr, "docgen:", err)
			os.Exit(1)
		}
	}
}

// manuals writes a page a command. Their date is fixed, so that a page changes only with what it says.
func manuals() error {
	dir := filepath.Join(docs, "man")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	date := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	root := cli.Root()
	root.DisableAutoGenTag = true
	root.InitDefaultCompletionCmd()
	setApart(root)
	return doc.GenManTree(root, &doc.GenManHeader{Section: "8", Source: "ikejd", Manual: "ikejd", Date: &date}, dir)
}

// setApart indents the tables in the commands' help so far that a manual page keeps them as they are.
func setApart(cmd *cobra.Command) {
	lines := strings.Split(cmd.Long, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "  ") {
			lines[i] = "  " + line
		}
	}
	cmd.Long = strings.Join(lines, "\n")
	for _, sub := range cmd.Commands() {
		setApart(sub)
	}
}

// configuration writes every key of the configuration file, with its default and what becomes of it here.
func configuration() error {
	var b strings.Builder
	b.WriteString(`# Configuration

The grammar and the keys are those of strongSwan's swanctl.conf; what strongSwan has no key for is in the section
` + "`ikejd { }`" + ` of the same file. This page is made from the table that the parser reads (cmd/ikejd/internal/conf).

*used* keys have an effect. *ignored* ones get a warning, and leaving them out weakens nothing. *refused* ones are an error:
to go on without them would protect less than was asked for, or do something else.

`)
	uses := map[conf.Use]string{conf.Used: "used", conf.Ignored: "ignored", conf.Refused: "refused"}
	for _, section := range conf.Document() {
		fmt.Fprintf(&b, "## %s\n\n| key | default | | meaning, or why not |\n|---|---|---|---|\n", cell(section.Path))
		for _, key := range section.Keys {
			meaning := key.Doc
			if key.Use != conf.Used {
				meaning = key.Why
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", key.Name, code(key.Default), uses[key.Use], cell(meaning))
		}
		b.WriteByte('\n')
	}
	return os.WriteFile(filepath.Join(docs, "configuration.md"), []byte(strings.TrimRight(b.String(), "\n")+"\n"), 0o644)
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(text) + "`"
}

func cell(text string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text) }
