package replay

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// Point names a moment of a journal: a step, a time, a mark of a run, an SA's coming into a phase; and so many steps
// away from one of these.
type Point struct {
	text  string
	step  uint64
	time  time.Time     // a moment
	clock time.Duration // since midnight, with isClock
	back  time.Duration // before the end, with isBack
	mark  string        // start, shutdown, end
	sa    uint64        // 0: of the SAs selected
	phase record.Phase

	isTime, isClock, isBack bool
	away                    int64 // steps
}

func (p Point) String() string { return p.text }

// ParsePhase reads the word of a phase as it stands in `ike7.established`.
func ParsePhase(word string) (record.Phase, error) {
	phase, ok := phases[strings.ToLower(word)]
	if !ok {
		return 0, fmt.Errorf("%q is no state of an IKE SA; try: halfopen, established, deleting, lingering, discarded", word)
	}
	return phase, nil
}

// phases by the words of `ike7.established`.
var phases = map[string]record.Phase{"halfopen": record.Phase_PHASE_HALF_OPEN, "established": record.Phase_PHASE_ESTABLISHED,
	"deleting": record.Phase_PHASE_DELETING, "lingering": record.Phase_PHASE_LINGERING, "discarded": record.Phase_PHASE_DISCARDED}

var marks = []string{"start", "shutdown", "end"}

// ParsePoint reads one. Times without a zone are of place.
func ParsePoint(s string, place *time.Location) (Point, error) {
	p, ok := parseBase(s, place)
	if !ok {
		if i := strings.LastIndexAny(s, "+-"); i > 0 {
			away, err := strconv.ParseInt(s[i:], 10, 32)
			if p, ok = parseBase(s[:i], place); err != nil {
				ok = false
			}
			p.away = away
		}
	}
	if !ok {
		return Point{}, fmt.Errorf("%q is no point in a journal; try: a step, 03:12:07.5, 2026-11-23T03:12Z, -10m, start, shutdown, end, ike7.deleting, or one of them +3 or -3", s)
	}
	p.text = s
	return p, nil
}

func parseBase(s string, place *time.Location) (p Point, ok bool) {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil && s[0] != '+' {
		return Point{step: n}, n > 0
	}
	if slices.Contains(marks, s) {
		return Point{mark: s}, true
	}
	if name, phase, found := strings.Cut(s, "."); found && (name == "" || strings.HasPrefix(name, "ike")) {
		p.phase, ok = phases[phase]
		if name != "" && ok {
			p.sa, ok = numbered(name, "ike")
		}
		return p, ok
	}
	for _, layout := range []string{"15:04:05", "15:04"} { // a fraction of a second is taken too
		if t, err := time.Parse(layout, s); err == nil {
			h, m, sec := t.Clock()
			return Point{isClock: true, clock: time.Duration(h*3600+m*60+sec)*time.Second + time.Duration(t.Nanosecond())}, true
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, place); err == nil && t.Year() >= 1970 && t.Year() < 2200 {
			return Point{isTime: true, time: t}, true
		}
	}
	if strings.HasPrefix(s, "-") {
		if d, err := time.ParseDuration(s[1:]); err == nil && d > 0 && s[1] != '-' && s[1] != '+' {
			return Point{isBack: true, back: d}, true
		}
	}
	return Point{}, false
}

// Scope is what a Point is resolved in.
type Scope struct {
	Source  Source
	Catalog *Catalog
	Run     *Run           // whose marks are meant; nil: the last one
	SAs     []*SA          // the SAs selected; nil: all
	Place   *time.Location // whose days a time of day is of
}

// Step is the step that p names: of a time the first at or after it, or with before the last at or before it.
func (s Scope) Step(p Point, before bool) (uint64, error) {
	base, err := s.base(p, before)
	if err != nil || p.away == 0 {
		return base, err
	}
	return s.away(base, p.away)
}

func (s Scope) base(p Point, before bool) (uint64, error) {
	switch {
	case p.step != 0:
		return p.step, nil
	case p.isTime:
		return s.timed(p.time.UnixNano(), before)
	case p.isBack:
		return s.timed(s.Catalog.End-int64(p.back), before)
	case p.isClock:
		return s.timed(s.clock(p.clock), before)
	case p.mark != "":
		return s.mark(p)
	}
	return s.phase(p)
}

