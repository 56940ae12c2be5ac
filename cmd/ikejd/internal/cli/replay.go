package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
)

type replayOptions struct {
	selection
	at  string
	all bool
}

func newReplay(a *app) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay [SA…]",
		Short: "Run a journal's events through this binary and compare what it decides",
		Long: `replay feeds every event of a journal to the reducer of this binary and compares each step's effects with the recorded
ones, octet for octet. It ends with "equal", or with the first divergence and both sides of it; SAs named are all that is
compared. With --at it stops after that step and prints the state of the SAs named as it is then.

Exit status: 0 equal, 1 it diverges, 2 it cannot be replayed.`,
		Example: "  ikejd replay\n  ikejd replay old.ikej\n  ikejd replay ike7 --at 48127",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runReplay(cmd.Context(), a, cmd, &o, a.takePath(args))
		},
	}
	o.bindSA(cmd)
	cmd.Flags().StringVar(&o.at, "at", "", "stop after this `POINT`")
	cmd.Flags().BoolVar(&o.all, "all", false, "every divergence, not only the first of each SA")
	return cmd
}

func runReplay(ctx context.Context, a *app, cmd *cobra.Command, o *replayOptions, args []string) error {
	src, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer src.Close()
	options := replay.Options{All: o.all}
	var p *picked
	if o.at != "" || len(args) > 0 || len(o.sas) > 0 {
		o.until = o.at
		if p, err = o.pick(ctx, a, cmd, src, args); err != nil {
			return err
		}
		if o.at != "" {
			options.Until = p.until
		}
		if p.SAs != nil {
			options.SA = p.picks
		}
	}
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(400)) // what is decoded is garbage at once; there is little else
	}
	result, err := replay.Verify(ctx, src, options)
	if err != nil {
		return err
	}
	if a.json {
		err = a.replayJSON(&result)
	} else {
		a.replayText(&result, o.all)
	}
	if err == nil && o.at != "" && !a.quiet {
		err = a.stateText(&result.State, p)
	}
	if err == nil && !result.Equal() {
		return found()
	}
	return err
}

// picks reports whether an SA of that number is selected.
func (p *picked) picks(number uint64) bool {
	for _, sa := range p.SAs {
		if sa.Number == number {
			return true
		}
	}
	return p.SAs == nil
}

func (a *app) replayText(r *replay.Result, all bool) {
	w := a.out()
	if r.Equal() {
		fmt.Fprintf(w, "%s of %s%s, replayed by %s in %.1fs: equal.\n", replay.Count(r.Steps, "step"), replay.Count(r.Runs, "run"),
			writers(r.Versions), a.version, r.Took.Seconds())
		return
	}
	if a.quiet {
		fmt.Fprintln(w, a.strong(a.divergesAt(&r.Divergences[0])))
		return
	}
	for i := range r.Divergences {
		if i > 0 && !all {
			break
		}
		a.divergence(w, &r.Divergences[i])
	}
	if !all && len(r.Divergences) > 1 {
		var also []string
		for i := range r.Divergences[1:] {
			if d := &r.Divergences[i+1]; len(also) == mostAlso {
				also = append(also, fmt.Sprintf("and %d more", len(r.Divergences)-1-mostAlso))
				break
			} else {
				also = append(also, fmt.Sprintf("%s at %d", whose(d), d.Step))
			}
		}
		fmt.Fprintf(w, "  also      %s (first of each SA; --all for every step)\n", strings.Join(also, ", "))
	}
}

// mostAlso other SAs that diverge are named.
const mostAlso = 8

func writers(versions []string) string {
	switch len(versions) {
	case 0:
		return ""
	case 1:
		return ", written by ikejd " + versions[0]
	}
	return ", written by ikejd " + versions[0] + " to " + versions[len(versions)-1]
}

func (a *app) divergesAt(d *replay.Divergence) string {
	what := text.Event(d.Event)
	if d.Event.GetIkeSa() != 0 {
		_, what, _ = strings.Cut(what, "  ")
	}
	return fmt.Sprintf("diverges at step %d, %s, %s, %s", d.Step, text.Clock(d.Time, a.place()), whose(d), what)
}

func whose(d *replay.Divergence) string {
	if d.SA == 0 {
		return "no SA"
	}
	return text.SA(d.SA)
}

