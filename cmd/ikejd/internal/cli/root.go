package cli

import "github.com/spf13/cobra"

// Root is the command with all others below it, for the manual pages.
func Root() *cobra.Command { return newRoot(&app{}) }
