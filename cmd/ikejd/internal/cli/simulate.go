package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/replay/simulate"
)

// simulateOptions are the flags of `ikejd simulate`.
type simulateOptions struct {
	seeds, seed uint64
	nodes       int
	length      time.Duration
	faults      string
	limit       time.Duration
	keep        bool
	out         string
}

func newSimulate(a *app) *cobra.Command {
	var o simulateOptions
	cmd := &cobra.Command{
		Use:   "simulate [FILE…]",
		Short: "Run networks of nodes on virtual time, with every fault there is",
		Long: `Play seeds: nodes set up and close SAs while datagrams are lost, repeated, reordered and forged, the network splits,
kernels refuse and stall, disks are slow, and daemons are killed at every point of their journal's writes and come back.
Then the network heals: both ends must agree; then all is closed, and nothing may be left. The audit's rules judge every
record as it is written. The same seed gives the same run, on one commit.

With FILEs, play scenarios in the notation of docs/scenarios.md instead, each with as many seeds as --seeds says.

A failure is kept: the journals of its nodes as sim-SEED.ikej and sim-SEED-NODE.ikej, and how to have it again in
sim-SEED.txt. The last lines say how often every fault, phase and cause was met.

Faults: ` + strings.Join(simulate.Kinds(), ", ") + `; each may have a number (loss=0.1; kill and restart are
a minute and node), and "all" draws for each seed which there are and how strong.

Exit status: 0 nothing found, 1 found, 2 it could not be played.`,
		Example: "  ikejd simulate --seeds 1000 --faults all\n  ikejd simulate --seed 7741 --for 1h --faults loss=0.1,kill --keep -o case.ikej",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("seed") {
				o.seed = uint64(rand.Uint32())
			}
			return runSimulate(cmd.Context(), a, &o, args)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&o.seeds, "seeds", 1, "play this `COUNT` of seeds")
	f.Uint64Var(&o.seed, "seed", 0, "the first `SEED` (default drawn, and printed)")
	f.IntVar(&o.nodes, "nodes", 2, "`COUNT` of nodes, 2 to 26")
	f.DurationVar(&o.length, "for", 10*time.Minute, "how long the faults last")
	f.DurationVar(&o.limit, "limit", 0, "begin no seed after this time (default none)")
	f.StringVar(&o.faults, "faults", "", "`LIST` of faults, or all")
	f.BoolVar(&o.keep, "keep", false, "keep the journals of clean seeds too")
	f.StringVarP(&o.out, "output", "o", "", "keep the first journals as this `FILE` (default sim-SEED.ikej)")
	return cmd
}

func runSimulate(ctx context.Context, a *app, o *simulateOptions, files []string) error {
	if o.nodes < 2 || o.nodes > 26 {
		return fmt.Errorf("%d nodes are no network; try: --nodes 2", o.nodes)
	}
	faults, err := simulate.ParseFaults(o.faults)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ikejd-simulate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := simulation{a: a, o: o, began: time.Now(), tally: simulate.Tally{Met: map[string]map[string]uint64{}}}
	if len(files) > 0 {
		return s.files(ctx, files)
	}
	if !a.quiet && !a.json {
		fmt.Fprintf(a.std.Out, "%d seeds from %d, %d nodes, %v each\n", o.seeds, o.seed, o.nodes, o.length)
	}
	limited := ctx
	if o.limit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, o.limit)
		defer cancel()
	}
	options := simulate.Options{Nodes: o.nodes, For: o.length, Faults: faults, Dir: dir}
	if err := simulate.Many(limited, o.seed, o.seeds, options, s.seed); err != nil && (o.limit == 0 || ctx.Err() != nil) {
		return err
	}
	return s.end()
}

// simulation is one call of the command.
type simulation struct {
	a      *app
	o      *simulateOptions
	began  time.Time
	tally  simulate.Tally
	wrong  int
	kept   int
	failed error
}

// seed takes in one that was played.
func (s *simulation) seed(played simulate.Outcome) {
	s.tally.Add(played.World.Tally)
	name := fmt.Sprintf("sim-%d", played.Seed)
	if played.Wrong == nil {
		if s.o.keep {
			s.keep(played.World, name)
		}
		return
	}
	s.wrong++
	if s.a.json {
		s.failed = s.a.object(map[string]any{"v": 1, "type": "failure", "seed": played.Seed, "rule": played.Wrong.Rule, "node": played.Wrong.Node,
			"after": played.Wrong.At.Seconds(), "text": played.Wrong.Text})
	} else {
		fmt.Fprintln(s.a.std.Out, s.a.strong(fmt.Sprintf("seed %d: %v", played.Seed, played.Wrong)))
	}
	if files := s.keep(played.World, name); !s.a.json {
		again := fmt.Sprintf("# %v\n# Again, at the commit that found it: ikejd simulate --seed %d --nodes %d --for %v --faults %s\n",
			played.Wrong, played.Seed, s.o.nodes, s.o.length, s.o.faults)
		if err := os.WriteFile(name+".txt", []byte(again), 0o644); err != nil {
			s.failed = err
		}
		fmt.Fprintf(s.a.std.Out, "kept as %s; %d events; %s.txt says how to have it again\n", strings.Join(files, ", "), played.World.Tally.Events, name)
	}
}

// keep writes the journals of all nodes, that of the one at fault first.
func (s *simulation) keep(w *simulate.World, name string) []string {
	if s.kept++; s.kept == 1 && s.o.out != "" {
		name = strings.TrimSuffix(s.o.out, ".ikej")
	}
	files, err := w.Keep(name)
	if err != nil {
		s.failed = err
	}
	return files
}

// end prints what was met.
func (s *simulation) end() error {
	if s.failed != nil {
		return s.failed
	}
	took := time.Since(s.began)
	if s.a.json {
		if err := s.a.object(map[string]any{"v": 1, "type": "simulation", "seed": s.o.seed, "seeds": s.tally.Seeds, "events": s.tally.Events,
			"failures": s.wrong, "took": took.Seconds(), "met": s.tally.Met}); err != nil {
			return err
		}
	} else {
		verdict := "nothing found"
		if s.wrong > 0 {
			verdict = fmt.Sprintf("%d failed", s.wrong)
		}
		fmt.Fprintf(s.a.std.Out, "%d seeds from %d, %d events in %.1fs: %s\n", s.tally.Seeds, s.o.seed, s.tally.Events, took.Seconds(), verdict)
		for _, line := range s.tally.Lines() {
			if !s.a.quiet {
				fmt.Fprintln(s.a.std.Out, "  "+line)
			}
		}
	}
	if s.wrong > 0 {
		return found()
	}
	return nil
}

// files plays scenarios.
func (s *simulation) files(ctx context.Context, files []string) error {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		play, err := simulate.ParsePlay(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		wrong := 0
		for i := range s.o.seeds {
			if err := ctx.Err(); err != nil {
				return err
			}
			w, failure := play.Run(s.o.seed + i)
			s.tally.Add(w.Tally)
			if failure != nil {
				wrong++
				s.seed(simulate.Outcome{Seed: s.o.seed + i, World: w, Wrong: failure})
			}
		}
		if wrong == 0 && !s.a.quiet && !s.a.json {
			fmt.Fprintf(s.a.std.Out, "%s: as expected\n", file)
		}
	}
	return s.end()
}
