package cli

import "github.com/spf13/cobra"

func newJournal(a *app) *cobra.Command {
	return group("journal", "List, print, check, export and prune what a journal holds",
		newList(a), newCat(a), newFollow(a), newVerify(a), newHead(a), newExport(a), newPrune(a))
}
