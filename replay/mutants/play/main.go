package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/ikejd/ikejd/replay/mutants"
	"github.com/ikejd/ikejd/replay/simulate"
)

func main() {
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, "play:", err)
		os.Exit(1)
	}
}

func play() error {
	want := flag.String("want", "", "stop when this `RULE` has found something")
	nodes := flag.Int("nodes", 2, "`COUNT` of nodes")
	length := flag.Duration("for", time.Minute, "how long the faults last")
	faults := flag.String("faults", "all", "`LIST` of faults")
	flag.Parse()
	choice, err := simulate.ParseFaults(*faults)
	if err != nil {
		return err
	}
	found, seeds, err := mutants.Player{Want: *want, Nodes: *nodes, For: *length, Faults: choice}.Play(context.Background())
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"found": found, "seeds": seeds})
}
