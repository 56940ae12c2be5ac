package audit_test

import (
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
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
	s.PeerDeletes(lab)
	s.Fire(lab, record.Timer_TIMER_LINGER)
	s.Wait(time.Second)
	s.Recover("0.2.0")
	s.Up("gw-east")
	s.Up("gw-lab")
	s.Shutdown(30 * time.Second)
	s.Answer(3)
	s.Silence(4)
	s.End("SIGTERM")
	return s
}

func TestTheReducersJournalIsClean(t *testing.T) {
	a := audit.New()
	for _, r := range life(t).Records() {
		for _, f := range a.Record(r) {
			t.Error(f)
		}
	}
	for _, f := range a.End().Last {
		t.Log(f)
	}
}
