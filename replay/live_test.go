package replay_test

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
)

// written is a journal of life that somebody still writes: closed up to step roll, open behind it.
func written(t *testing.T, roll, last uint64) (string, *journal.Journal, func(upto uint64)) {
	t.Helper()
	s := replaytest.Life(t)
	dir := filepath.Join(t.TempDir(), "journal")
	j, err := journal.Open(dir, journal.Options{NoPrewrite: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	steps, next := s.Source().Steps, uint64(1)
	write := func(upto uint64) {
		for ; next <= upto; next++ {
			if err := j.Append(&journal.Batch{First: next, Time: int64(next), Records: [][]byte{steps[next-1].Data}}); err != nil {
				t.Error(err)
			}
		}
	}
	write(roll)
	if err := j.Roll(s.After(roll).Snap, nil); err != nil {
		t.Fatal(err)
	}
	write(last)
	return dir, j, write
}

// While a daemon has the open segment the closed ones are read, at once and with who has it.
func TestClosedSegmentsOnly(t *testing.T) {
	dir, _, _ := written(t, 20, 25)
	src, err := replay.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if !src.Live() || !strings.Contains(src.Where(), "closed segments only: a daemon (pid "+strconv.Itoa(os.Getpid())+")") {
		t.Errorf("%s, live %v", src.Where(), src.Live())
	}
	if r := verify(t, src, replay.Options{}); !r.Equal() || r.Last != 20 {
		t.Errorf("%d steps: %+v", r.Last, r.Divergences)
	}
}

// running is a Follower as the daemon's own journal is one.
type running struct{ *journal.Journal }

func (r running) Follow(ctx context.Context, from uint64) iter.Seq2[journal.Entry, error] {
	return r.Journal.Follow(ctx, from)
}

// A walk over a running daemon's journal goes on with each new step, until it is stopped.
func TestWalkOn(t *testing.T) {
	dir, j, write := written(t, 20, 22)
	src, err := replay.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen []uint64
	for step, err := range replay.WalkOn(ctx, src, running{j}, 21) {
		if err != nil {
			break
		}
		seen = append(seen, step.Record.GetStep())
		if step.Before.Step() != step.Record.GetStep()-1 {
			t.Fatalf("step %d begins at the State after %d", step.Record.GetStep(), step.Before.Step())
		}
		switch step.Record.GetStep() {
		case 22:
			write(24)
		case 24:
			cancel()
		}
	}
	if len(seen) != 4 || seen[0] != 21 || seen[3] != 24 {
		t.Errorf("seen: %v", seen)
	}
}
