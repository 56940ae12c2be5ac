package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// Shutdown says in one line how a run ended.
func Shutdown(run *replay.Run, live bool, place *time.Location) string {
	switch {
	case run.Report != nil:
		return Report(run.Number, run.Asked.GetSignal(), run.Report, run.ReportTime, place)
	case run.Asked != nil && live:
		return fmt.Sprintf("run %d is shutting down since %s, %s", run.Number, text.Clock(run.AskedTime, place), plain(run.Asked.GetSignal()))
	case run.Asked != nil:
		return fmt.Sprintf("run %d was asked to shut down at %s, %s, and ended before it could report: its last step is %d, %s",
			run.Number, text.Clock(run.AskedTime, place), plain(run.Asked.GetSignal()), run.Last, text.Clock(run.Ended, place))
	case run.Reason != "":
		return fmt.Sprintf("run %d ended %s without a shutdown: %s", run.Number, text.Clock(run.Ended, place)[:10], plain(run.Reason))
	case live:
		return fmt.Sprintf("run %d goes on since %s and was not asked to shut down", run.Number, text.Clock(run.Began, place))
	}
	return fmt.Sprintf("run %d ended without a shutdown: it was killed, or the power failed; its last step is %d, %s",
		run.Number, run.Last, text.Clock(run.Ended, place))
}

// order is how causes are listed: first those after which both ends agree.
var order = []record.Cause{record.Cause_CAUSE_ACKNOWLEDGED, record.Cause_CAUSE_PEER_ASKED, record.Cause_CAUSE_BOTH_AT_ONCE,
	record.Cause_CAUSE_REPLACED, record.Cause_CAUSE_SUPERSEDED, record.Cause_CAUSE_REFUSED, record.Cause_CAUSE_DAMAGED,
	record.Cause_CAUSE_NOT_RECOVERED, record.Cause_CAUSE_UNANSWERED, record.Cause_CAUSE_UNACKNOWLEDGED, record.Cause_CAUSE_CUT_OFF}

// mostNamed SAs are named behind each cause.
const mostNamed = 3

// Report is the line of a report, which is also the last that the daemon logs:
// `run 12 ended 03:08:41.3, 30.1s after SIGTERM. 412 IKE SAs: 409 acknowledged, 1 cut off (ike7 gw-east, Delete never sent)`.
func Report(run uint64, signal string, r *record.Report, at int64, place *time.Location) string {
	total := uint64(0)
	counts := slices.Clone(r.GetCounts())
	for _, c := range counts {
		total += c.GetCount()
	}
	slices.SortStableFunc(counts, func(a, b *record.ReportCount) int {
		return cmp.Compare(slices.Index(order, a.GetCause()), slices.Index(order, b.GetCause()))
	})
	var parts []string
	for _, c := range counts {
		part := replay.Grouped(c.GetCount()) + " " + text.Cause(c.GetCause())
		if named := named(r, c.GetCause(), c.GetCount()); named != "" {
			part += " (" + named + ")"
		}
		parts = append(parts, part)
	}
	line := fmt.Sprintf("run %d ended %s, %.1fs after %s. %s", run, text.Clock(at, place)[:10], time.Duration(r.GetTook()).Seconds(),
		plain(signal), replay.Count(total, "IKE SA"))
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	return line
}

// named are the SAs that ended so and of which the peer may not know.
func named(r *record.Report, cause record.Cause, count uint64) string {
	var all []string
	for _, line := range r.GetLines() {
		if line.GetCause() != cause || len(all) == mostNamed {
			continue
		}
		all = append(all, who(line)+detail(line))
	}
	if more := count - uint64(len(all)); len(all) > 0 && more > 0 {
		all = append(all, fmt.Sprintf("and %s more", replay.Grouped(more)))
	}
	return strings.Join(all, "; ")
}

// who is an SA of a report with its connection.
func who(line *record.ReportLine) string {
	if line.GetConnection() == "" {
		return text.SA(line.GetIkeSa())
	}
	return text.SA(line.GetIkeSa()) + " " + plain(line.GetConnection())
}

func detail(line *record.ReportLine) string {
	unsent := line.GetCause() == record.Cause_CAUSE_CUT_OFF && strings.HasPrefix(line.GetDetail(), "behind ")
	return replay.EndDetail(line.GetCause(), unsent, line.GetSends())
}

// Unheard names each SA of which the peer may not know that it is gone, one a line, where Report's line leaves some out:
// `ike31 gw-lab: unacknowledged, 18 sends`. A report itself names 1,000 at most.
func Unheard(r *record.Report) []string {
	lines, each := []string{}, map[record.Cause]int{}
	for _, line := range r.GetLines() {
		each[line.GetCause()]++
		lines = append(lines, who(line)+": "+text.Cause(line.GetCause())+detail(line))
	}
	for _, n := range each {
		if n > mostNamed {
			return lines
		}
	}
	return nil
}
