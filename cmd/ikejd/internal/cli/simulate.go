package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/simulate"
)

// simulateOptions are the flags of `ikejd simulate`.
type simulateOptions struct {
	seeds, seed uint64
	nodes       int
	length      time.Duration
	faults      string
	limit       time.Duration
	keep, stop  bool
	deaths      bool
	shrink      time.Duration
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

With FILEs, play scenarios in the notation of docs/scenarios.md instead, each with as many seeds as --seeds says; with
--deaths then also with a death before, inside and after each write of each node, and before its first send.

A failure is kept: the journals of its nodes as sim-SEED.ikej and sim-SEED-NODE.ikej, and in sim-SEED.txt what it needs of all
that happened, as a scenario that shows it again (of the first three; of others the seed). The last lines say how often every
fault, phase and cause was met, and which never.

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
	f.BoolVar(&o.deaths, "deaths", false, "play scenarios with a death at each write of each node too")
	f.BoolVar(&o.stop, "stop", false, "stop at the first failure")
	f.DurationVar(&o.shrink, "minimise", time.Minute, "how long a failure is made smaller, at most; 0: not at all")
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
	s.options = simulate.Options{Nodes: o.nodes, For: o.length, Faults: faults, Dir: dir}
	limited, s.halt = context.WithCancel(limited)
	defer s.halt()
	if err := simulate.Many(limited, o.seed, o.seeds, s.options, func(played simulate.Outcome) { s.seed(ctx, played) }); err != nil && ctx.Err() != nil {
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
	small  int // failures that were made smaller
	failed error

	options simulate.Options
	halt    context.CancelFunc
}

// smallest is how many failures of one call are made smaller.
const smallest = 3

// seed takes in one that was played.
func (s *simulation) seed(ctx context.Context, played simulate.Outcome) {
	if s.wrong > 0 && s.o.stop {
		return
	}
	s.tally.Add(played.World.Tally)
	name := fmt.Sprintf("sim-%d", played.Seed)
	if played.Wrong == nil {
		if s.o.keep {
			s.keep(played.World, name)
		}
		return
	}
	o := s.options
	o.Dir = ""
	s.wrongIs(ctx, played, name, simulate.SeedText(played.Seed, o, played.Wrong), func(ctx context.Context) (*simulate.Shrunk, error) {
		return simulate.ShrinkSeed(ctx, played.Seed, o)
	})
	if s.o.stop {
		s.halt()
	}
}

// wrongIs says and keeps a failure, and makes it smaller.
func (s *simulation) wrongIs(ctx context.Context, played simulate.Outcome, name, text string, shrink func(context.Context) (*simulate.Shrunk, error)) {
	s.wrong++
	if s.a.json {
		s.failed = s.a.object(map[string]any{"v": 1, "type": "failure", "seed": played.Seed, "rule": played.Wrong.Rule, "node": played.Wrong.Node,
			"after": played.Wrong.At.Seconds(), "text": played.Wrong.Text})
	} else {
		fmt.Fprintln(s.a.std.Out, s.a.strong(fmt.Sprintf("seed %d: %v", played.Seed, played.Wrong)))
	}
	line := "kept as " + strings.Join(s.keep(played.World, name), ", ")
	began := time.Now()
	if s.small++; s.o.shrink > 0 && s.small <= smallest {
		limited, cancel := context.WithTimeout(ctx, s.o.shrink)
		defer cancel()
		small, err := shrink(limited)
		if err != nil { // it was wrong a moment ago: that it is not any more is the worse finding
			s.failed = err
			return
		}
		text = small.Text
		line += fmt.Sprintf("; %s in %.1fs", smallOf(small).line(), time.Since(began).Seconds())
	} else {
		line += "; " + replay.Count(played.World.Tally.Events, "event")
	}
	if err := os.WriteFile(name+".txt", []byte(text), 0o644); err != nil {
		s.failed = err
	}
	if !s.a.json {
		fmt.Fprintf(s.a.std.Out, "%s -> %s.txt\n", line, name)
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
		lines := s.tally.Lines()
		if never := s.tally.Never(); s.options.Faults.All && len(never) > 0 {
			lines = append(lines, "never met: "+strings.Join(never, ", "))
		}
		for _, line := range lines {
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

// deaths plays a scenario with each death there can be, up to the first failure.
func (s *simulation) deaths(ctx context.Context, play *simulate.Play) (count int, wrong error) {
	for _, death := range play.Crashes(s.o.seed, 1) {
		if ctx.Err() != nil {
			return count, ctx.Err()
		}
		w, failure := play.RunCrashed(s.o.seed, death)
		s.tally.Add(w.Tally)
		if count++; failure != nil {
			return count, fmt.Errorf("with %v: %w", death, failure)
		}
	}
	return count, nil
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
			if failure == nil {
				continue
			}
			wrong++
			seed := s.o.seed + i
			s.wrongIs(ctx, simulate.Outcome{Seed: seed, World: w, Wrong: failure}, fmt.Sprintf("sim-%d", seed), string(text), func(ctx context.Context) (*simulate.Shrunk, error) {
				return simulate.ShrinkPlay(ctx, play, seed)
			})
			if s.o.stop {
				return s.end()
			}
		}
		deaths := ""
		if s.o.deaths && wrong == 0 && !play.Searches() {
			count, failure := s.deaths(ctx, play)
			if deaths = ", with " + replay.Count(uint64(count), "death") + " too"; failure != nil {
				wrong++
				s.wrong++
				fmt.Fprintln(s.a.std.Out, s.a.strong(file+": "+failure.Error()))
			}
		}
		if wrong == 0 && !s.a.quiet && !s.a.json {
			fmt.Fprintf(s.a.std.Out, "%s: as expected%s\n", file, deaths)
		}
	}
	return s.end()
}
