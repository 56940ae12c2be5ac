package simulate

import (
	"bytes"
	"testing"
	"time"
)

// play has seeds in a row, and says what was wrong.
func play(t *testing.T, first, count uint64, o Options) Tally {
	t.Helper()
	o.Dir = t.TempDir()
	tally := newTally()
	if err := Many(t.Context(), first, count, o, func(played Outcome) {
		tally.Add(played.World.Tally)
		if played.Wrong != nil {
			t.Errorf("seed %d: %v", played.Seed, played.Wrong)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return tally
}

// Seeds that everybody plays; `ikejd simulate` and `make sim` play others.
func TestSeeds(t *testing.T) {
	count := uint64(150)
	if testing.Short() {
		count = 16
	}
	tally := play(t, 1, count, Options{Nodes: 2, For: 10 * time.Minute, Faults: Choice{All: true}})
	if never := tally.Never(); len(never) > 0 && !testing.Short() {
		t.Errorf("%d seeds did not meet %q", count, never)
	}
}

func TestThreeNodes(t *testing.T) {
	play(t, 1, 10, Options{Nodes: 3, For: 5 * time.Minute, Faults: Choice{All: true}})
}

// The same seed is the same run: every octet of every journal.
func TestSameSeedSameRun(t *testing.T) {
	for _, seed := range []uint64{3, 64} { // 64 has its journals on a real disk
		first, wrong1 := Seed(seed, Options{Nodes: 2, For: 10 * time.Minute, Faults: Choice{All: true}, Dir: t.TempDir()})
		second, wrong2 := Seed(seed, Options{Nodes: 2, For: 10 * time.Minute, Faults: Choice{All: true}, Dir: t.TempDir()})
		if wrong1 != nil || wrong2 != nil {
			t.Fatal(wrong1, wrong2)
		}
		for i, n := range first.Nodes {
			if len(n.keep) == 0 || len(n.keep) != len(second.Nodes[i].keep) {
				t.Fatalf("seed %d, node %s: %d records, then %d", seed, n.Name, len(n.keep), len(second.Nodes[i].keep))
			}
			for k, e := range n.keep {
				if !bytes.Equal(e.Data, second.Nodes[i].keep[k].Data) {
					t.Fatalf("seed %d, node %s: step %d differs", seed, n.Name, e.Step)
				}
			}
		}
	}
}

// An hour of two nodes takes less than a second (docs/performance.md).
func BenchmarkSimulatedHour(b *testing.B) {
	for i := range b.N {
		if _, wrong := Seed(uint64(i), Options{Nodes: 2, For: time.Hour, Faults: Choice{All: true}}); wrong != nil {
			b.Fatal(wrong)
		}
	}
}
