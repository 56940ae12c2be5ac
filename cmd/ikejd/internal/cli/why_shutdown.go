package cli

import (
	"fmt"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/why"
)

// `ikejd why shutdown`: how a run ended.

func (a *app) whyShutdown(p *picked) error {
	run := p.Run
	if run == nil {
		if len(p.Catalog.Runs) == 0 {
			return noSuch(&replay.NotThere{What: "the journal has no run; try: ikejd journal verify"})
		}
		run = p.Catalog.Runs[len(p.Catalog.Runs)-1]
		for _, r := range p.Catalog.Runs { // the last one that was shut down, else the last
			if r.Asked != nil {
				run = r
			}
		}
	}
	line := why.Shutdown(run, p.Catalog.Live && run.Last == p.Catalog.Last, a.place())
	if a.json {
		return a.object(shutdownJSON{V: 1, Type: "shutdown", Run: run.Number, Verdict: []string{line}, Step: run.ReportStep,
			Time: rfc3339(run.ReportTime), Causes: counted(run.Report)})
	}
	_, err := fmt.Fprintln(a.out(), line)
	return err
}

type shutdownJSON struct {
	V       int               `json:"v"`
	Type    string            `json:"type"`
	Run     uint64            `json:"run"`
	Verdict []string          `json:"verdict"`
	Step    uint64            `json:"step,omitempty"` // of the report
	Time    string            `json:"time,omitempty"`
	Causes  map[string]uint64 `json:"causes"`
}

func counted(r *record.Report) map[string]uint64 {
	counts := map[string]uint64{}
	for _, c := range r.GetCounts() {
		counts[causeJSON(c.GetCause())] = c.GetCount()
	}
	return counts
}

func causeJSON(c record.Cause) string { return strings.ReplaceAll(text.Cause(c), " ", "-") }
