package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

func newInitiate(a *app) *cobra.Command {
	var o waiting
	cmd := &cobra.Command{
		Use:   "initiate CONNECTION [CHILD]",
		Short: "Set up a connection",
		Long: `initiate has the running daemon set up an IKE SA of a connection with one of its children, the first unless another is
named, and waits until both are up. What is up already is done. What happens meanwhile is printed.

Exit status: 0 it is up; 1 it could not be set up, or not in time; 2 no daemon answers.`,
		Example: "  ikejd initiate gw-east\n  ikejd initiate gw-east net --timeout 10s",
		Args:    cobra.RangeArgs(1, 2),
		RunE:    func(cmd *cobra.Command, args []string) error { return runInitiate(cmd.Context(), a, &o, args) },
	}
	cmd.Flags().DurationVar(&o.timeout, "timeout", 0, "wait so long at most; the attempt goes on (0: until it is decided)")
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "do not wait")
	return cmd
}

func runInitiate(ctx context.Context, a *app, o *waiting, args []string) error {
	var request vici.Message
	request.Set(vici.KeyIKE, args[0])
	if len(args) > 1 {
		request.Set(vici.KeyChild, args[1])
	}
	if err := o.set(&request); err != nil {
		return err
	}
	_, err := a.ask(ctx, vici.CmdInitiate, vici.EventControlLog, request, a.logLine)
	return err
}
