package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/demo"
)

func newDemo(a *app) *cobra.Command {
	var keep string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show in ten seconds what this is: a tunnel, a loss, a kill, a shutdown, and why",
		Long: `Runs two daemons on loopback with a wire between them that loses what the story wants lost: a tunnel is set up although
a response is lost, one daemon is killed and goes on where it was, both are shut down. Then the journals are asked why.
Needs no root and no network, and leaves nothing behind.`,
		Example: "  ikejd demo\n  ikejd demo --keep demo && ikejd why gw-east --journal demo/west/journal",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			story := demo.Story{Program: program, Keep: keep, Out: a.std.Out}
			return story.Tell(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&keep, "keep", "", "keep journals, logs and configurations in this new `FOLDER`")
	return cmd
}
