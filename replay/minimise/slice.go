package minimise

import (
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
)

// Causes are the steps that a record names as those it came of: of its event, of its effects, and of the wishes in them.
func Causes(r *record.Record) []uint64 {
	var all []uint64
	add := func(b *record.Because) {
		if b.GetEdge() != record.Edge_EDGE_ROOT && b.GetStep() != 0 && b.GetStep() < r.GetStep() {
			all = append(all, b.GetStep())
		}
	}
	add(r.GetEvent().GetBecause())
	for _, e := range r.GetEffects() {
		add(e.GetBecause())
		add(e.GetWanted().GetDecided())
		for _, open := range e.GetDiscarded().GetUnfinished() {
			add(open.GetRecorded())
		}
	}
	return all
}

// Slice is the causal slice of the steps given: they, and what they came of, down to the roots.
func (j *Journal) Slice(from ...uint64) map[uint64]bool {
	slice := map[uint64]bool{}
	for len(from) > 0 {
		step := from[len(from)-1]
		from = from[:len(from)-1]
		r := j.at(step)
		if r == nil || slice[step] {
			continue
		}
		slice[step] = true
		from = append(from, Causes(r)...)
	}
	return slice
}

// lives widens a slice by what every life of the daemon begins with: its first record and the configuration.
func (j *Journal) lives(slice map[uint64]bool) map[uint64]bool {
	wider := map[uint64]bool{}
	for _, r := range j.Records {
		ev := r.GetEvent()
		wider[r.GetStep()] = slice[r.GetStep()] || ev.GetStarted() != nil || ev.GetRecovered() != nil || ev.GetConfigLoaded() != nil
	}
	return wider
}

// histories widens a slice by all that happened to the SAs in it up to the step.
func (j *Journal) histories(slice map[uint64]bool, until uint64) map[uint64]bool {
	about := map[uint64]bool{}
	for step := range slice {
		if r := j.at(step); r != nil && slice[step] {
			for _, number := range replay.About(r) {
				about[number] = true
			}
		}
	}
	wider := map[uint64]bool{}
	for _, r := range j.Records {
		step := r.GetStep()
		wider[step] = slice[step]
		for _, number := range replay.About(r) {
			if about[number] && step <= until {
				wider[step] = true
			}
		}
	}
	return j.lives(wider)
}
