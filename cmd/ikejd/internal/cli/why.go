package cli

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/why"
)

type whyOptions struct {
	selection
	full bool
}

func newWhy(a *app) *cobra.Command {
	var o whyOptions
	cmd := &cobra.Command{
		Use:   "why SA|shutdown|STEP|MESSAGE",
		Short: "Explain why an SA is gone, a step happened, a message was sent",
		Long: `why explains from what the journal recorded, and guesses nothing. The verdict comes first, then the chain of steps that
proves it, newest first, down to what came from outside: the operator, the configuration, the peer, the kernel, the
start. Then what did not happen, what is left behind on either end, and the next commands.

Of several SAs that are meant the last one discarded is explained; the others are listed. A message is written ike7/41:
request 41 of ike7.`,
		Example: "  ikejd why gw-east\n  ikejd why shutdown --run -1\n  ikejd why 48127\n  ikejd why ike7/41",
		RunE: func(cmd *cobra.Command, args []string) error {
			if args = a.takePath(args); len(args) != 1 {
				return fmt.Errorf("why wants one SA, shutdown, a step or a message; try: ikejd why ike7, ikejd why shutdown, ikejd journal ls")
			}
			return runWhy(cmd.Context(), a, cmd, &o, args[0])
		},
	}
	o.bindRun(cmd)
	cmd.Flags().BoolVar(&o.full, "full", false, "the whole chain: set-ups and repeated checks unfolded")
	return cmd
}

func runWhy(ctx context.Context, a *app, cmd *cobra.Command, o *whyOptions, what string) error {
	src, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer src.Close()
	p, err := o.pick(ctx, a, cmd, src, nil)
	if err != nil {
		return err
	}
	if what == "shutdown" {
		return a.whyShutdown(p)
	}
	answer, err := a.explain(ctx, p, what, why.Options{Full: o.full, Place: a.place()})
	if err != nil {
		return noSuch(err)
	}
	if a.json {
		return a.object(answerJSON(answer))
	}
	return a.whyText(a.out(), answer)
}

// explain finds what is meant: a step is all digits, a message has a slash, all else is an SA.
func (a *app) explain(ctx context.Context, p *picked, what string, o why.Options) (*why.Answer, error) {
	if step, err := strconv.ParseUint(what, 10, 64); err == nil {
		if meant, _ := p.named(what); len(meant) == 0 || step <= p.Catalog.Last {
			return why.Step(p.Source, p.Catalog, step, o)
		}
	}
	name, message := what, uint64(0)
	i := strings.LastIndexByte(what, '/')
	if i > 0 {
		id, err := strconv.ParseUint(what[i+1:], 10, 32)
		if err == nil {
			name, message = what[:i], id
		} else {
			i = -1
		}
	}
	meant, err := p.named(name)
	if from, notAddr := netip.ParseAddr(name); err != nil && notAddr == nil {
		return why.TurnedAway(ctx, p.Source, p.Catalog, from, o)
	}
	if err != nil {
		return nil, err
	}
	if i > 0 {
		return why.Message(ctx, p.Source, p.Catalog, last(meant), uint32(message), o)
	}
	sa := last(meant)
	var answer *why.Answer
	if sa.End == nil {
		answer, err = why.Alive(ctx, p.Source, p.Catalog, sa, name, o)
	} else {
		answer, err = why.Ended(ctx, p.Source, p.Catalog, sa, name, o)
	}
	if err != nil {
		return nil, err
	}
	for _, other := range meant {
		if other != sa {
			answer.Others = append(answer.Others, other)
		}
	}
	return answer, nil
}

// named are the SAs that name means, of the run selected.
func (p *picked) named(name string) ([]*replay.SA, error) {
	sel, err := replay.ParseSelector(name)
	if err != nil {
		return nil, err
	}
	meant, err := p.Catalog.Select([]replay.Selector{sel})
	if p.Run == nil || err != nil {
		return meant, err
	}
	var here []*replay.SA
	for _, sa := range meant {
		if sa.First <= p.until && (sa.End == nil || sa.EndStep >= p.since) {
			here = append(here, sa)
		}
	}
	if len(here) == 0 {
		return nil, &replay.NotThere{What: fmt.Sprintf("run %d has no SA as %q; try: ikejd journal ls", p.Run.Number, name)}
	}
	return here, nil
}

// last is the SA discarded last; of SAs that all live the youngest.
func last(meant []*replay.SA) *replay.SA {
	best := meant[0]
	for _, sa := range meant[1:] {
		if sa.EndStep > best.EndStep || best.End == nil && sa.End == nil {
			best = sa
		}
	}
	return best
}

func (a *app) whyShutdown(p *picked) error {
	run := p.Run
	if run == nil {
		if len(p.Catalog.Runs) == 0 {
			return noSuch(&replay.NotThere{What: "the journal has no run; try: ikejd journal verify"})
		}
		run = p.Catalog.Runs[len(p.Catalog.Runs)-1]
		for _, r := range p.Catalog.Runs { // the last one that was shut down, else the last
			if r.Asked != nil {
				run = r
			}
		}
	}
	line := why.Shutdown(run, p.Catalog.Live && run.Last == p.Catalog.Last, a.place())
	if a.json {
		return a.object(shutdownJSON{V: 1, Type: "shutdown", Run: run.Number, Verdict: []string{line}, Step: run.ReportStep,
			Time: rfc3339(run.ReportTime), Causes: counted(run.Report)})
	}
	_, err := fmt.Fprintln(a.out(), line)
	return err
}

