package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// The end of an IKE SA: once, with a cause that the journal bears out, and nothing outlives it.

var del09 = &Rule{ID: "DEL-09", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	if s == nil || s.ended == 0 || e.GetChildSa() != 0 {
		return
	}
	if e.GetDiscarded() != nil || e.GetChanged() != nil {
		n.violation(s, []uint64{s.endStep}, "it ended at step %d already", s.endStep)
	}
}}}

// DEL-10: an end from Established needs what excuses it, and the event at hand must bear that out.
var del10 = &Rule{ID: "DEL-10", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	d := e.GetDiscarded()
	if d == nil || s == nil || s.ended != 0 || d.GetFrom() != record.Phase_PHASE_ESTABLISHED {
		return
	}
	fired := n.ev.GetTimerFired()
	excused := false
	switch d.GetCause() {
	case record.Cause_CAUSE_UNANSWERED:
		excused = fired != nil
	case record.Cause_CAUSE_UNACKNOWLEDGED, record.Cause_CAUSE_CUT_OFF:
		excused = fired.GetTimer() == record.Timer_TIMER_DISCARD || fired.GetTimer() == record.Timer_TIMER_SHUTDOWN
	case record.Cause_CAUSE_SUPERSEDED:
		excused = n.ev.GetAuthenticated() != nil
	case record.Cause_CAUSE_REPLACED:
		excused = n.in != nil
	case record.Cause_CAUSE_DAMAGED:
		excused = n.in != nil && n.in.protected && (!n.in.response || n.in.failed(ike.NotifyInvalidSyntax))
	case record.Cause_CAUSE_NOT_RECOVERED:
		excused = n.ev.GetRecovered() != nil
	}
	if !excused {
		n.warning(s, nil, "it ends without a Delete, as %s, and nothing here bears that out", causeName(d.GetCause()))
	}
}}}

// DEL-11: a shutdown may shorten the last resort, once; a new run arms it again.
var del11 = &Rule{ID: "DEL-11", hooks: hooks{
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		t := e.GetSetTimer()
		if s == nil || t.GetTimer() != record.Timer_TIMER_DISCARD {
			return
		}
		old := s.timers[record.Timer_TIMER_DISCARD]
		switch {
		case !old.on:
		case n.j.order.on && !s.closing.shortened && int64(t.GetDeadline()) <= old.deadline:
			s.closing.shortened = true
		default:
			n.violation(s, []uint64{old.at.step}, "the discard deadline, %s away, is set again to %s", seconds(old.deadline-n.time), seconds(int64(t.GetDeadline())-n.time))
		}
	},
	after: func(n *now, s *ikeSA) {
		if s.phase == record.Phase_PHASE_DELETING && s.alive() && !s.timers[record.Timer_TIMER_DISCARD].on && n.once(s) {
			n.violation(s, []uint64{s.phaseStep}, "it is being deleted, and no discard deadline is armed")
		}
	},
}}

// DEL-12: the step that ends an IKE SA ends its children.
var del12 = &Rule{ID: "DEL-12", hooks: hooks{after: func(n *now, s *ikeSA) {
	if s.deathsNow == 0 && !s.endedNow {
		return
	}
	for i := range s.children {
		if c := &s.children[i]; c.phase != record.ChildPhase_CHILD_PHASE_REMOVED {
			n.violation(s, nil, "child%d outlives it", c.number)
		}
	}
}}}

// REC-03: numbers are never used again, so nothing may be ordered for an SA that is gone but the removal of what came too
// late.
var rec03 = &Rule{ID: "REC-03", hooks: hooks{
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		if s == nil || s.ended == 0 {
			return
		}
		switch e.GetKind().(type) {
		case *record.Effect_Record, *record.Effect_Resend, *record.Effect_SetTimer, *record.Effect_Wanted, *record.Effect_InstallChild,
			*record.Effect_MakeAuth, *record.Effect_CheckAuth, *record.Effect_Agree, *record.Effect_MakeKeyShare, *record.Effect_AllocateSpi:
			n.violation(s, []uint64{s.endStep}, "it was discarded at step %d, and acts again", s.endStep)
		}
	},
	snapshot: func(n *now, snap *record.Snapshot) {
		for _, sa := range snap.GetIkeSas() {
			if s := n.a.table.find(sa.GetNumber()); s != nil && s.ended != 0 {
				n.violation(s, []uint64{s.endStep}, "it was discarded at step %d, and is in the State", s.endStep)
			}
		}
	},
}}
