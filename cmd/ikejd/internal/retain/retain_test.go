package retain_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/retain"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/replaytest"
)

// long is after every record of these tests.
var long = time.Unix(1<<32, 0)

// Segments go when they are old, but for those with a part of an SA that ended after the last old one did: the snapshot
// that follows still has it, the State of now has not. Who only reads the journal comes to the same.
func TestPrune(t *testing.T) {
	for _, c := range []struct {
		name  string
		alive bool // the SA still is: what it needs is in the snapshots
		want  int  // segments that stay, the open one among them
	}{{"its SA has ended since", false, 4}, {"its SA lives", true, 1}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			j, err := journal.Open(dir, journal.Options{NoPrewrite: true})
			if err != nil {
				t.Fatal(err)
			}
			s := replaytest.New(t)
			s.Start("0.9.2", replaytest.Connection("gw-east", "203.0.113.9"))
			roll(t, j, s.State(), 1) // before the SA
			s.Up("gw-east")
			snapshot := s.State()
			roll(t, j, snapshot, int(snapshot.SA(1).CreatedStep)+1)
			roll(t, j, snapshot, 2)
			roll(t, j, snapshot, 2)
			now := reducer.New()
			if c.alive {
				now = snapshot
			}
			all := segments(t, j)
			plan, err := retain.Preview(j, dir, now, long)
			if err != nil || len(all)-len(plan) != c.want || len(segments(t, j)) != len(all) {
				t.Errorf("%d of %d segments would stay, want %d %v", len(all)-len(plan), len(all), c.want, err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := journal.OpenReader(dir)
			if err != nil {
				t.Fatal(err)
			}
			read, err := retain.Plan(r, now, long)
			if err != nil || !slices.Equal(names(read), names(plan)) {
				t.Errorf("a reader would remove %v, the writer %v %v", names(read), names(plan), err)
			}
			r.Close()
			if j, err = journal.Open(dir, journal.Options{NoPrewrite: true}); err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			gone, err := retain.Prune(j, dir, now, long)
			if err != nil || !slices.Equal(names(gone), names(plan)) || len(segments(t, j)) != c.want {
				t.Errorf("%v are gone, want %v; %d stay %v", names(gone), names(plan), len(segments(t, j)), err)
			}
		})
	}
}

// What is young stays, whatever it holds.
func TestYoung(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{NoPrewrite: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for range 3 {
		roll(t, j, reducer.New(), 4)
	}
	for step, want := range map[int64]int{0: 0, 5: 1, 9: 2, 13: 3} { // times are the steps that batches begin with: 1, 5, 9
		if plan, err := retain.Preview(j, dir, reducer.New(), time.Unix(0, step)); err != nil || len(plan) != want {
			t.Errorf("before %d: %v, want %d %v", step, names(plan), want, err)
		}
	}
}

func segments(t *testing.T, j *journal.Journal) []journal.SegmentInfo {
	t.Helper()
	all, err := j.Segments()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func names(segments []journal.SegmentInfo) (all []string) {
	for _, s := range segments {
		all = append(all, s.Name)
	}
	return all
}

// roll appends records and closes the segment.
func roll(t *testing.T, j *journal.Journal, state reducer.State, records int) {
	t.Helper()
	next := j.Last().Step + 1
	b := &journal.Batch{First: next, Time: int64(next)}
	for range records {
		b.Records = append(b.Records, []byte("a record"))
	}
	snapshot, err := proto.Marshal(state.Snapshot())
	if err == nil {
		err = j.Append(b)
	}
	if err == nil {
		err = j.Roll(snapshot, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}
