package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tornJournal leaves a journal whose last commit, of steps 11 to 30, lost a data page.
func tornJournal(t *testing.T, lock string) (dir string, m *model) {
	t.Helper()
	dir = memDir(t)
	j, err := Open(dir, Options{NoPrewrite: true, sync: withoutSync})
	if err != nil {
		t.Fatal(err)
	}
	m = newModel()
	for range 10 {
		b := oneRecord(m.last() + 1)
		if err := j.Append(b); err != nil {
			t.Fatal(err)
		}
		m.apply(b)
	}
	path := filepath.Join(dir, segmentName(1))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b := &Batch{First: 11, Time: 99}
	for range 20 {
		b.Records = append(b.Records, make([]byte, 1000))
	}
	if err := j.Append(b); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := changedSectors(before, after)
	if err := os.WriteFile(path, mixed(before, after, changed[20:]), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, lockName), []byte(lock), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, m
}

// Everyone who looks at a torn tail says so and reads up to it, and only Open changes the file: also when it is
// stopped in the middle of that.
func TestTornTail(t *testing.T) {
	dir, m := tornJournal(t, "1\n"+openLine)
	path := filepath.Join(dir, segmentName(1))
	torn, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Verify(dir)
	if err != nil || !report.TornTail || len(report.Damage) > 0 || report.Last != 10 || report.Head != m.head {
		t.Errorf("verify: %+v, %v", report, err)
	}
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	m.sameFrom(t, 0, r.Read(0))
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, torn) {
		t.Errorf("looking at the journal changed it (%v)", err)
	}
	for stop := range 5 { // at a sync: of the lock, of the cut, of what is written again, of the lock, of the mark
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		left := stop
		o := Options{NoPrewrite: true, sync: func(func() error) error {
			if left--; left < 0 {
				return unix.EIO
			}
			return nil
		}}
		if _, err := Open(dir, o); !errors.Is(err, unix.EIO) {
			t.Fatalf("stopped at sync %d: %v", stop, err)
		}
		if report, err := Verify(dir); err != nil || len(report.Damage) > 0 || report.Last != 10 {
			t.Fatalf("verify after a start stopped at sync %d: %+v, %v", stop, report, err)
		}
	}
	j, err := Open(dir, Options{NoPrewrite: true, sync: withoutSync})
	if err != nil {
		t.Fatal(err)
	}
	m.same(t, j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if report, err := Verify(dir); err != nil || report.TornTail || len(report.Damage) > 0 || report.Last != 10 {
		t.Errorf("verify after the cut: %+v, %v", report, err)
	}
}

// What looks like a torn tail in a journal that was closed is damage: its steps were acknowledged.
func TestTornTailOfClosed(t *testing.T) {
	dir, _ := tornJournal(t, "")
	var d *Damage
	if _, err := Open(dir, Options{NoPrewrite: true}); !errors.As(err, &d) || d.Segment != segmentName(1) {
		t.Errorf("open: %v", err)
	}
	if _, err := Open(dir, Options{NoPrewrite: true}); !errors.As(err, &d) {
		t.Errorf("open tried again: %v", err)
	}
	report, err := Verify(dir)
	if err != nil || report.TornTail || len(report.Damage) == 0 {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// Readers, followers, those who list and those who prune disturb neither each other nor the writer.
func TestConcurrent(t *testing.T) {
	j, err := Open(memDir(t), Options{SegmentBytes: crashSegment, sync: withoutSync})
	if err != nil {
		t.Fatal(err)
	}
	var others sync.WaitGroup
	stop := make(chan struct{})
	forever := func(do func() error) {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := do(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	forever(func() error {
		next := uint64(0)
		for e, err := range j.Read(j.Last().Step / 2) {
			if err != nil {
				return nil // pruned
			}
			if next != 0 && e.Step != next || !bytes.Equal(e.Data, fill8(e.Step, 100)) {
				return errors.New("a step is not as it was written")
			}
			next = e.Step + 1
		}
		return nil
	})
	forever(func() error { _, err := j.Segments(); return err })
	forever(func() error {
		_, err := j.Prune(future, func(s SegmentInfo) bool { return s.Last+500 > j.Last().Step }, false)
		return err
	})
	forever(func() error {
		_, _, err := j.Snapshot()
		if err == nil {
			_, err = j.Vault()
		}
		return err
	})
	begin := time.Now()
	for j.Last().Step < 4000 {
		b := oneRecord(j.Last().Step + 1)
		b.Vault = []VaultChange{{b.First % 100, []byte("sealed")}}
		if err := j.Append(b); err != nil {
			t.Fatal(err)
		}
		if b.First%100 == 0 {
			vault, err := j.Vault()
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Roll(fill8(b.First, 10_000), asChanges(vault)); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	others.Wait()
	t.Log(time.Since(begin))
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