type shutdownJSON struct {
	V       int               `json:"v"`
	Type    string            `json:"type"`
	Run     uint64            `json:"run"`
	Verdict []string          `json:"verdict"`
	Step    uint64            `json:"step,omitempty"` // of the report
	Time    string            `json:"time,omitempty"`
	Causes  map[string]uint64 `json:"causes"`
}

func counted(r *record.Report) map[string]uint64 {
	counts := map[string]uint64{}
	for _, c := range r.GetCounts() {
		counts[causeJSON(c.GetCause())] = c.GetCount()
	}
	return counts
}

func causeJSON(c record.Cause) string { return strings.ReplaceAll(text.Cause(c), " ", "-") }

const (
	whatWidth = 42 // of a row, up to its edges
	mostWhat  = 64
	edgeWidth = 7 // of the first edge's kind
)

// whyText prints the verdict, then what proves it.
func (a *app) whyText(w io.Writer, answer *why.Answer) error {
	fmt.Fprintln(w, answer.Subject)
	if len(answer.Verdict) > 0 {
		fmt.Fprintln(w)
	}
	for _, sentence := range answer.Verdict {
		fmt.Fprintln(w, "  "+sentence)
	}
	if a.quiet {
		return nil
	}
	fmt.Fprintln(w)
	a.chain(w, answer.Rows)
	footer := func(label, said string) {
		if said != "" {
			fmt.Fprintf(w, "  %-13s%s\n", label, said)
		}
	}
	footer("but", answer.Ends)
	footer("not seen", strings.Join(answer.Absent, "; "))
	if answer.Here != "" {
		footer("left behind", fmt.Sprintf("here %s.  peer: %s", answer.Here, answer.Peer))
	}
	label := "next"
	for _, command := range answer.Next {
		if strings.HasSuffix(a.journal, ".ikej") && strings.Contains(command, " export ") {
			continue // that is what is being read
		}
		footer(label, command+a.sameJournal())
		label = ""
	}
	if len(answer.Others) > 0 {
		fmt.Fprintln(w)
		fmt.Fprintln(w, "  others of that name")
		for _, sa := range answer.Others {
			fmt.Fprintf(w, "  %-6s  %-12s  %s\n", text.SA(sa.Number), a.clock(sa.Ended, 12), sa.Ending())
		}
	}
	return nil
}

// sameJournal lets a command that is to be pasted read the same journal.
func (a *app) sameJournal() string {
	if a.journal == "" {
		return ""
	}
	if strings.ContainsFunc(a.journal, func(r rune) bool { return !strings.ContainsRune(plainInShell, r) }) {
		return " --journal '" + strings.ReplaceAll(a.journal, "'", `'\''`) + "'"
	}
	return " --journal " + a.journal
}

const plainInShell = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@"

// chain prints rows in columns.
func (a *app) chain(w io.Writer, rows []why.Row) {
	digits, what := 0, whatWidth
	for _, row := range rows {
		digits = max(digits, len(strconv.FormatUint(row.Step, 10)))
		what = max(what, min(len(row.What), mostWhat))
	}
	for _, row := range rows {
		var edges []string
		for i, e := range row.Edges {
			width := edgeWidth
			if i > 0 {
				width = 0
			}
			edges = append(edges, e.String(width))
		}
		fmt.Fprintf(w, "  %*d  %s  %-*s  %s\n", digits, row.Step, text.Clock(row.Time, a.place()), what, row.What, strings.Join(edges, "   "))
	}
}

type whyJSON struct {
	V          int          `json:"v"`
	Type       string       `json:"type"`
	SA         string       `json:"sa,omitempty"`
	Cause      string       `json:"cause,omitempty"`
	Subject    string       `json:"subject"`
	Verdict    []string     `json:"verdict"`
	Chain      []rowJSON    `json:"chain"`
	Ends       string       `json:"ends,omitempty"`
	Absent     []string     `json:"absent"`
	LeftBehind *leftJSON    `json:"leftBehind,omitempty"`
	Next       []string     `json:"next"`
	Others     []listedJSON `json:"others,omitempty"`
}

type rowJSON struct {
	Step uint64 `json:"step"`
	Time string `json:"time"`
	Edge string `json:"edge"`
	To   uint64 `json:"to,omitempty"`
	Root string `json:"root,omitempty"`
	What string `json:"what"`
}

type leftJSON struct {
	Here string `json:"here"`
	Peer string `json:"peer"`
}

func answerJSON(answer *why.Answer) whyJSON {
	line := whyJSON{V: 1, Type: "why", Subject: answer.Subject, Verdict: answer.Verdict, Chain: []rowJSON{}, Ends: answer.Ends,
		Absent: append([]string{}, answer.Absent...), Next: answer.Next}
	if answer.SA != nil {
		line.SA = text.SA(answer.SA.Number)
	}
	if answer.Cause != record.Cause_CAUSE_NONE {
		line.Cause = causeJSON(answer.Cause)
	}
	if answer.Here != "" {
		line.LeftBehind = &leftJSON{answer.Here, answer.Peer}
	}
	for _, row := range answer.Rows {
		for _, e := range row.Edges {
			r := rowJSON{Step: row.Step, Time: rfc3339(row.Time), Edge: text.Edge(e.Kind), To: e.To, What: row.What}
			if e.To == 0 {
				r.Root = text.Root(e.Root)
			}
			line.Chain = append(line.Chain, r)
		}
	}
	for _, sa := range answer.Others {
		line.Others = append(line.Others, listed(sa))
	}
	return line
}
