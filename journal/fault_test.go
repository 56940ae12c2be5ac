package journal

import (
	"errors"
	"fmt"
	"os"
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
