package daemon

import (
	"fmt"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
)

// reportText is the last line of a run (REPLAY-UX.md, `why shutdown`).
func reportText(run uint64, signal string, r *reducer.Report) string {
	total := uint64(0)
	var counts []string
	for cause, n := range r.Counts {
		if total += n; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %v", n, reducer.Cause(cause)))
		}
	}
	said := fmt.Sprintf("run %d ended %.1fs after %s. %d IKE SAs", run, time.Duration(r.Took).Seconds(), signal, total)
	if len(counts) > 0 {
		said += ": " + strings.Join(counts, ", ")
	}
	var lines []string
	for _, l := range r.Lines {
		line := fmt.Sprintf("%s %s %v", text.SA(l.SA), l.Connection, l.Cause)
		if l.Sends > 0 {
			line += fmt.Sprintf(", %d sends", l.Sends)
		}
		if l.Detail != "" {
			line += ", " + l.Detail
		}
		lines = append(lines, line)
	}
	if len(lines) > 0 {
		said += " (" + strings.Join(lines, "; ") + ")"
	}
	return said
}
