package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

func newVerify(a *app) *cobra.Command {
	var heads []string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that a journal is as it was written",
		Long: `verify reads every record, the chain over all of them, snapshots and vault, and says whether they are as they were
written. With --head it also says whether the chain went through a head noted at another time ("ikejd journal head").

Exit status: 0 whole, 1 damaged or not what a head says, 2 unreadable.`,
		Example: "  ikejd journal verify\n  ikejd journal verify case.ikej",
		RunE: func(cmd *cobra.Command, args []string) error {
			if args = a.takePath(args); len(args) > 0 {
				return fmt.Errorf("%q is no .ikej file; try: ikejd journal verify --journal PATH", args[0])
			}
			return runVerify(cmd.Context(), a, heads)
		},
	}
	cmd.Flags().StringArrayVar(&heads, "head", nil, "a `HEAD` that the chain must have gone through, all 64 hex digits; may repeat")
	return cmd
}

func runVerify(ctx context.Context, a *app, heads []string) error {
	var links []journal.Link
	for _, h := range heads {
		b, err := hex.DecodeString(h)
		if err != nil || len(b) != len(journal.Link{}) {
			return fmt.Errorf("%q is no head of 64 hex digits; try: ikejd journal head", h)
		}
		links = append(links, journal.Link(b))
	}
	path := a.journal
	if path == "" {
		path = defaultJournal
	}
	if !a.quiet {
		fmt.Fprintln(a.std.Err, "source: journal in "+path)
	}
	r, err := journal.Verify(path, links...)
	if err != nil {
		return err
	}
	missing := 0
	for _, l := range links {
		if _, ok := r.Heads[l]; !ok {
			missing++
		}
	}
	if a.json {
		err = a.object(verified(&r, missing))
	} else {
		a.verifyText(ctx, path, &r, links)
	}
	if err == nil && (len(r.Damage) > 0 || missing > 0) {
		return found()
	}
	return err
}

func (a *app) verifyText(ctx context.Context, path string, r *journal.Report, links []journal.Link) {
	w := a.out()
	line := replay.Count(r.Steps, "step")
	switch {
	case len(r.Damage) > 0:
		line += ", damaged in " + replay.Count(uint64(len(r.Damage)), "place")
	case r.Unproven > 0:
		line += ", " + replay.Grouped(r.Unproven) + " of them without proof"
	default:
		line += ", chain unbroken"
	}
	line += fmt.Sprintf(", head %.4s…, not signed", r.Head.String())
	if r.TornTail {
		line += "; last record cut off: normal after a kill, nothing visible depended on it"
	}
	if r.LiveTail {
		line += "; the open segment was not looked at: a daemon has it"
	}
	if len(r.Damage) > 0 {
		line = a.strong(line)
	}
	fmt.Fprintln(w, line)
	if a.quiet {
		return
	}
	for _, d := range r.Damage {
		place := d.Segment
		if d.First != 0 {
			place += fmt.Sprintf(", steps %d to %d", d.First, d.Last)
		}
		fmt.Fprintf(w, "  damage  %s: %s%s\n", place, d.What, touched(ctx, path, d))
	}
	for _, l := range links {
		if step, ok := r.Heads[l]; ok {
			fmt.Fprintf(w, "  head    %.4s… is that after step %d: nothing before was changed since\n", l.String(), step)
		} else {
			fmt.Fprintf(w, "  head    %.4s… is not of this journal\n", l.String())
		}
	}
}

// touched names the IKE SAs that lived where the damage begins: what the records there said is about them.
func touched(ctx context.Context, path string, d journal.Damage) string {
	src, err := replay.Open(path)
	if err != nil || d.First == 0 {
		return ""
	}
	defer src.Close()
	alive := map[uint64]bool{}
	if s, err := replay.Snapshot(src, d.First); err == nil {
		for _, sa := range s.GetIkeSas() {
			alive[sa.GetNumber()] = true
		}
	}
	for r, err := range replay.Records(src, 0) {
		if err != nil || r.GetStep() >= d.First || ctx.Err() != nil {
			break
		}
		for _, e := range r.GetEffects() {
			switch {
			case e.GetDiscarded() != nil:
				delete(alive, e.GetIkeSa())
			case e.GetChanged() != nil && e.GetChildSa() == 0 && e.GetChanged().GetFrom() == record.Phase_PHASE_NONE:
				alive[e.GetIkeSa()] = true
			}
		}
	}
	switch n := len(alive); {
	case n == 0:
		return "; no SA lived then"
	case n > mostAlso:
		return fmt.Sprintf("; %d SAs lived then", n)
	}
	return "; touches " + joinSAs(alive)
}

type verifiedJSON struct {
	V        int          `json:"v"`
	Type     string       `json:"type"`
	Steps    uint64       `json:"steps"`
	First    uint64       `json:"first"`
	Last     uint64       `json:"last"`
	Time     string       `json:"time,omitempty"`
	Head     string       `json:"head"`
	Unproven uint64       `json:"unproven"`
	TornTail bool         `json:"tornTail"`
	LiveTail bool         `json:"liveTail"`
	Missing  int          `json:"headsMissing"`
	Damage   []damageJSON `json:"damage"`
}

type damageJSON struct {
	Segment string `json:"segment"`
	First   uint64 `json:"first,omitempty"`
	Last    uint64 `json:"last,omitempty"`
	What    string `json:"what"`
}

func verified(r *journal.Report, missing int) verifiedJSON {
	line := verifiedJSON{V: 1, Type: "verify", Steps: r.Steps, First: r.First, Last: r.Last, Time: rfc3339(r.Time), Head: r.Head.String(),
		Unproven: r.Unproven, TornTail: r.TornTail, LiveTail: r.LiveTail, Missing: missing, Damage: []damageJSON{}}
	for _, d := range r.Damage {
		line.Damage = append(line.Damage, damageJSON{d.Segment, d.First, d.Last, d.What})
	}
	return line
}

func newHead(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "head",
		Short:   "Print the head of the chain, to be noted elsewhere",
		Long:    "head prints the last step and the head of the chain after it. Who keeps it elsewhere can show later that nothing before\nwas changed: ikejd journal verify --head HEAD.",
		Example: "  ikejd journal head",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			src, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer src.Close()
			last := src.Last()
			if a.json {
				return a.object(map[string]any{"v": 1, "type": "head", "step": last.Step, "head": last.Head.String()})
			}
			_, err = fmt.Fprintf(a.std.Out, "%d %s\n", last.Step, last.Head)
			return err
		},
	}
}

func joinSAs(numbers map[uint64]bool) string {
	var names []string
	for _, n := range slices.Sorted(maps.Keys(numbers)) {
		names = append(names, text.SA(n))
	}
	return strings.Join(names, ", ")
}
