package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/why"
)

type whyOptions struct {
	selection
	full   bool
	not    string
	unlike string
	at     string
	with   string
}

func newWhy(a *app) *cobra.Command {
	var o whyOptions
	cmd := &cobra.Command{
		Use:   "why SA|shutdown|STEP|MESSAGE",
		Short: "Explain why an SA is gone, a step happened, a message was sent",
		Long: `why explains from what the journal recorded, and guesses nothing. The verdict comes first, then the chain of steps that
proves it, newest first, down to what came from outside: the operator, the configuration, the peer, the kernel, the
start. Then what did not happen, what is left behind on either end, what the audit rules say of that SA, and the next
commands.

Of several SAs that are meant the last one discarded is explained; the others are listed. A child, child12 or one of its
SPIs, is explained itself, or its IKE SA's end where it went with that. A message is written ike7/41: request 41 of ike7.

--not STATE explains why an SA is not halfopen, established, deleting, lingering or discarded: which answer it waits for,
or what ended it before. --unlike SA finds the first step where another SA went another way. --at POINT explains how it
stood after that step, as if the journal ended there. --with FILE, the peer's journal or a case of it, says which of our
datagrams arrived there, and what became of the answers.`,
		Example: "  ikejd why gw-east\n  ikejd why shutdown --run -1\n  ikejd why 48127\n  ikejd why ike7/41\n  ikejd why --not established ike3\n" +
			"  ikejd why ike7 --unlike ike44\n  ikejd why ike7 --at 03:08",
		RunE: func(cmd *cobra.Command, args []string) error {
			if args = a.takePath(args); len(args) != 1 {
				return fmt.Errorf("why wants one SA, shutdown, a step or a message; try: ikejd why ike7, ikejd why shutdown, ikejd journal ls")
			}
			return runWhy(cmd.Context(), a, cmd, &o, args[0])
		},
	}
	o.bindRun(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.full, "full", false, "the whole chain: set-ups and repeated checks unfolded")
	f.StringVar(&o.not, "not", "", "why the SA is not in that `STATE`, or no more")
	f.StringVar(&o.unlike, "unlike", "", "where the SA and this `SA` part ways")
	f.StringVar(&o.with, "with", "", "the peer's journal, a `FILE`: which datagrams arrived where")
	f.StringVar(&o.at, "at", "", "as it stood after the step at this `POINT`")
	return cmd
}

func runWhy(ctx context.Context, a *app, cmd *cobra.Command, o *whyOptions, what string) error {
	var state record.Phase
	switch {
	case o.not != "" && o.unlike != "":
		return errors.New("--not and --unlike are two questions; ask one after the other")
	case o.not != "":
		var err error
		if state, err = replay.ParsePhase(o.not); err != nil {
			return err
		}
	}
	o.until = o.at
	p, err := o.read(ctx, a, cmd, nil)
	if err != nil {
		return err
	}
	defer p.Source.Close()
	if o.at != "" {
		if p, err = p.asOf(ctx, p.until); err != nil {
			return noSuch(err)
		}
	}
	if what == "shutdown" && o.not == "" && o.unlike == "" {
		return a.whyShutdown(p)
	}
	answer, err := a.explain(ctx, p, o, what, state)
	if err == nil && o.with != "" {
		err = join(ctx, answer, p, o)
	}
	if err != nil {
		return noSuch(err)
	}
	var rules *judged
	if answer.SA != nil && !a.quiet {
		if rules, err = a.judge(ctx, p, answer.SA); err != nil {
			return err
		}
	}
	if a.json {
		return a.object(answerJSON(answer, rules))
	}
	return a.whyText(a.out(), answer, rules)
}

// join adds what the peer's journal has.
func join(ctx context.Context, answer *why.Answer, p *picked, o *whyOptions) error {
	if answer.SA == nil {
		return errors.New("--with is about an SA or its message; try: ikejd why ike7 --with FILE")
	}
	peer, err := replay.Open(o.with)
	if err != nil {
		return err
	}
	defer peer.Close()
	return why.With(ctx, answer, p.Source, p.Catalog, peer, why.Options{Full: o.full, Place: p.Place})
}

// asOf is the journal as it was after a step.
func (p *picked) asOf(ctx context.Context, step uint64) (*picked, error) {
	src, err := replay.UpTo(p.Source, step)
	if err != nil {
		return nil, err
	}
	then := *p
	then.Source, then.until = src, min(p.until, step)
	then.Catalog, err = replay.List(ctx, src)
	return &then, err
}

// explain finds what is meant: a step is all digits, a message has a slash, all else is an SA.
func (a *app) explain(ctx context.Context, p *picked, o *whyOptions, what string, state record.Phase) (*why.Answer, error) {
	options := why.Options{Full: o.full, Place: a.place()}
	if step, err := strconv.ParseUint(what, 10, 64); err == nil && o.not == "" && o.unlike == "" {
		if meant, _ := p.named(what); len(meant) == 0 || step <= p.Catalog.Last {
			return why.Step(p.Source, p.Catalog, step, options)
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
		return why.TurnedAway(ctx, p.Source, p.Catalog, from, options)
	}
	if err != nil {
		return nil, err
	}
	if i > 0 {
		if o.not != "" || o.unlike != "" {
			return nil, fmt.Errorf("%s is a message; --not and --unlike want an SA", what)
		}
		return why.Message(ctx, p.Source, p.Catalog, last(meant), uint32(message), options)
	}
	sa := last(meant)
	answer, err := a.explainSA(ctx, p, o, sa, name, state)
	if err != nil {
		return nil, err
	}
	for _, other := range meant {
		if other != sa && o.unlike == "" {
			answer.Others = append(answer.Others, other)
		}
	}
	return answer, nil
}

// explainSA answers what was asked of one SA, or of its child that name means.
func (a *app) explainSA(ctx context.Context, p *picked, o *whyOptions, sa *replay.SA, name string, state record.Phase) (*why.Answer, error) {
	options := why.Options{Full: o.full, Place: a.place()}
	switch {
	case o.not != "":
		return why.Not(ctx, p.Source, p.Catalog, sa, name, state, options)
	case o.unlike != "":
		others, err := p.named(o.unlike)
		if err != nil {
			return nil, err
		}
		return why.Unlike(ctx, p.Source, p.Catalog, sa, last(others), options)
	}
	if sel, err := replay.ParseSelector(name); err == nil && sel.Child(sa) != nil {
		return why.Child(ctx, p.Source, p.Catalog, sa, sel.Child(sa), name, options)
	}
	if sa.End == nil {
		return why.Alive(ctx, p.Source, p.Catalog, sa, name, options)
	}
	return why.Ended(ctx, p.Source, p.Catalog, sa, name, options)
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
