package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record/text"
)

func newLog(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "log",
		Short: "Print what happens to the running daemon's SAs",
		Long: `log prints a line whenever an SA of the running daemon comes up, goes, or fails to, until it is interrupted. It begins now:
"ikejd journal ls" and "ikejd journal cat" have what was before, and "ikejd journal follow" every step.

Exit status: 0 interrupted; 2 no daemon answers, or it ended.`,
		Example: "  ikejd log\n  ikejd log --json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runLog(cmd.Context(), a) },
	}
}

func runLog(ctx context.Context, a *app) error {
	c, err := vici.Dial(a.socket)
	if err != nil {
		return err
	}
	defer c.Close()
	w := a.out()
	return c.Listen(ctx, []string{vici.EventLog}, func(_ string, m vici.Message) error {
		now := a.std.Now().UnixNano()
		if a.json {
			return a.object(logJSON{V: 1, Type: "log", Time: rfc3339(now), SA: "ike" + m.Get("ikesa-uniqueid"), Name: m.Get("ikesa-name"), Text: m.Get("msg")})
		}
		_, err := fmt.Fprintf(w, "%s  %s\n", text.Clock(now, a.place()), m.Get("msg"))
		return err
	})
}
