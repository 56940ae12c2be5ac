package why

import (
	"fmt"
	"slices"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// Row is one step of a chain: what it was, and where it came from.
type Row struct {
	Step  uint64
	Time  int64
	What  string
	Edges []Edge
}

// Edge leads from a row to an older step, or to a root.
type Edge struct {
	Kind record.Edge
	To   uint64 // 0: a root
	Root record.Root
	Note string // what stands behind the number, or before it (a timer)
}

// String is the edge as it stands in a row: `fires    discard timer, 48127`; kinds are padded to width.
func (e Edge) String(width int) string {
	kind := fmt.Sprintf("%-*s", width, text.Edge(e.Kind))
	switch {
	case e.To == 0:
		return kind + "  " + rootWord(e.Root)
	case e.Kind == record.Edge_EDGE_FIRES && e.Note != "":
		return fmt.Sprintf("%s  %s, %d", kind, e.Note, e.To)
	case e.Note != "":
		return fmt.Sprintf("%s  %d, %s", kind, e.To, e.Note)
	}
	return fmt.Sprintf("%s  %d", kind, e.To)
}

func rootWord(r record.Root) string {
	if r == record.Root_ROOT_UNSPECIFIED {
		return "not recorded"
	}
	return text.Root(r)
}

// place is a step to explain: which effect of it led there, if one did, and about which SA.
type place struct {
	step  uint64
	index int // -1: the event
	sa    uint64
}

// chain is a chain under way.
type chain struct {
	s      *story
	full   bool // set-ups and repeated checks are not folded
	rows   []Row
	todo   []place
	broken []uint64 // steps that name no cause
	gone   []uint64 // steps that are of before this journal
}

// mostRows of a chain are followed.
const mostRows = 500

// trace follows the edges from the places given to their roots, newest step first.
func (s *story) trace(full bool, from ...place) *chain {
	c := &chain{s: s, full: full, todo: from}
	seen := map[uint64]bool{}
	for len(c.todo) > 0 && len(c.rows) < mostRows {
		i := 0
		for j, p := range c.todo {
			if p.step > c.todo[i].step {
				i = j
			}
		}
		p := c.todo[i]
		c.todo = slices.Delete(c.todo, i, i+1)
		if seen[p.step] {
			continue
		}
		seen[p.step] = true
		r := s.record(p.step)
		if r == nil {
			c.gone = append(c.gone, p.step)
			continue
		}
		c.explain(r, p)
	}
	return c
}

// explain adds the row of one step, and what it leads to.
func (c *chain) explain(r *record.Record, p place) {
	if !slices.Contains(replay.About(r), p.sa) {
		p.sa = r.GetEvent().GetIkeSa()
	}
	row := Row{Step: p.step, Time: int64(r.GetTime())}
	f := focus(r, p)
	row.What = c.s.describe(r, f, p.sa)
	switch {
	case f.effect.GetResend() != nil:
		c.follow(&row, p.sa, f.effect.GetBecause(), "")
	case f.effect.GetRecord() != nil && f.effect.GetBecause().GetStep() != p.step && f.effect.GetBecause().GetEdge() == record.Edge_EDGE_SERVES:
		c.follow(&row, p.sa, f.effect.GetBecause(), "")
		if b := r.GetEvent().GetBecause(); b.GetEdge() == record.Edge_EDGE_REPLIES {
			c.follow(&row, p.sa, b, "") // the response that made room for it
		}
	default:
		w := f.wanted
		if w != nil && w.GetWanted().GetDecided().GetStep() != p.step && w.GetWanted().GetDecided() != nil {
			c.follow(&row, p.sa, w.GetWanted().GetDecided(), "")
		} else {
			c.event(&row, p.sa, r)
		}
		if w.GetBecause().GetEdge() == record.Edge_EDGE_BEHIND {
			c.follow(&row, p.sa, w.GetBecause(), "")
		}
	}
	c.rows = append(c.rows, row)
}

// event follows what the event came of.
func (c *chain) event(row *Row, sa uint64, r *record.Record) {
	b := r.GetEvent().GetBecause()
	note := ""
	if fired := r.GetEvent().GetTimerFired(); fired != nil {
		note = text.Timer(fired.GetTimer()) + " timer"
		if !c.full && fired.GetTimer() == record.Timer_TIMER_LIVENESS {
			b, note = c.s.quiet(b, note)
		}
	}
	if d := r.GetEvent().GetDatagramReceived(); d != nil && b.GetEdge() == record.Edge_EDGE_REPLIES {
		note = ""
	}
	c.follow(row, sa, b, note)
}

// quiet skips the liveness timers that were set by liveness timers: each of them found the peer alive.
func (s *story) quiet(b *record.Because, note string) (*record.Because, string) {
	n := uint64(0)
	for {
		ev := s.record(b.GetStep()).GetEvent()
		if ev.GetTimerFired().GetTimer() != record.Timer_TIMER_LIVENESS {
			break
		}
		b = ev.GetBecause()
		n++
	}
	if n > 0 {
		note += " after " + replay.Count(n, "check")
	}
	return b, note
}

// follow adds an edge to row and its other end to what is to be explained.
func (c *chain) follow(row *Row, sa uint64, b *record.Because, note string) {
	e := Edge{Kind: b.GetEdge(), To: b.GetStep(), Root: b.GetRoot(), Note: note}
	if e.Kind == record.Edge_EDGE_ROOT {
		e.To = 0
		if e.Root == record.Root_ROOT_UNSPECIFIED {
			c.broken = append(c.broken, row.Step)
		}
		row.Edges = append(row.Edges, e)
		return
	}
	row.Edges = append(row.Edges, e)
	to := place{step: e.To, index: int(b.GetIndex()), sa: sa}
	if e.Kind == record.Edge_EDGE_DECIDED {
		to.index = -1 // it names a step, not an effect
	}
	if !c.full {
		to = c.fold(to, row.Step)
	}
	c.todo = append(c.todo, to)
}

// fold leads into the beginning of a set-up in place of its middle.
func (c *chain) fold(to place, from uint64) place {
	sa, ok := c.s.catalog.SA(to.sa)
	if !ok || sa.Established == 0 || from <= sa.First {
		return to
	}
	for _, entered := range sa.Entered {
		if entered.Phase == record.Phase_PHASE_ESTABLISHED && to.step < entered.Step && to.step > sa.Entered[0].Step {
			return place{step: sa.Entered[0].Step, index: -1, sa: to.sa}
		}
	}
	return to
}

// Ends says where the chain ends elsewhere than at a root; empty when it does not.
func (c *chain) Ends() string {
	switch {
	case len(c.broken) > 0:
		return fmt.Sprintf("the chain ends at step %d, which names no cause: that is a bug of ikejd", c.broken[0])
	case len(c.todo) > 0:
		return fmt.Sprintf("the chain goes on: %d rows are enough; try: ikejd why %d", mostRows, c.rows[len(c.rows)-1].Step)
	case len(c.gone) > 0:
		return fmt.Sprintf("the chain goes on at step %d, before this journal begins", c.gone[0])
	}
	return ""
}
