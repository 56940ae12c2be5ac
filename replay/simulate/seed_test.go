package simulate

import (
	"testing"
	"time"
)

func TestSeeds(t *testing.T) {
	o := Options{Nodes: 2, For: 10 * time.Minute, Faults: Choice{Fixed: Faults{Loss: 0.1}}, Dir: t.TempDir()}
	for seed := range uint64(300) {
		w, wrong := Seed(seed, o)
		if wrong != nil {
			t.Errorf("seed %d: %v", seed, wrong)
		}
		if seed == 0 {
			for _, line := range w.Tally.Lines() {
				t.Log(line)
			}
			t.Log(w.Tally.Events)
		}
	}
}
