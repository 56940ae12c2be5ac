package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

type catOptions struct {
	selection
	raw, payloads bool
}

func newCat(a *app) *cobra.Command {
	var o catOptions
	cmd := &cobra.Command{
		Use:   "cat [SA…]",
		Short: "Print the steps: what happened, what it changed, what was ordered",
		Long: `cat prints the steps of a journal, oldest first: the event and what it came of, what it changed, what was ordered. The
changes are those that this binary comes to when it runs the events again; "ikejd replay" says whether it decides as the
one that wrote the journal. With SAs named, only their steps and effects are printed.`,
		Example: "  ikejd journal cat ike7 --since 48126 --limit 2\n  ikejd journal cat gw-east --since ike7.deleting --payloads",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCat(cmd.Context(), a, cmd, &o, a.takePath(args))
		},
	}
	o.bindSteps(cmd)
	o.bindLimit(cmd, "steps")
	o.bindOctets(cmd)
	return cmd
}

func (o *catOptions) bindOctets(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.raw, "raw", false, "datagrams in hex")
	cmd.Flags().BoolVar(&o.payloads, "payloads", false, "each payload of the messages, opened")
}

func runCat(ctx context.Context, a *app, cmd *cobra.Command, o *catOptions, args []string) error {
	p, err := o.read(ctx, a, cmd, args)
	if err != nil {
		return err
	}
	defer p.Source.Close()
	pr := a.printer(p, o)
	n := 0
	for step, err := range replay.Walk(ctx, p.Source, p.since) {
		if err != nil {
			return err
		}
		if step.Record.GetStep() > p.until || o.limit > 0 && n == o.limit {
			break
		}
		if !p.About(step.Record) {
			continue
		}
		n++
		if err := pr.step(step); err != nil {
			return err
		}
	}
	return nil
}

// printer prints steps.
type printer struct {
	a    *app
	p    *picked
	w    io.Writer
	json bool
	o    text.Options
	last string // day of the step before
}

func (a *app) printer(p *picked, o *catOptions) *printer {
	return &printer{a: a, p: p, w: a.out(), json: a.json, o: text.Options{Place: a.place(), Payloads: o.payloads, Raw: o.raw, Sent: replay.Sent(p.Source)}}
}

func (pr *printer) step(s replay.Step) error {
	r, changes := s.Record, s.Changes()
	if pr.p.SAs != nil {
		r = pr.p.own(r)
		changes = pr.p.ownChanges(s)
	}
	if pr.json {
		_, err := fmt.Fprintf(pr.w, "%s\n", text.StepJSON(r, changes...))
		return err
	}
	if day := pr.a.day(r.GetTime()); day != pr.last {
		if pr.last != "" {
			fmt.Fprintf(pr.w, "-- %s --\n", day)
		}
		pr.last = day
	}
	return text.Step(pr.w, r, changes, pr.o)
}

// own is a record with the effects of the SAs selected, and those of no SA, alone.
func (p *picked) own(r *record.Record) *record.Record {
	mine := proto.CloneOf(r)
	mine.Effects, mine.Datagrams = nil, nil
	next := 0
	for _, e := range r.GetEffects() {
		keeps := e.GetIkeSa() == 0 || p.picks(e.GetIkeSa())
		if keeps {
			mine.Effects = append(mine.Effects, e)
		}
		if m := e.GetRecord(); m != nil && !m.GetUnprotected() && next < len(r.GetDatagrams()) {
			if keeps {
				mine.Datagrams = append(mine.Datagrams, r.GetDatagrams()[next])
			}
			next++
		}
	}
	return mine
}

func (p *picked) ownChanges(s replay.Step) []record.Change {
	mine := s
	mine.Touched = nil
	for _, number := range s.Touched {
		if p.picks(number) {
			mine.Touched = append(mine.Touched, number)
		}
	}
	return mine.Changes()
}
