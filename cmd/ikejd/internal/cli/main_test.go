package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/replaytest"
)

// The commands as people type them: the scripts in testdata have arguments, exit statuses and exact text. Their journals
// are replaytest.Samples; times are UTC unless TZ says otherwise.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ikejd": func() {
		local, err := time.LoadLocation(os.Getenv("ZONE")) // "" is UTC
		if err != nil {
			panic(err)
		}
		now := func() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }
		judges, err := audit.Pick("WIN-01", "WIN-02", "DEL-02") // three, so that samples do not change with each new rule
		if err != nil {
			panic(err)
		}
		os.Exit(run(context.Background(), os.Args[1:], &app{std: Std{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: now, Local: local},
			version: "0.9.5", daemon: noDaemon, judges: judges}))
	}})
}

func TestCommands(t *testing.T) {
	// Written once and copied: while one script starts a program, that program has the locks of journals being written.
	written := map[string]fs.FS{}
	for name, write := range replaytest.Samples {
		s := replaytest.New(t)
		rolls := write(s)
		written[name] = os.DirFS(s.Journal(rolls...))
	}
	testscript.Run(t, testscript.Params{Dir: "testdata", UpdateScripts: os.Getenv("UPDATE") != "", Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"status": exits, "raw": noneRaw, "flip": flip,
	}, Setup: func(env *testscript.Env) error {
		for name, files := range written {
			if err := os.CopyFS(filepath.Join(env.WorkDir, name), files); err != nil {
				return err
			}
		}
		return nil
	}})
}

// exits is `status N command…`: the command ends with that exit status.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit status %d, want %s", code, args[0])
	}
}

// flip is `flip FOLDER TEXT`: in the first file that has the text, one bit of it is another.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(ts.MkAbs(args[0]) + "/*")
	ts.Check(err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		ts.Check(err)
		if i := bytes.Index(b, []byte(args[1])); i >= 0 {
			b[i] ^= 1
			ts.Check(os.WriteFile(file, b, 0o600))
			return
		}
	}
	ts.Fatalf("no file in %s has %q", args[0], args[1])
}

// noneRaw is `raw stdout command…`: what the command prints has no octet that a terminal would obey, and no character
// that turns the direction of the text.
func noneRaw(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec(args[1], args[2:]...))
	for _, r := range ts.ReadFile(args[0]) {
		if r < 0x20 && r != '\n' || r == 0x7f || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) && r != '\n' {
			ts.Fatalf("%q was printed", r)
		}
	}
}

func noDaemon(context.Context, string) (replay.Source, error) { return nil, errNoDaemon }
