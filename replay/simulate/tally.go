package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Tally is how often what was met: faults, phases, causes, ways to die.
type Tally struct {
	Seeds  int
	Events uint64
	Met    map[string]map[string]uint64 // group -> what -> how often
}

// The groups of a tally.
const (
	metFault = "faults"
	metPhase = "phases"
	metCause = "causes"
	metDeath = "deaths"
	metOrder = "orders"
)

func newTally() Tally { return Tally{Met: map[string]map[string]uint64{}} }

func (t *Tally) met(group, what string) { t.add(group, what, 1) }

func (t *Tally) add(group, what string, n uint64) {
	if t.Met[group] == nil {
		t.Met[group] = map[string]uint64{}
	}
	t.Met[group][what] += n
}

// Add takes in another.
func (t *Tally) Add(other Tally) {
	t.Seeds += other.Seeds
	t.Events += other.Events
	for group, all := range other.Met {
		for what, n := range all {
			t.add(group, what, n)
		}
	}
}

// Lines are the tally for people, a group a line.
func (t *Tally) Lines() []string {
	var lines []string
	for _, group := range slices.Sorted(maps.Keys(t.Met)) {
		var words []string
		for _, what := range slices.Sorted(maps.Keys(t.Met[group])) {
			words = append(words, fmt.Sprintf("%s %d", what, t.Met[group][what]))
		}
		lines = append(lines, group+": "+strings.Join(words, ", "))
	}
	return lines
}