// clock is that time of day on the last day on which it is not after the journal's end.
func (s Scope) clock(sinceMidnight time.Duration) int64 {
	end := time.Unix(0, s.Catalog.End).In(s.Place)
	for day := 0; ; day++ {
		y, m, d := end.Date()
		t := time.Date(y, m, d-day, 0, 0, 0, 0, s.Place).Add(sinceMidnight)
		if !t.After(end) || day > 1 {
			return t.UnixNano()
		}
	}
}

// timed looks for a time, which never runs back from one step to the next.
func (s Scope) timed(at int64, before bool) (uint64, error) {
	var failed error
	entry := func(step uint64) (uint64, int64) {
		for e, err := range s.Source.Entries(step) {
			var r raw
			if err == nil {
				r, err = split(e.Data)
			}
			if err != nil {
				failed = err
			}
			return e.Step, r.time
		}
		return 0, 1<<63 - 1
	}
	first, last := s.Catalog.First, s.Catalog.Last
	n := sort.Search(int(last-first)+1, func(i int) bool {
		_, t := entry(first + uint64(i))
		if before {
			return t > at
		}
		return t >= at
	})
	step := first + uint64(n)
	if before {
		return max(step, 1) - 1, failed
	}
	return step, failed
}

func (s Scope) mark(p Point) (uint64, error) {
	run := s.Run
	if run == nil && len(s.Catalog.Runs) > 0 {
		run = s.Catalog.Runs[len(s.Catalog.Runs)-1]
	}
	switch {
	case run == nil:
		return 0, notThere("the journal has no run; try: ikejd journal verify")
	case p.mark == "start":
		return run.First, nil
	case p.mark == "end":
		return run.Last, nil
	case run.AskedStep == 0:
		return 0, notThere("run %d was not asked to shut down; try: start, end, or --run", run.Number)
	}
	return run.AskedStep, nil
}

func (s Scope) phase(p Point) (uint64, error) {
	candidates := s.SAs
	if p.sa != 0 {
		sa, ok := s.Catalog.SA(p.sa)
		if !ok {
			return 0, notThere("no such SA as %s here; try: ikejd journal ls", text.SA(p.sa))
		}
		candidates = []*SA{sa}
	}
	first := uint64(0)
	for _, sa := range candidates {
		for _, entered := range sa.Entered {
			if entered.Phase == p.phase && (first == 0 || entered.Step < first) {
				first = entered.Step
			}
		}
	}
	if first == 0 {
		return 0, notThere("%s: no SA meant was ever %s here; try: ikejd journal ls", p.text, text.Phase(p.phase))
	}
	return first, nil
}

// away is so many steps from base, of the SAs selected; at the ends of the journal it stays there.
func (s Scope) away(base uint64, by int64) (uint64, error) {
	if s.SAs == nil {
		at := int64(base) + by
		return uint64(min(max(at, int64(s.Catalog.First)), int64(s.Catalog.Last))), nil
	}
	from := base
	if by < 0 {
		from = s.Catalog.First
	}
	var seen []uint64
	for r, err := range Records(s.Source, from) {
		if err != nil {
			return 0, err
		}
		if by < 0 && r.GetStep() >= base || by > 0 && int64(len(seen)) > by {
			break
		}
		if r.GetStep() == base || s.About(r) {
			seen = append(seen, r.GetStep())
		}
	}
	switch {
	case len(seen) == 0:
		return base, nil
	case by > 0:
		return seen[min(int(by), len(seen)-1)], nil
	}
	return seen[max(len(seen)+int(by), 0)], nil
}

// About reports whether a step is about one of the SAs selected.
func (s Scope) About(r *record.Record) bool {
	if s.SAs == nil {
		return true
	}
	return slices.ContainsFunc(About(r), func(number uint64) bool {
		return slices.ContainsFunc(s.SAs, func(sa *SA) bool { return sa.Number == number })
	})
}
