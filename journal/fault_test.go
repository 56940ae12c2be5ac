package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func oneRecord(step uint64) *Batch {
	return &Batch{First: step, Time: int64(step), Records: [][]byte{fill8(step, 100)}}
}

// After a sync that failed nothing is tried again: every Append and Roll returns that error, the step does not show,
// and the next start finds the steps acknowledged, and makes them durable once more before it goes on.
func TestSyncErrorSticks(t *testing.T) {
	dir := memDir(t)
	var fail error
	syncs := 0
	o := Options{NoPrewrite: true, sync: func(do func() error) error {
		if syncs++; fail != nil {
			return fail
		}
		return do()
	}}
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for step := range uint64(10) {
		if err := j.Append(oneRecord(step + 1)); err != nil {
			t.Fatal(err)
		}
	}
	fail = unix.EIO
	first := j.Append(oneRecord(11))
	if !errors.Is(first, unix.EIO) || !strings.Contains(first.Error(), "look after the disk") {
		t.Fatalf("the failing sync gave %v", first)
	}
	fail = nil
	before := syncs
	for _, again := range []error{j.Append(oneRecord(11)), j.Append(oneRecord(12)), j.Roll(nil, nil)} {
		if again != first {
			t.Errorf("after a failed sync: %v", again)
		}
	}
	if syncs != before {
		t.Error("a sync was tried again after one had failed")
	}
	if j.Last().Step != 10 || j.NeedsRoll() {
		t.Errorf("the journal shows step %d, which is not durable", j.Last().Step)
	}
	for e, err := range j.Read(10) {
		if err != nil || e.Step != 10 {
			t.Errorf("step %d is read, %v", e.Step, err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // also the start can fail, and be tried again
		fail = unix.EIO
		if _, err := Open(dir, o); !errors.Is(err, unix.EIO) {
			t.Fatalf("opening on a disk that fails: %v", err)
		}
	}
	fail, syncs = nil, 0
	j, err = Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if j.Last().Step < 10 || syncs < 3 { // the lock, the segment written again, the mark
		t.Errorf("opened at step %d after %d syncs", j.Last().Step, syncs)
	}
	if err := j.Append(oneRecord(j.Last().Step + 1)); err != nil {
		t.Error(err)
	}
}

// A roll whose sync fails leaves the old segment as it was.
func TestRollErrorSticks(t *testing.T) {
	for after := range 3 {
		t.Run(fmt.Sprint("sync ", after), func(t *testing.T) {
			dir := memDir(t)
			left := 1000
			o := Options{NoPrewrite: true, sync: func(do func() error) error {
				if left--; left < 0 {
					return unix.EIO
				}
				return do()
			}}
			j, err := Open(dir, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Append(oneRecord(1)); err != nil {
				t.Fatal(err)
			}
			left = after
			err = j.Roll([]byte("snapshot"), []VaultChange{{1, []byte("one")}})
			if (after < 2) != (err != nil) {
				t.Fatalf("roll with sync %d failing: %v", after, err)
			}
			if err != nil && j.Append(oneRecord(2)) != err {
				t.Error("the error does not stick")
			}
			left = 1000
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if j, err = Open(dir, o); err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			if j.Last().Step != 1 {
				t.Errorf("opened at step %d", j.Last().Step)
			}
			if err := j.Append(oneRecord(2)); err != nil {
				t.Error(err)
			}
		})
	}
}

// What the caller got wrong is an error that does not stick.
func TestAppendRefuses(t *testing.T) {
	j, err := Open(memDir(t), Options{NoPrewrite: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for _, b := range []*Batch{oneRecord(0), oneRecord(2), {First: 1, Records: [][]byte{make([]byte, maxRecord+1)}}} {
		if err := j.Append(b); err == nil {
			t.Errorf("a batch of step %d was taken", b.First)
		}
	}
	if err := j.Append(oneRecord(1)); err != nil {
		t.Error(err)
	}
}

// A journal that a daemon has is refused within about a second, with the daemon's process id; reading is not, and a
// reader keeps no daemon from starting.
func TestLock(t *testing.T) {
	dir := memDir(t)
	j, err := Open(dir, Options{NoPrewrite: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append(oneRecord(1)); err != nil {
		t.Fatal(err)
	}
	if err := j.Roll([]byte("snapshot"), nil); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(oneRecord(2)); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err = Open(dir, Options{})
	want := fmt.Sprintf("journal is in use by ikejd (pid %d); try: ikejd journal export -o F", os.Getpid())
	if err == nil || err.Error() != want || time.Since(begin) > 10*time.Second {
		t.Errorf("opened twice: %v after %v", err, time.Since(begin))
	}
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !r.LiveTail() || r.First() != 1 || r.Last().Step != 1 {
		t.Errorf("beside a daemon: live %v, steps %d to %d", r.LiveTail(), r.First(), r.Last().Step)
	}
	report, err := Verify(dir)
	if err != nil || !report.LiveTail || report.Steps != 1 || len(report.Damage) > 0 {
		t.Errorf("verify beside a daemon: %+v, %v", report, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err = OpenReader(dir); err != nil || r.LiveTail() || r.Last().Step != 2 {
		t.Fatalf("without a daemon: %+v, %v", r, err)
	}
	if step, data, err := r.SnapshotBefore(2); err != nil || step != 1 || string(data) != "snapshot" {
		t.Errorf("snapshot before step 2: %d, %q, %v", step, data, err)
	}
	if step, data, err := r.SnapshotBefore(1); err != nil || step != 0 || data != nil {
		t.Errorf("snapshot before step 1: %d, %q, %v", step, data, err)
	}
	if j, err = Open(dir, Options{NoPrewrite: true}); err != nil {
		t.Fatalf("a reader keeps a daemon from starting: %v", err)
	}
	j.Close()
}

// A spare that is not as it was made is not used.
func TestBadSpare(t *testing.T) {
	dir := memDir(t)
	j, err := Open(dir, Options{SegmentBytes: crashSegment})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	j.ahead.Wait()
	spare := filepath.Join(dir, spareName)
	sound, err := os.ReadFile(spare)
	if err != nil || len(sound) != crashSegment || !isFresh(spare) {
		t.Fatalf("the spare has %d octets, %v", len(sound), err)
	}
	for step, bad := range [][]byte{
		nil, sound[:100], sound[:3*pageSize], make([]byte, crashSegment),
		append(make([]byte, pageSize), sound[pageSize:]...),
		append(append([]byte{}, sound[:3*pageSize]...), make([]byte, crashSegment-3*pageSize)...),
	} {
		if err := os.WriteFile(spare, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := j.Append(oneRecord(uint64(step) + 1)); err != nil {
			t.Fatal(err)
		}
		if err := j.Roll([]byte("s"), nil); err != nil {
			t.Fatalf("spare %d: %v", step, err)
		}
		j.ahead.Wait()
	}
	if segments, err := j.Segments(); err != nil || len(segments) != 7 || j.Last().Step != 6 {
		t.Errorf("%d segments, %v", len(segments), err)
	}
	if !isFresh(spare) {
		t.Error("the last spare was not made anew")
	}
}

// NeedsRoll looks at the size and at the age, in the time of the records, and never asks for a segment without one.
func TestNeedsRoll(t *testing.T) {
	j, err := Open(memDir(t), Options{SegmentBytes: crashSegment, SegmentAge: time.Hour, NoPrewrite: true, sync: withoutSync})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	begin := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	step := uint64(0)
	at := func(age time.Duration, size int, want bool) {
		t.Helper()
		step++
		if err := j.Append(&Batch{First: step, Time: begin.Add(age).UnixNano(), Records: [][]byte{make([]byte, size)}}); err != nil {
			t.Fatal(err)
		}
		if got := j.NeedsRoll(); got != want {
			t.Errorf("step %d, after %v: %v", step, age, got)
		}
	}
	roll := func(snapshot int) {
		t.Helper()
		if err := j.Roll(make([]byte, snapshot), nil); err != nil {
			t.Fatal(err)
		}
		if j.NeedsRoll() {
			t.Error("a segment without a record is to be rolled")
		}
	}
	at(0, 10, false)
	at(time.Hour-1, 10, false)
	at(time.Hour, 10, true)
	roll(10)
	at(2*time.Hour-1, 10, false)
	at(2*time.Hour, 10, true)
	roll(2 * crashSegment) // which alone must not make the next roll due
	at(2*time.Hour, 10, false)
	at(2*time.Hour, crashSegment, false) // the size counts from the next commit on
	at(2*time.Hour, 10, true)
}

// Prune goes by time, by what is needed, and stops at the first segment that stays.
func TestPrune(t *testing.T) {
	dir := memDir(t)
	j, err := Open(dir, Options{NoPrewrite: true, sync: withoutSync})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for step := uint64(1); step <= 5; step++ {
		if err := j.Append(oneRecord(step)); err != nil { // at step nanoseconds
			t.Fatal(err)
		}
		if err := j.Roll([]byte("s"), nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		before int64
		needed uint64
		want   int
	}{{1, 0, 0}, {3, 0, 2}, {100, 1, 0}, {100, 3, 2}, {100, 9, 5}} {
		gone, err := j.Prune(time.Unix(0, c.before), func(s SegmentInfo) bool { return s.First <= c.needed && c.needed <= s.Last }, true)
		if err != nil || len(gone) != c.want {
			t.Errorf("before %d, step %d needed: %d segments, %v; want %d", c.before, c.needed, len(gone), err, c.want)
		}
	}
	gone, err := j.Prune(time.Unix(0, 3), nil, false)
	if err != nil || len(gone) != 2 || gone[1].Name != segmentName(2) {
		t.Fatalf("pruned %v, %v", gone, err)
	}
	for _, err := range j.Read(2) {
		if err == nil || !strings.Contains(err.Error(), "the first is step 3") {
			t.Errorf("reading what was pruned: %v", err)
		}
	}
	if report, err := Verify(dir); err != nil || len(report.Damage) > 0 || report.First != 3 {
		t.Errorf("verify after pruning: %+v, %v", report, err)
	}
}
