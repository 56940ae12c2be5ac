package simulate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay/minimise"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// Shrunk is the least of what shows a failure.
type Shrunk struct {
	Text   string // a scenario
	Events int    // records of all nodes, at first
	Slice  int    // of them in the causal slice
	Before int    // happenings of a seed, or statements of a scenario
	Left   int    // of them
	Whole  bool   // nothing smaller shows it, one thing less; false: the time was over
}

// ErrNothing is that what should shrink shows nothing that is wrong.
var ErrNothing = errors.New("nothing is wrong with it")

// ShrinkSeed leaves out of what happened in a seed what its failure does not need: first all that is not in the failure's
// past, then by delta debugging. The failure stays one of the same rule; the text plays it again.
func ShrinkSeed(ctx context.Context, seed uint64, o Options) (*Shrunk, error) {
	o.only = nil
	w, wrong := Seed(seed, o)
	if wrong == nil {
		return nil, fmt.Errorf("seed %d: %w; a seed is good for one commit: try the commit that found it", seed, ErrNothing)
	}
	slice := w.causes()
	result := &Shrunk{Events: int(w.Tally.Events), Slice: len(slice), Before: len(w.Happened)}
	shows := func(some []Happening) bool {
		o.only = namesOf(some)
		_, again := Seed(seed, o)
		return wrong.Same(again)
	}
	least := w.Happened
	for _, some := range past(w.Happened, slice) {
		if ctx.Err() == nil && shows(some) {
			least = some
			break
		}
	}
	least, result.Whole = minimise.Shrink(ctx, least, shows)
	result.Left = len(least)
	for _, length := range shorter(least, o.For) { // then of values
		was := o.For
		if o.For = length; ctx.Err() == nil && shows(least) {
			break
		}
		o.For = was
	}
	o.only = namesOf(least)
	w, wrong = Seed(seed, o)
	result.Text = seedText(seed, o, w.Happened, wrong)
	return result, nil
}

func namesOf(some []Happening) map[string]bool {
	names := map[string]bool{}
	for _, h := range some {
		names[h.name()] = true
	}
	return names
}

// past are guesses at what of all that happened a failure comes of, the least first: the operators' orders in its causal
// slice; they, and the faults since the first of the slice.
func past(all []Happening, slice map[place]*record.Record) (guesses [][]Happening) {
	const soon = time.Second // an order is in the journal that much later, at most
	asked := map[string][]time.Duration{}
	for at, r := range slice {
		if r.GetEvent().GetBecause().GetRoot() == record.Root_ROOT_OPERATOR {
			asked[at.node.Name] = append(asked[at.node.Name], time.Duration(int64(r.GetTime())-begin))
		}
	}
	var orders, faults []Happening
	first := time.Duration(1 << 62)
	for _, h := range all {
		if h.Kind != "order" && h.Kind != "restart" {
			continue
		}
		for _, at := range asked[h.Who] {
			if h.At <= at && at < h.At+soon {
				orders, first = append(orders, h), min(first, h.At)
				break
			}
		}
	}
	for _, h := range all {
		if h.Kind != "order" && h.Kind != "restart" && h.At >= first {
			faults = append(faults, h)
		}
	}
	return [][]Happening{orders, append(orders[:len(orders):len(orders)], faults...)}
}

// shorter are ends of the faults that come right after the last thing that happens.
func shorter(some []Happening, now time.Duration) (lengths []time.Duration) {
	last := time.Duration(0)
	for _, h := range some {
		last = max(last, h.At)
	}
	for _, length := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
		if last = (last + length).Truncate(time.Second); last < now {
			lengths = append(lengths, last)
		}
	}
	return lengths
}

// seedText is a seed of which only some things happen, in the notation of scenarios.
func seedText(seed uint64, o Options, happened []Happening, wrong *Failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Seed %d, and what its failure needs of it; good for the commit that found it.\n", seed)
	fmt.Fprintln(&b, seedLine(seed, o))
	if len(happened) == 0 {
		fmt.Fprintln(&b, "only nothing")
	}
	for _, h := range happened {
		fmt.Fprintf(&b, "# %v, %s: %s\nonly %s\n", h.At.Round(time.Millisecond), h.Who, h.What, h.name())
	}
	if wrong != nil {
		fmt.Fprintf(&b, "E: anything but: %v\n", wrong)
	}
	return b.String()
}

// SeedText is a seed in which everything happens, as a scenario.
func SeedText(seed uint64, o Options, wrong *Failure) string {
	return fmt.Sprintf("# Seed %d; good for the commit that found it.\n%s\nE: anything but: %v\n", seed, seedLine(seed, o), wrong)
}

func seedLine(seed uint64, o Options) string {
	return fmt.Sprintf("seed %d nodes=%d for=%v faults=%v", seed, o.Nodes, o.For, o.Faults)
}

// seeded reads such a scenario; false: it is another.
func (p *Play) seeded() (seed uint64, o Options, is bool, err error) {
	for i := range p.file.Statements {
		s := &p.file.Statements[i]
		switch s.Verb {
		case scenario.Seed:
			is, seed, o.Nodes, o.For = true, uint64(s.Count), 2, 10*time.Minute
			for word := range strings.FieldsSeq(s.Rest) {
				name, value, _ := strings.Cut(word, "=")
				var bad error
				switch name {
				case "nodes":
					_, bad = fmt.Sscan(value, &o.Nodes)
				case "for":
					o.For, bad = time.ParseDuration(value)
				case "faults":
					o.Faults, bad = ParseFaults(value)
				default:
					bad = fmt.Errorf("there is no %q", name)
				}
				if bad != nil {
					return seed, o, is, fmt.Errorf("line %d: %q says nothing of a seed: %w; try: seed 7 nodes=2 for=10m faults=all", s.Line, word, bad)
				}
			}
			o.Nodes = min(max(o.Nodes, 2), 26)
		case scenario.Only:
			if o.only == nil {
				o.only = map[string]bool{}
			}
			o.only[s.Rest] = true
		}
	}
	return seed, o, is, nil
}
