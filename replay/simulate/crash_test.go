package simulate

import (
	"testing"
)

// Each scenario has the same outcome when a node dies before, inside or after any of its writes.
func TestScenariosCrashed(t *testing.T) {
	texts, names, next := scenarios(t)
	for _, name := range names {
		if next[name] {
			continue
		}
		play, err := ParsePlay(texts[name])
		if err != nil {
			t.Fatal(err)
		}
		if play.Searches() {
			continue // not one run but very many
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range play.Crashes(1, every(t, play)) {
				if _, wrong := play.RunCrashed(1, c); wrong != nil {
					t.Errorf("%+v: %v", c, wrong)
					return
				}
			}
		})
	}
}

// every thins out the deaths of a scenario with very many writes; with -short, of each.
func every(t *testing.T, p *Play) int {
	w, _ := p.Run(1)
	most := 0
	for _, n := range w.Nodes {
		most = max(most, n.commits)
	}
	if testing.Short() {
		return max(most/6, 1)
	}
	if most > 100 { // hundreds of SAs, which all go through the same; `make sim` plays every death
		t.Logf("%s: a death at every %dth of %d writes; all of them: make sim", p.Title(), most/8, most)
		return most / 8
	}
	return 1
}
