package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
)

func newFollow(a *app) *cobra.Command {
	var o catOptions
	cmd := &cobra.Command{
		Use:   "follow [SA…]",
		Short: "Print each new step of the running daemon",
		Long: `follow prints the steps as the daemon makes them, each when it is durable, until it is interrupted; it
waits for the next start where the daemon ends. Of a journal without a daemon it prints what there is and ends.`,
		Example: "  ikejd journal follow gw-east\n  ikejd journal follow --since -10m --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runFollow(cmd.Context(), a, cmd, &o, a.takePath(args))
		},
	}
	o.bindSA(cmd)
	o.bindSince(cmd, "from this `POINT` on (else from now on; of a journal without a daemon: from its beginning)")
	o.bindOctets(cmd)
	return cmd
}

func runFollow(ctx context.Context, a *app, cmd *cobra.Command, o *catOptions, args []string) error {
	p, err := o.read(ctx, a, cmd, args)
	if err != nil {
		return err
	}
	defer p.Source.Close()
	steps := replay.Walk(ctx, p.Source, p.since)
	if live, ok := p.Source.(replay.Follower); ok {
		if o.since == "" {
			p.since = p.Source.Last().Step + 1
		}
		steps = replay.WalkOn(ctx, p.Source, live, p.since)
	}
	pr := a.printer(p, o)
	for step, err := range steps {
		if errors.Is(err, context.Canceled) {
			return nil // that is how one ends it
		}
		if err != nil {
			return err
		}
		if number := starts(step.Record.GetEvent()); number != 0 && !a.json {
			fmt.Fprintf(pr.w, "-- run %d starts --\n", number)
		}
		if p.About(step.Record) {
			if err := pr.step(step); err != nil {
				return err
			}
		}
	}
	return nil
}

// starts is the number of the run that begins with this event, 0 where none does.
func starts(ev *record.Event) uint64 {
	return max(ev.GetStarted().GetRun(), ev.GetRecovered().GetRun())
}
