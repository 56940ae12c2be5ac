package audit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/replaytest"
)

// life is a journal of the real reducer in which each kind of event has its turn.
func life(t testing.TB) *replaytest.Script {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"), replaytest.Connection("gw-lab", "198.51.100.4"))
	east := s.Up("gw-east")
	lab := s.Accept("gw-lab", false)
	s.Wait(time.Minute)
	s.PeerAsks(lab, ike.INFORMATIONAL)
	s.Close(east)
	s.Fire(east, record.Timer_TIMER_RETRANSMIT)
	s.Wait(190 * time.Millisecond)
	s.Answer(east)
	removed(s)
	s.PeerDeletes(lab)
	removed(s)
	s.Fire(lab, record.Timer_TIMER_LINGER)
	s.Wait(time.Second)
	s.Recover("0.2.0")
	s.Up("gw-east")
	s.Up("gw-lab")
	s.Shutdown(30 * time.Second)
	s.Answer(3)
	removed(s)
	s.Silence(4)
	removed(s)
	s.End("SIGTERM")
	return s
}

// removed is the kernel's answer to the removals of the last step.
func removed(s *replaytest.Script) {
	step := s.Step()
	for i, e := range slices.Clone(s.Effects()) {
		if e.Kind == reducer.EffectRemoveChild {
			s.Event(&record.Event{IkeSa: e.SA, Because: &record.Because{Edge: record.Edge_EDGE_ANSWERS, Step: step, Index: uint32(i)},
				Kind: &record.Event_ChildRemoved{ChildRemoved: &record.ChildRemoved{ChildSa: e.Child}}})
		}
	}
}

func TestTheReducersJournalIsClean(t *testing.T) {
	a := audit.New()
	for _, r := range life(t).Records() {
		for _, f := range a.Record(r) {
			t.Error(f)
		}
	}
	for _, f := range a.End().Last {
		if f.Rule != "KEY-04" {
			t.Error(f)
		}
	}
}
