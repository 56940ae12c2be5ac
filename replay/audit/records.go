package audit

import (
	"github.com/ikejd/ikejd/proto/record"
)

// The journal itself, and this audit.

// JRN-01: numbers; the chain over them is `ikejd journal verify`'s.
var jrn01 = &Rule{ID: "JRN-01", Limits: "Step numbers only: the chain of hashes is below the records, and ikejd journal verify checks it.",
	hooks: hooks{record: func(n *now) {
		if n.j.step != 0 && n.step != n.j.step+1 && (!n.j.excerpt || n.step <= n.j.step) {
			n.violation(nil, nil, "it follows step %d", n.j.step)
		}
	}}}

// JRN-02: octets are there where the journal is read; a live audit sees the record alone.
var jrn02 = &Rule{ID: "JRN-02", hooks: hooks{record: func(n *now) {
	switch {
	case n.j.encodedSeen && !n.j.reencoded:
		n.violation(nil, nil, "decoded and encoded again it is other octets")
	case len(n.r.ProtoReflect().GetUnknown())+len(n.ev.ProtoReflect().GetUnknown()) > 0:
		n.violation(nil, nil, "it has fields that are not in the schema")
	}
}}}

// JRN-06: a run begins with Started or Recovered, and asks again for what the run before had open.
var jrn06 = &Rule{ID: "JRN-06", Limits: "That the number of the last durable record and the kernel's listing are in Recovered, the schema does not allow yet.",
	hooks: hooks{
		record: func(n *now) {
			starts := n.ev.GetStarted() != nil || n.ev.GetRecovered() != nil
			switch {
			case n.step == 1 && n.ev.GetStarted() == nil:
				n.violation(nil, nil, "the journal does not begin with Started")
			case n.j.ended && !starts && n.ev.GetBecause().GetEdge() != record.Edge_EDGE_ANSWERS: // what was asked for may still be answered
				n.violation(nil, []uint64{n.j.step}, "the run has ended, and events go on")
			case n.ev.GetStarted() != nil && n.j.live > 0:
				n.violation(nil, nil, "a run begins with nothing, and %d SAs were there", n.j.live)
			}
		},
		settled: func(n *now) {
			if !n.j.takenOver {
				return
			}
			n.a.table.each(func(s *ikeSA) {
				lost := s.lostAsks &^ s.askedAgain
				if s.lostAsks = 0; !s.alive() {
					lost &= 1 << askRemove // what the kernel holds outlives its SA
				}
				for k := askShare; k <= askRemove; k++ {
					if lost&(1<<k) != 0 {
						n.violation(s, nil, "the run before waited for %v, and it is not asked for again", k)
					}
				}
			})
		},
	}}

// JRN-07: where the journal was cut, a snapshot knows each SA that lives.
var jrn07 = &Rule{ID: "JRN-07", hooks: hooks{after: func(n *now, s *ikeSA) {
	if !s.bornNow || !s.partial || n.a.table.evicted > 0 {
		return
	}
	switch {
	case n.j.fromStart && s.ended == 0 && n.lives(s.number):
		n.violation(nil, nil, "ike%d lives, and no record and no snapshot has its beginning", s.number)
	case !n.j.fromStart && n.once(s):
		n.inconclusive(s, "the records before this audit began, or a snapshot", "ike%d is judged without its beginning", s.number)
	}
}}}

// lives reports whether the record orders something that only a living SA has.
func (n *now) lives(number uint64) bool {
	for _, e := range n.r.GetEffects() {
		if e.GetIkeSa() != number {
			continue
		}
		switch e.GetKind().(type) {
		case *record.Effect_Record, *record.Effect_Resend, *record.Effect_SetTimer, *record.Effect_Wanted, *record.Effect_Discarded, *record.Effect_InstallChild:
			return true
		}
	}
	return false
}

// JRN-09: runs are counted up.
var jrn09 = &Rule{ID: "JRN-09", hooks: hooks{record: func(n *now) {
	run := uint64(0)
	switch k := n.ev.GetKind().(type) {
	case *record.Event_Started:
		run = k.Started.GetRun()
	case *record.Event_Recovered:
		run = k.Recovered.GetRun()
	default:
		return
	}
	if n.j.runsKnown && run <= n.j.run {
		n.violation(nil, []uint64{n.j.runStep}, "run %d begins after run %d", run, n.j.run)
	}
}}}

// AUD-01: the first that was forgotten, then each tenfold.
var aud01 = &Rule{ID: "AUD-01", hooks: hooks{settled: func(n *now) {
	t := &n.a.table
	for due := uint64(1); due <= t.evicted; due *= 10 {
		if t.evicted == due && !t.noted {
			n.note(nil, nil, "%d SAs were forgotten to keep within %d, the last is ike%d", t.evicted, t.most, t.lost)
			t.noted = true
			return
		}
	}
}}}

// AUD-03: a published State and the rules' own count agree: phases, requests in flight, children, ids.
var aud03 = &Rule{ID: "AUD-03", hooks: hooks{snapshot: func(n *now, snap *record.Snapshot) {
	if uint64(n.j.live) != uint64(len(snap.GetIkeSas())) {
		n.violation(nil, nil, "the State holds %d SAs, the rules count %d", len(snap.GetIkeSas()), n.j.live)
	}
	for _, sa := range snap.GetIkeSas() {
		s := n.a.table.find(sa.GetNumber())
		if s == nil {
			if n.a.table.evicted == 0 {
				n.violation(nil, nil, "the State holds ike%d, the rules do not know it", sa.GetNumber())
			}
			continue
		}
		w := sa.GetWindow()
		open := map[uint32]bool{}
		for _, o := range w.GetInFlight() {
			open[o.GetMessageId()] = true
		}
		same := len(open) == len(s.open)
		for _, r := range s.open {
			same = same && open[r.id]
		}
		switch {
		case s.phase != sa.GetPhase():
			n.violation(s, []uint64{s.phaseStep}, "the State says %s, the rules %s", phaseName(sa.GetPhase()), phaseName(s.phase))
		case !same:
			n.violation(s, nil, "the State has %d requests open, the rules count %s", len(open), orNone(s.openIDs()))
		case uint64(w.GetNextOut()) != s.nextOut || w.GetNextIn() != s.nextIn:
			n.violation(s, nil, "the State expects ids %d and %d next, the rules %d and %d", w.GetNextOut(), w.GetNextIn(), s.nextOut, s.nextIn)
		case len(sa.GetChildren()) != s.living():
			n.violation(s, nil, "the State has %d children, the rules count %d", len(sa.GetChildren()), s.living())
		}
	}
}}}

// living is how many Child SAs are not removed.
func (s *ikeSA) living() int {
	n := 0
	for i := range s.children {
		if s.children[i].phase != record.ChildPhase_CHILD_PHASE_REMOVED {
			n++
		}
	}
	return n
}
