package cli

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/replay/replaytest"
)

// called is one call of the program in this process, on a terminal or not.
func called(ctx context.Context, terminal bool, width int, args ...string) (code int, out, err string) {
	var o, e bytes.Buffer
	code = run(ctx, args, &app{version: "0.9.5", daemon: noDaemon,
		std: Std{Out: &o, Err: &e, Now: func() time.Time { return replaytest.Begin }, Terminal: terminal, Width: width}})
	return code, o.String(), e.String()
}

// Ctrl-C ends every command that reads with 130, and no verdict is printed.
func TestInterrupted(t *testing.T) {
	kept := filepath.Join("..", "..", "..", "..", "replay", "testdata", "ends.ikej")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"replay"}, {"why", "ike1"}, {"why", "shutdown"}, {"journal", "ls"}, {"journal", "cat"}, {"journal", "export", "-o", filepath.Join(t.TempDir(), "x.ikej")}} {
		code, out, _ := called(ctx, false, 0, append(args, "--journal", kept)...)
		if code != exitInterrupted || out != "" {
			t.Errorf("%v ends with %d and says %q", args, code, out)
		}
	}
}

// On a terminal a finding is bold and lines are cut at its width, unless one says otherwise; elsewhere neither.
func TestTerminal(t *testing.T) {
	s := replaytest.New(t)
	replaytest.Samples["otherwise"](s)
	path := s.Journal()
	const bold = boldOn + "diverges"
	for _, c := range []struct {
		terminal bool
		width    int
		more     []string
		bold     bool
		longest  int
	}{
		{false, 0, nil, false, 0}, {true, 80, nil, true, 80}, {true, 80, []string{"--no-color"}, false, 80}, {true, 80, []string{"--width", "30", "--no-color"}, false, 30},
		{false, 0, []string{"--width", "50"}, false, 50},
	} {
		code, out, _ := called(t.Context(), c.terminal, c.width, append([]string{"replay", "--journal", path}, c.more...)...)
		if code != exitFound || strings.Contains(out, bold) != c.bold {
			t.Errorf("%+v: %d, %q", c, code, out)
		}
		longest := 0
		for line := range strings.Lines(out) {
			if strings.Contains(line, boldOn) != strings.Contains(line, boldOff) {
				t.Errorf("%+v: bold goes on behind %q", c, line)
			}
			longest = max(longest, len([]rune(strings.NewReplacer("\n", "", boldOn, "", boldOff, "").Replace(line))))
		}
		if c.longest == 0 && longest < 70 || c.longest != 0 && longest > c.longest {
			t.Errorf("%+v: the longest line has %d characters", c, longest)
		}
	}
}
