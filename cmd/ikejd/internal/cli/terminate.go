package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

func newTerminate(a *app) *cobra.Command {
	var o waiting
	cmd := &cobra.Command{
		Use:   "terminate SA…",
		Short: "Close SAs",
		Long: `terminate has the running daemon delete SAs, and waits until they are gone. An SA is ike7, child12 (its IKE SA stays) or
the name of a connection, which is all its IKE SAs. The Delete waits behind requests that are still unanswered; one that the
peer never answers ends as "unacknowledged", which is printed, and the SA is gone all the same.

Exit status: 0 they are gone; 1 there was no such SA, or one is not gone in time; 2 no daemon answers.`,
		Example: "  ikejd terminate gw-east\n  ikejd terminate ike7 child12 --timeout 10s",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runTerminate(cmd.Context(), a, &o, args) },
	}
	cmd.Flags().DurationVar(&o.timeout, "timeout", 0, "wait so long at most for each; the Delete goes on (0: until it is gone)")
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "do not wait")
	return cmd
}

type terminatedJSON struct {
	V          int    `json:"v"`
	Type       string `json:"type"`
	Asked      string `json:"asked"`
	Matches    uint64 `json:"matches"`
	Terminated uint64 `json:"terminated"`
	Problem    string `json:"problem,omitempty"`
}

func runTerminate(ctx context.Context, a *app, o *waiting, args []string) error {
	var failed []error
	for _, arg := range args {
		var request vici.Message
		selectSA(&request, arg)
		if err := o.set(&request); err != nil {
			return err
		}
		m, err := a.ask(ctx, vici.CmdTerminate, vici.EventControlLog, request, a.logLine)
		var s *status
		if err != nil && !errors.As(err, &s) {
			return err
		}
		if a.json {
			line := terminatedJSON{V: 1, Type: "terminated", Asked: arg, Matches: count(m, vici.KeyMatches),
				Terminated: count(m, vici.KeyTerminated), Problem: m.Get(vici.KeyErrmsg)}
			if err := a.object(line); err != nil {
				return err
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", arg, err))
		}
	}
	if len(failed) > 0 {
		return &status{exitFound, errors.Join(failed...)}
	}
	return nil
}
