package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/replay"
)

func newCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say what is wrong with a configuration",
		Long: `check reads a configuration with all it includes, ` + defaultConfig + ` unless another is named, and prints every problem with
its file and line and what to write instead. It touches nothing and asks no daemon.

Exit status: 0 it can be used, warnings or not; 1 it has errors.`,
		Example: "  ikejd check\n  ikejd check swanctl.conf && ikejd reload",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file := defaultConfig
			if len(args) == 1 {
				file = args[0]
			}
			return runCheck(a, file)
		},
	}
}

type problemJSON struct {
	V        int    `json:"v"`
	Type     string `json:"type"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Severity string `json:"severity"`
	Text     string `json:"text"`
}

type checkedJSON struct {
	V           int    `json:"v"`
	Type        string `json:"type"`
	File        string `json:"file"`
	Connections int    `json:"connections"`
	Secrets     int    `json:"secrets"`
	Errors      int    `json:"errors"`
	Warnings    int    `json:"warnings"`
}

func runCheck(a *app, file string) error {
	config, problems := conf.Load(file)
	w := a.out()
	checked := checkedJSON{V: 1, Type: "checked", File: file, Connections: len(config.Connections), Secrets: len(config.Secrets)}
	for _, p := range problems {
		if p.Severity == conf.Error {
			checked.Errors++
		} else {
			checked.Warnings++
		}
		switch {
		case a.json:
			if err := a.object(problemJSON{V: 1, Type: "problem", File: p.Pos.File, Line: p.Pos.Line, Severity: p.Severity.String(), Text: p.Text}); err != nil {
				return err
			}
		case !a.quiet:
			fmt.Fprintln(w, p)
		}
	}
	if a.json {
		if err := a.object(checked); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w, "%s: %s, %s; %s, %s\n", file, number(checked.Connections, "connection"), number(checked.Secrets, "secret"),
			number(checked.Errors, "error"), number(checked.Warnings, "warning"))
	}
	if checked.Errors > 0 {
		return found()
	}
	return nil
}

func number(n int, what string) string { return replay.Count(uint64(n), what) }