// divergence names both sides, always in this way.
func (a *app) divergence(w io.Writer, d *replay.Divergence) {
	fmt.Fprintln(w, a.strong(a.divergesAt(d)))
	theirs, ours := "", ""
	if d.Version != "" {
		theirs = " (" + d.Version + ")"
	}
	ours = " (" + a.version + ")"
	width := max(len("the journal says"+theirs), len("this binary says"+ours)) + 2
	fmt.Fprintf(w, "  %-*s  %s\n", width, "the journal says"+theirs, side(d.Journal, d, ""))
	fmt.Fprintf(w, "  %-*s  %s\n", width, "this binary says"+ours, side(d.Binary, d, d.Note))
	for _, s := range d.State {
		fmt.Fprintf(w, "  state     %-24s  %s | %s\n", s.Path, s.Journal, s.Binary)
	}
}

// side is what one side orders: an effect, or none and what it does instead.
func side(e *record.Effect, d *replay.Divergence, note string) string {
	switch {
	case d.Kind == replay.Panicked && note != "":
		return "panics: " + note
	case e == nil && note != "":
		return fmt.Sprintf("%-19s  %s", "-", note)
	case e == nil:
		return "-"
	}
	name, rest, _ := strings.Cut(text.Effect(e, d.Time), " ")
	said := name + "  " + strings.TrimLeft(rest, " ")
	if d.Kind == replay.OutOfOrder {
		said += "  (the other side has it later)"
	}
	return said
}

// stateText prints the SAs selected as they are after the last step, one path a line.
func (a *app) stateText(s *reducer.State, p *picked) error {
	w := a.out()
	fmt.Fprintf(w, "after step %d, %s: %s\n", s.Step(), text.Clock(s.Time(), a.place()), replay.Count(uint64(s.SAs()), "IKE SA"))
	if p.SAs == nil {
		return nil
	}
	for _, sa := range p.SAs {
		now := s.SA(sa.Number)
		if now == nil {
			fmt.Fprintf(w, "  %-24s  not there\n", text.SA(sa.Number))
			continue
		}
		for _, c := range reducer.Diff(nil, now) {
			fmt.Fprintf(w, "  %-24s  %s\n", c.Path, c.To)
		}
	}
	return nil
}

type divergenceJSON struct {
	V       int         `json:"v"`
	Type    string      `json:"type"`
	Step    uint64      `json:"step"`
	Time    string      `json:"time"`
	SA      string      `json:"sa,omitempty"`
	Event   string      `json:"event"`
	Kind    string      `json:"kind"`
	Journal string      `json:"journal,omitempty"`
	Binary  string      `json:"binary,omitempty"`
	Note    string      `json:"note,omitempty"`
	Version string      `json:"version,omitempty"`
	State   []stateJSON `json:"state,omitempty"`
}

type stateJSON struct {
	Path    string `json:"path"`
	Journal string `json:"journal"`
	Binary  string `json:"binary"`
}

type replayedJSON struct {
	V           int      `json:"v"`
	Type        string   `json:"type"`
	Steps       uint64   `json:"steps"`
	Runs        uint64   `json:"runs"`
	First       uint64   `json:"first"`
	Last        uint64   `json:"last"`
	WrittenBy   []string `json:"writtenBy"`
	ReplayedBy  string   `json:"replayedBy"`
	Seconds     float64  `json:"seconds"`
	Equal       bool     `json:"equal"`
	Divergences int      `json:"divergences"`
}

func (a *app) replayJSON(r *replay.Result) error {
	for i := range r.Divergences {
		d := &r.Divergences[i]
		line := divergenceJSON{V: 1, Type: "divergence", Step: d.Step, Time: rfc3339(d.Time), Event: text.Event(d.Event),
			Kind: d.Kind.String(), Note: d.Note, Version: d.Version}
		if d.SA != 0 {
			line.SA = text.SA(d.SA)
		}
		if d.Journal != nil {
			line.Journal = text.Effect(d.Journal, d.Time)
		}
		if d.Binary != nil {
			line.Binary = text.Effect(d.Binary, d.Time)
		}
		for _, s := range d.State {
			line.State = append(line.State, stateJSON(s))
		}
		if err := a.object(line); err != nil {
			return err
		}
	}
	return a.object(replayedJSON{V: 1, Type: "replay", Steps: r.Steps, Runs: r.Runs, First: r.First, Last: r.Last, WrittenBy: r.Versions,
		ReplayedBy: a.version, Seconds: r.Took.Seconds(), Equal: r.Equal(), Divergences: len(r.Divergences)})
}
