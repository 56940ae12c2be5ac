package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/replay"
)

func newReload(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Have the configuration read again",
		Long: `reload has the running daemon read its configuration file again, as SIGHUP does. SAs stay as they are; connections that
are new or changed and have start_action = start are initiated. A file with an error changes nothing: "ikejd check" says
beforehand.

Exit status: 0 it is in force; 1 it has an error, and the one before stays; 2 no daemon answers.`,
		Example: "  ikejd check && ikejd reload",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runReload(cmd.Context(), a) },
	}
}

type reloadedJSON struct {
	V           int    `json:"v"`
	Type        string `json:"type"`
	Connections uint64 `json:"connections"`
	New         uint64 `json:"new"`
	Changed     uint64 `json:"changed"`
	Removed     uint64 `json:"removed"`
}

func runReload(ctx context.Context, a *app) error {
	m, err := a.ask(ctx, vici.CmdReload, "", vici.Message{}, nil)
	if err != nil {
		return err
	}
	r := reloadedJSON{V: 1, Type: "reloaded", Connections: count(m, "connections"), New: count(m, "new"), Changed: count(m, "changed"), Removed: count(m, "removed")}
	if a.json {
		return a.object(r)
	}
	if !a.quiet {
		fmt.Fprintf(a.out(), "%s in force: %d new, %d changed, %d removed\n", replay.Count(r.Connections, "connection"), r.New, r.Changed, r.Removed)
	}
	return nil
}
