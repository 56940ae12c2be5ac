package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ikejd/ikejd/replay/audit"
	"github.com/spf13/cobra"
)

// Exit statuses (REPLAY-UX.md).
const (
	exitFine        = 0   // answered, nothing wrong found
	exitFound       = 1   // divergence, violation, damage; no such SA
	exitCannot      = 2   // usage, unreadable
	exitLimit       = 3   // a limit ended it before a verdict
	exitInterrupted = 130 // by Ctrl-C
)

// status is an error that says with which status the program ends. Without an error inside, all was said already.
type status struct {
	code int
	err  error
}

func (s *status) Error() string {
	if s.err == nil {
		return fmt.Sprint("exit status ", s.code)
	}
	return s.err.Error()
}

func (s *status) Unwrap() error { return s.err }

// found ends a command that has printed what it found.
func found() error { return &status{code: exitFound} }

// app is one call of the program.
type app struct {
	std     Std
	version string // of this binary
	shared
	daemon dialer
	judges []*audit.Rule // that `why` asks; nil: all
}

// commands are what the root command has, in the order of its help. To add one is to add its constructor.
var commands = []func(*app) *cobra.Command{newRun, newCheck, newListSAs, newInitiate, newTerminate, newReload, newLog, newDemo, newBench, newJournal, newReplay, newWhy, newAudit, newSimulate, newMinimise}

// Run is the program: it runs the command in args and gives the exit status.
func Run(ctx context.Context, args []string, std Std) int {
	return run(ctx, args, &app{std: std, version: version(), daemon: dialDaemon})
}

func run(ctx context.Context, args []string, a *app) int {
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitFine
	}
	code := exitCannot
	var s *status
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return exitInterrupted
	case errors.As(err, &s):
		if s.err == nil {
			return s.code
		}
		code = s.code
	}
	fmt.Fprintf(a.std.Err, "ikejd: %v\n", err)
	return code
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "ikejd",
		Short: "IKEv2 daemon whose whole life is one journal",
		Long: `ikejd is an IKEv2 daemon (RFC 7296). Every message, timer, command and answer it ever had is in its journal, and
these commands read it back: nothing is guessed, and nothing here sends, installs or changes anything.

Exit status: 0 answered, nothing wrong found; 1 found (a divergence, damage; no such SA); 2 could not do it;
3 a limit ended it before a verdict; 130 interrupted.`,
		Example:       "  ikejd why gw-east\n  ikejd why shutdown\n  ikejd journal ls --ended --run -1",
		Version:       a.version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          others,
	}
	root.SetIn(a.std.In)
	root.SetOut(a.std.Out)
	root.SetErr(a.std.Err)
	root.SetVersionTemplate("ikejd {{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	a.shared.bind(root)
	for _, command := range commands {
		root.AddCommand(command(a))
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; try: %s --help", err, cmd.CommandPath())
	})
	return root
}

// group is a command that only has others.
func group(use, short string, sub ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, RunE: others}
	cmd.AddCommand(sub...)
	return cmd
}

// others is what a command does that only has others: it says which.
func others(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s has no command %q; try: %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return cmd.Help()
}

// shared are the options of every command.
type shared struct {
	journal string
	socket  string
	utc     bool
	noColor bool
	width   int
	quiet   bool
	json    bool
}

// Where a journal and a daemon are, unless told otherwise.
const (
	defaultJournal = "/var/lib/ikejd/journal"
	defaultSocket  = "/run/ikejd/ikejd.vici"
)

func (o *shared) bind(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&o.journal, "journal", "", "read this `PATH`: a journal's folder or a .ikej file (else the running daemon, else "+defaultJournal+")")
	f.StringVar(&o.socket, "socket", defaultSocket, "control socket of the daemon, a `PATH`")
	f.BoolVar(&o.utc, "utc", false, "times in UTC, not local")
	f.BoolVar(&o.noColor, "no-color", false, "no colors, also on a terminal")
	f.IntVar(&o.width, "width", 0, "cut lines at this many `COLUMNS` (0: the terminal's width, unlimited elsewhere)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "the verdict only")
	f.BoolVar(&o.json, "json", false, "one JSON object a line, for programs")
}

// place is the zone that times are printed and read in.
func (a *app) place() *time.Location {
	if a.utc || a.std.Local == nil {
		return time.UTC
	}
	return a.std.Local
}

// version is what this binary calls itself: the release it was built from, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := strings.TrimPrefix(info.Main.Version, "v"); v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}
