package audit

import "github.com/ikejd/ikejd/proto/record"

// Shutdown (PROTOCOL.md D-19, D-23): every SA ends and is named, at its pace, within the budget, and the report is true.

// SHU-01: the report comes when no SA is left, or the budget is over; and it does come.
var shu01 = &Rule{ID: "SHU-01", hooks: hooks{
	settled: func(n *now) {
		o := &n.j.order
		if !o.on || o.keep || n.j.excerpt {
			return
		}
		for _, e := range n.r.GetEffects() {
			if e.GetReport() != nil && n.j.live > 0 {
				n.violation(nil, []uint64{o.step}, "the shutdown is reported over, and %d SAs are there", n.j.live)
			}
		}
		if n.ev.GetRunEnded() != nil && !o.reported {
			n.violation(nil, []uint64{o.step}, "the run ends without a report, %d SAs are there", n.j.live)
		}
	},
}}

// SHU-03: an SA that was up and ends without a Delete needs a cause that excuses it.
var shu03 = &Rule{ID: "SHU-03", hooks: hooks{
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		d := e.GetDiscarded()
		if d == nil || s == nil || !n.j.order.on || n.j.order.keep || s.established == 0 || s.closing.deleteStep != 0 || s.ended != 0 {
			return
		}
		switch d.GetCause() {
		case record.Cause_CAUSE_NONE, record.Cause_CAUSE_ACKNOWLEDGED, record.Cause_CAUSE_UNACKNOWLEDGED, record.Cause_CAUSE_BOTH_AT_ONCE:
			n.violation(s, []uint64{n.j.order.step}, "it ends in the shutdown as %s, and no Delete was recorded", causeName(d.GetCause()))
		}
	},
	settled: func(n *now) {
		if n.ev.GetRunEnded() == nil || !n.j.order.on || n.j.order.keep {
			return
		}
		n.a.table.each(func(s *ikeSA) {
			if s.alive() && s.established != 0 && s.closing.deleteStep == 0 && !s.closing.peerAsked {
				n.violation(s, []uint64{n.j.order.step}, "the run ends, and its peer got no Delete")
			}
		})
	},
}}

// paceState is how many Deletes left within 100 ms.
type paceState struct {
	since int64
	sent  int64
	told  bool
}

// SHU-04: PROTOCOL.md D-23: 2,000 a second, or as many more as close all within a third of the budget. Twice that is
// allowed here: Deletes that waited behind other requests leave when those are answered.
var shu04 = &Rule{ID: "SHU-04", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	o, p := &n.j.order, &n.j.pace
	if m.copy || m.response || m.ikeDelete == 0 || !o.on || p.told {
		return
	}
	if n.time-p.since >= 100*ms {
		*p = paceState{since: n.time}
	}
	third := max((o.ends-o.began)/3, 50*ms)
	rate := max(int64(orDefault(n.j.settings.GetShutdownRate(), 2000)), o.liveAt*second/third+1)
	if p.sent++; p.sent > rate/5+50 {
		n.warning(s, []uint64{o.step}, "%d Deletes within %s; the pace is %d a second", p.sent, seconds(n.time-p.since), rate)
		p.told = true
	}
}}}

// SHU-05: any record later than the budget and 1 s says that the daemon is still there.
var shu05 = &Rule{ID: "SHU-05", hooks: hooks{record: func(n *now) {
	o := &n.j.order
	if !o.on || o.late || n.ev.GetRecovered() != nil || n.ev.GetStarted() != nil || n.time <= o.ends+second {
		return
	}
	o.late = true
	n.violation(nil, []uint64{o.step}, "the budget ended %s ago, and the daemon is still there", seconds(n.time-o.ends))
}}}

var shu06 = &Rule{ID: "SHU-06", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if !m.copy && !m.response && m.ikeDelete > 0 && n.j.order.on && len(s.open) > 0 && m.id >= s.open[0].id+s.window {
		n.violation(s, []uint64{n.j.order.step, s.open[0].of.step}, "the Delete, request %d, leaves while %s is unanswered", m.id, s.openIDs())
	}
}}}

// SHU-07: the report's counts are the ends since the order, and each line is an SA that ended so.
// mostNamed is how many SAs a report names.
const mostNamed = 1000

var shu07 = &Rule{ID: "SHU-07", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	r, o := e.GetReport(), &n.j.order
	if r == nil || !o.on {
		return
	}
	if n.j.excerpt {
		n.inconclusive(nil, "the SAs left out of this case file", "the report is of all SAs")
		return
	}
	var said [causes]uint64
	for _, c := range r.GetCounts() {
		if c.GetCause() >= 0 && int(c.GetCause()) < causes {
			said[c.GetCause()] += c.GetCount()
		}
	}
	for cause := range said {
		if said[cause] != o.tally[cause] {
			n.violation(nil, []uint64{o.step}, "the report says %d %s, the journal %d", said[cause], causeName(record.Cause(cause)), o.tally[cause])
		}
	}
	unheard := o.tally[record.Cause_CAUSE_UNACKNOWLEDGED] + o.tally[record.Cause_CAUSE_CUT_OFF] + o.tally[record.Cause_CAUSE_UNANSWERED]
	if named := uint64(len(r.GetLines())); named < min(unheard, mostNamed) {
		n.violation(nil, []uint64{o.step}, "the report names %d SAs of which the peer may not know, and there are %d", named, unheard)
	}
	for _, l := range r.GetLines() {
		if sa := n.a.table.find(l.GetIkeSa()); sa != nil && (sa.ended == 0 || sa.cause != l.GetCause()) {
			n.violation(sa, []uint64{sa.endStep}, "the report calls it %s, the journal %s", causeName(l.GetCause()), causeName(sa.cause))
		}
	}
}}}

// SHU-08: with --keep-sas the run leaves everything as it is, and the next finds it.
var shu08 = &Rule{ID: "SHU-08", hooks: hooks{
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		if !n.j.order.on || !n.j.order.keep || n.in != nil || n.ev.GetTimerFired() != nil || n.ev.GetBecause().GetEdge() == record.Edge_EDGE_ANSWERS || n.ev.GetCloseAsked() != nil {
			return
		}
		switch e.GetKind().(type) {
		case *record.Effect_Discarded, *record.Effect_RemoveChild, *record.Effect_DestroyKeys:
			n.violation(s, []uint64{n.j.order.step}, "SAs are to be kept, and one is taken apart")
		case *record.Effect_Wanted:
			if e.GetWanted().GetWish() == record.Wish_WISH_DELETE_IKE {
				n.violation(s, []uint64{n.j.order.step}, "SAs are to be kept, and one is to be deleted")
			}
		}
	},
	record: func(n *now) {
		if r := n.ev.GetRecovered(); r != nil && n.j.order.on && n.j.order.keep && len(r.GetWithoutKeys()) > 0 {
			n.violation(n.a.table.find(r.GetWithoutKeys()[0]), []uint64{n.j.order.step}, "SAs were kept, and %d have no keys", len(r.GetWithoutKeys()))
		}
	},
}}
