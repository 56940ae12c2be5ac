package reducer

import (
	"testing"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// TestNames: a thing has the same word here, in the printer of the journal and, by its number, in the schema.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		last   any
		ours   int
		schema map[int32]string
	}{
		{Rekeyed, int(Rekeyed), record.Phase_name}, {ChildRekeyed, int(ChildRekeyed), record.ChildPhase_name},
		{NotRecovered, int(NotRecovered), record.Cause_name}, {wishRekeyIKE, int(wishRekeyIKE), record.Wish_name},
		{lifeTimer, int(lifeTimer), record.Timer_name}, {RootStart, int(RootStart), record.Root_name},
		{EdgeDecided, int(EdgeDecided), record.Edge_name},
	} {
		if len(c.schema) != c.ours+1 || c.schema[int32(c.ours)] == "" {
			t.Errorf("%T ends with %d, the schema has %d values", c.last, c.ours, len(c.schema))
		}
	}
	for v := range record.Phase_name {
		sameWord(t, Phase(v).String(), text.Phase(record.Phase(v)))
	}
	for v := range record.ChildPhase_name {
		sameWord(t, ChildPhase(v).String(), text.ChildPhase(record.ChildPhase(v)))
	}
	for v := range record.Cause_name {
		sameWord(t, Cause(v).String(), text.Cause(record.Cause(v)))
	}
	for v := range record.Wish_name {
		sameWord(t, Wish(v).String(), text.Wish(record.Wish(v)))
	}
	for v := range record.Timer_name {
		sameWord(t, TimerKind(v).String(), text.Timer(record.Timer(v)))
	}
}

func sameWord(t *testing.T, ours, printed string) {
	t.Helper()
	if ours != printed {
		t.Errorf("here it is %q, in the journal %q", ours, printed)
	}
}
