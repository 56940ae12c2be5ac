package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay/audit"
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

	// metFinding has the audit's findings, as "violation WIN-01".
	metFinding = "findings"
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

// faultsMet are the faults that a tally counts, by what became of them.
var faultsMet = []string{"loss", "repeat", "reorder", "split", "forge", "refused allocate", "refused install", "slow completion", "slow disk",
	"late timer", "unreadable request", "answer INVALID_SYNTAX", "lost secrets"}

// Never is what was not met of all there is, as `causes: damaged`. An SA ends as replaced only where it can be rekeyed.
func (t *Tally) Never() []string {
	all := map[string][]string{metFault: faultsMet}
	for phase := record.Phase_PHASE_HALF_OPEN; phase <= record.Phase_PHASE_DISCARDED; phase++ {
		all[metPhase] = append(all[metPhase], text.Phase(phase))
	}
	for phase := record.ChildPhase_CHILD_PHASE_INSTALLING; phase <= record.ChildPhase_CHILD_PHASE_REMOVED; phase++ {
		all[metPhase] = append(all[metPhase], "child "+text.ChildPhase(phase))
	}
	for cause := record.Cause_CAUSE_ACKNOWLEDGED; cause <= record.Cause_CAUSE_NOT_RECOVERED; cause++ {
		if cause != record.Cause_CAUSE_REPLACED {
			all[metCause] = append(all[metCause], text.Cause(cause))
		}
	}
	for how := anywhere; how <= insideSends; how++ {
		all[metDeath] = append(all[metDeath], how.String())
	}
	var never []string
	for _, group := range slices.Sorted(maps.Keys(all)) {
		for _, what := range all[group] {
			if t.Met[group][what] == 0 {
				never = append(never, group+": "+what)
			}
		}
	}
	return never
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

// Found are the audit's rules that found a violation or a warning.
func (t *Tally) Found() map[string]bool {
	found := map[string]bool{}
	for what := range t.Met[metFinding] {
		if verdict, rule, _ := strings.Cut(what, " "); verdict == audit.Violation.String() || verdict == audit.Warning.String() {
			found[rule] = true
		}
	}
	return found
}
