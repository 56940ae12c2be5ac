package daemon

import (
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/why"
)

// reportText is the last line of a run, in the words of `ikejd why shutdown`; at is when the run ended.
func reportText(run uint64, signal string, r *reducer.Report, at int64) string {
	recorded := record.Report{Took: uint64(r.Took)}
	for cause, n := range r.Counts {
		if n > 0 {
			recorded.Counts = append(recorded.Counts, &record.ReportCount{Cause: record.Cause(cause), Count: n})
		}
	}
	for _, l := range r.Lines {
		recorded.Lines = append(recorded.Lines, &record.ReportLine{IkeSa: l.SA, Connection: l.Connection, Cause: record.Cause(l.Cause), Detail: l.Detail,
			Sends: l.Sends})
	}
	return why.Report(run, signal, &recorded, at, time.Local)
}
