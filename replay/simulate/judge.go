package simulate

import (
	"fmt"
	"strings"
	"time"

	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// judge holds the scenario's checks against what happened. After a death that the scenario does not tell, copies and
// causes may be others; what must not happen still must not, and what is left in the end is the same.
func (pl *player) judge() {
	for i := range pl.f.Checks {
		c := &pl.f.Checks[i]
		if pl.crash != nil && !outcome(c) {
			continue
		}
		if problem := pl.check(c); problem != "" && pl.w.wrong == nil {
			pl.w.fail(fmt.Sprintf("line %d", c.Line), pl.node(c.Node), "%s", problem)
			pl.w.wrong.kind = c.Text
		}
	}
}

// outcome reports whether a check is about what is left in the end.
func outcome(c *scenario.Check) bool {
	return !c.Plain && (c.Kind == "up" || c.Kind == "children" || c.Kind == "copies" && c.Op == "=" && c.Count == 0)
}

func (pl *player) check(c *scenario.Check) string {
	n, t := pl.node(c.Node), &pl.trace
	key := func(m scenario.Message) messageKey { return messageKey{pl.node(m.Sender), m.Response, pl.id(m)} }
	switch c.Kind {
	case "copies":
		return differs(c, len(t.sends[key(c.Msg)]), "copies were sent")
	case "after":
		return after(t.sends[key(c.Msg)], t.sends[key(c.Other)])
	case "has":
		if !strings.Contains(t.content[key(c.Msg)], c.Word) {
			return fmt.Sprintf("the message is %s, and should have %s", t.content[key(c.Msg)], c.Word)
		}
	case "gaps":
		return gaps(t.sends[key(c.Msg)], c.Least)
	case "gone":
		return pl.gone(c, t.gone[n])
	case "requests":
		return differs(c, len(t.requests[n]), "requests were made")
	case "up", "children":
		sas, children := 0, 0
		for _, sa := range living(n.state()) {
			if sa.Phase == reducer.Established {
				sas, children = sas+1, children+len(sa.Children)
			}
		}
		if c.Kind == "up" {
			return differs(c, sas, "SAs are up")
		}
		return differs(c, children, "children are up")
	case "exit", "report":
		return pl.report(c, n)
	}
	return ""
}

func differs(c *scenario.Check, got int, what string) string {
	if c.Holds(got) {
		return ""
	}
	return fmt.Sprintf("%d %s, not %s%d", got, what, strings.TrimPrefix(c.Op, "="), c.Count)
}

// gone compares the SAs that ended with that cause, and when the last of them did.
func (pl *player) gone(c *scenario.Check, all []ended) string {
	count, last := 0, int64(0)
	for _, e := range all {
		if e.cause == c.Word {
			count, last = count+1, e.at
		}
	}
	if c.Count < 0 && count == 0 {
		return fmt.Sprintf("no SA is gone as %s: %v", c.Word, causes(all))
	}
	if c.Count >= 0 && !c.Holds(count) {
		return fmt.Sprintf("%d SAs are gone as %s, not %s%d: %v", count, c.Word, strings.TrimPrefix(c.Op, "="), c.Count, causes(all))
	}
	if at := time.Duration(last - pl.t0); c.Most != 0 && (at < c.Least || at > c.Most) {
		return fmt.Sprintf("it was gone at %v, not between %v and %v", at, c.Least, c.Most)
	}
	return ""
}

func causes(all []ended) map[string]int {
	count := map[string]int{}
	for _, e := range all {
		count[e.cause]++
	}
	return count
}

func (pl *player) report(c *scenario.Check, n *Node) string {
	if len(n.reports) == 0 {
		return "no shutdown was reported"
	}
	r := n.reports[0]
	if c.Kind == "exit" {
		if took := time.Duration(r.Took); took > c.Most {
			return fmt.Sprintf("the shutdown took %v, more than %v", took, c.Most)
		}
		return ""
	}
	for cause := range reducer.Cause(len(r.Counts)) {
		if cause.String() == c.Word {
			return differs(c, int(r.Counts[cause]), "SAs are reported as "+c.Word)
		}
	}
	return fmt.Sprintf("there is no cause %q", c.Word)
}

func after(later, earlier []int64) string {
	switch {
	case len(earlier) == 0:
		return "what it should come after was never sent"
	case len(later) == 0:
		return "it was never sent"
	case later[0] < earlier[0]:
		return fmt.Sprintf("it was sent %v before what it should come after", time.Duration(earlier[0]-later[0]))
	}
	return ""
}

// gaps: jitter may take a tenth of each.
func gaps(sends []int64, least time.Duration) string {
	for i := 2; i < len(sends); i++ {
		before, gap := time.Duration(sends[i-1]-sends[i-2]), time.Duration(sends[i]-sends[i-1])
		if gap < before*8/10 || gap < least {
			return fmt.Sprintf("gap %d is %v after one of %v", i, gap, before)
		}
	}
	return ""
}
