package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ikejd/ikejd/replay/minimise"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// ShrinkPlay leaves out of a scenario the statements that its failure with that seed does not need, and the checks that
// hold; of one that is a seed, what happens in it.
func ShrinkPlay(ctx context.Context, p *Play, seed uint64) (*Shrunk, error) {
	if number, o, is, err := p.seeded(); is || err != nil {
		if err != nil {
			return nil, err
		}
		return ShrinkSeed(ctx, number, o)
	}
	if p.Searches() {
		return nil, fmt.Errorf("a search stops at its first failure and names it; there is nothing to leave out of it")
	}
	w, wrong := p.Run(seed)
	if wrong == nil {
		return nil, fmt.Errorf("seed %d: %w; try: ikejd simulate --seeds 100, which says with which seed there is", seed, ErrNothing)
	}
	result := &Shrunk{Events: int(w.Tally.Events), Slice: len(w.causes()), Before: len(p.file.Statements)}
	checks := slices.DeleteFunc(slices.Clone(p.file.Checks), func(c scenario.Check) bool { return c.Text != wrong.kind })
	shows := func(some []scenario.Statement) bool {
		smaller, err := ParsePlay(playText(p.file, some, checks))
		if err != nil {
			return false
		}
		_, again := smaller.Run(seed)
		return wrong.Same(again)
	}
	least := p.file.Statements
	if !shows(least) { // another check hangs on it
		checks = p.file.Checks
	}
	least, result.Whole = minimise.Shrink(ctx, least, shows)
	result.Left, result.Text = len(least), playText(p.file, least, checks)
	return result, nil
}

// playText is a scenario with those statements and checks.
func playText(f *scenario.File, statements []scenario.Statement, checks []scenario.Check) string {
	var b strings.Builder
	if f.Title != "" {
		fmt.Fprintln(&b, "# "+f.Title)
	}
	for i := range statements {
		fmt.Fprintln(&b, statements[i].Text)
	}
	for _, words := range f.Expected {
		fmt.Fprintln(&b, "E: "+words)
	}
	for i := range checks {
		fmt.Fprintln(&b, checks[i].Text)
	}
	return b.String()
}
