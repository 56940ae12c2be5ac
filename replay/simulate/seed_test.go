package simulate

import (
	"os"
	"strconv"
	"testing"
	"time"
)

func TestSeeds(t *testing.T) {
	c, err := ParseFaults(os.Getenv("FAULTS"))
	if err != nil {
		t.Fatal(err)
	}
	count, _ := strconv.ParseUint(os.Getenv("SEEDS"), 10, 64)
	first, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	o := Options{Nodes: 2, For: 10 * time.Minute, Faults: c, Dir: t.TempDir()}
	tally := newTally()
	for seed := range count {
		w, wrong := Seed(first+seed, o)
		if wrong != nil {
			t.Errorf("seed %d: %v", first+seed, wrong)
		}
		tally.Add(w.Tally)
	}
	for _, line := range tally.Lines() {
		t.Log(line)
	}
	t.Log(tally.Events)
}
