package daemon

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/replaytest"
)

// Segments go when they are old, but for those with a part of an SA that ended after the last old one did: the snapshot
// that follows still has it, the State of now has not.
func TestPrune(t *testing.T) {
	for _, c := range []struct {
		name  string
		alive bool // the SA still is: what it needs is in the snapshots
		want  int  // segments that stay, the open one among them
	}{{"its SA has ended since", false, 4}, {"its SA lives", true, 1}} {
		t.Run(c.name, func(t *testing.T) {
			n := opened(t, t.TempDir(), answering)
			defer func() {
				if err := n.close(); err != nil {
					t.Error(err)
				}
			}()
			s := replaytest.New(t)
			s.Start("0.9.2", replaytest.Connection("gw-east", "203.0.113.9"))
			n.roll(s.State(), 1) // before the SA
			s.Up("gw-east")
			snapshot := s.State()
			first := snapshot.SA(1).CreatedStep
			n.roll(snapshot, int(first)+1)
			n.roll(snapshot, 2)
			n.roll(snapshot, 2)
			now := reducer.New()
			if c.alive {
				now = snapshot
			}
			last, err := n.journal.Segments()
			if err != nil {
				t.Fatal(err)
			}
			oldest, err := n.oldestNeeded(last[len(last)-2], now)
			if err != nil {
				t.Fatal(err)
			}
			gone, err := n.journal.Prune(time.Unix(1<<32, 0), func(s journal.SegmentInfo) bool { return s.Last >= oldest }, true)
			if err != nil || len(last)-len(gone) != c.want {
				t.Errorf("%d of %d segments stay, want %d (oldest step needed: %d) %v", len(last)-len(gone), len(last), c.want, oldest, err)
			}
		})
	}
}

// roll appends records and closes the segment.
func (n *node) roll(state reducer.State, records int) {
	n.t.Helper()
	next := n.journal.Last().Step + 1
	b := &journal.Batch{First: next, Time: int64(next)}
	for range records {
		b.Records = append(b.Records, []byte("a record"))
	}
	snapshot, err := proto.Marshal(state.Snapshot())
	if err == nil {
		err = n.journal.Append(b)
	}
	if err == nil {
		err = n.journal.Roll(snapshot, nil)
	}
	if err != nil {
		n.t.Fatal(err)
	}
}
