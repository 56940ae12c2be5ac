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
			Time: rfc3339(run.ReportTime), Causes: counted(run.Report), Unheard: unheard(run.Report)})
	}
	said := []string{line}
	if !a.quiet {
		for _, sa := range why.Unheard(run.Report) {
			said = append(said, "  "+sa)
		}
	}
	_, err := fmt.Fprintln(a.out(), strings.Join(said, "\n"))
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
	Unheard []unheardJSON     `json:"unheard"` // SAs of which the peer may not know that they are gone
}

type unheardJSON struct {
	SA         string `json:"sa"`
	Connection string `json:"connection,omitempty"`
	Cause      string `json:"cause"`
	Sends      uint32 `json:"sends"`
}

func unheard(r *record.Report) []unheardJSON {
	all := []unheardJSON{}
	for _, l := range r.GetLines() {
		all = append(all, unheardJSON{SA: text.SA(l.GetIkeSa()), Connection: l.GetConnection(), Cause: causeJSON(l.GetCause()), Sends: l.GetSends()})
	}
	return all
}

func counted(r *record.Report) map[string]uint64 {
	counts := map[string]uint64{}
	for _, c := range r.GetCounts() {
		counts[causeJSON(c.GetCause())] = c.GetCount()
	}
	return counts
}

func causeJSON(c record.Cause) string { return strings.ReplaceAll(text.Cause(c), " ", "-") }
