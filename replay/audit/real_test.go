package audit_test

import (
	"testing"

	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/replaytest"
)

func TestTheReducersJournalIsClean(t *testing.T) {
	a := audit.New()
	for _, r := range replaytest.Life(t).Records() {
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
