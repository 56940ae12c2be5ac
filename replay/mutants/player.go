package mutants

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ikejd/ikejd/replay/simulate"
)

// Seeds is how many are played before a wrong reducer counts as not caught.
const Seeds = 1000

// Player plays seeds from 1 on.
type Player struct {
	Want   string        // stop when this rule has found something; empty: play all seeds
	Nodes  int           // of each network
	For    time.Duration // how long the faults last
	Faults simulate.Choice
}

// First is the first time that a rule found something.
type First struct {
	Rule string `json:"rule"`
	Seed uint64 `json:"seed"`
	Text string `json:"text"` // what ended that seed, which may have been another rule
}

// Play gives each rule that found something, oldest seed first, and how many seeds were played.
func (p Player) Play(ctx context.Context) (found []First, seeds uint64, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	seen := map[string]bool{}
	err = simulate.Many(ctx, 1, Seeds, simulate.Options{Nodes: p.Nodes, For: p.For, Faults: p.Faults}, func(o simulate.Outcome) {
		if p.Want != "" && seen[p.Want] {
			return // played ahead
		}
		seeds = o.Seed
		for _, rule := range rules(o) {
			if !seen[rule] {
				seen[rule] = true
				first := First{Rule: rule, Seed: o.Seed}
				if o.Wrong != nil {
					first.Text = o.Wrong.Error()
				}
				found = append(found, first)
			}
		}
		if seen[p.Want] {
			stop()
		}
	})
	if seen[p.Want] {
		err = nil
	}
	return found, seeds, err
}

// rules are those that found something in a seed: what ended it first, then what the audit's rules said of it, but where
// they could not decide.
func rules(o simulate.Outcome) []string {
	var all []string
	if o.Wrong != nil {
		all = append(all, o.Wrong.Rule)
	}
	for _, rule := range slices.Sorted(maps.Keys(o.World.Tally.Found())) {
		if !slices.Contains(all, rule) {
			all = append(all, rule)
		}
	}
	return all
}
