package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkAppend commits batches of records of 350 octets, and beside each commit appends the same octets to a plain
// file and syncs it: what any journal has to pay. It reports records a second, the median commit, and the ratio of
// the two rates; the machine's noise is in both.
func BenchmarkAppend(b *testing.B) {
	for _, ahead := range []bool{true, false} {
		for _, n := range []int{1, 16, 64, 256, 1024} {
			name := "plain"
			if ahead {
				name = "prewritten"
			}
			b.Run(fmt.Sprintf("%s/batch=%d", name, n), func(b *testing.B) { benchmarkAppend(b, n, ahead) })
		}
	}
}

func benchmarkAppend(b *testing.B, n int, ahead bool) {
	dir := b.TempDir()
	j, err := Open(dir, Options{NoPrewrite: !ahead})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	rolled := func() {
		if ahead { // the segment to be measured is one that was written ahead
			j.ahead.Wait()
		}
		if err := j.Roll([]byte("s"), nil); err != nil {
			b.Fatal(err)
		}
		j.ahead.Wait()
	}
	raw, err := os.Create(filepath.Join(dir, "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	record := make([]byte, 350)
	for i := range record {
		record[i] = byte(i * 7)
	}
	batch := Batch{Records: make([][]byte, n)}
	for i := range batch.Records {
		batch.Records[i] = record
	}
	frames, _ := appendRows(nil, nil, 1, batch.Records)
	append1 := func() {
		batch.First, batch.Time = j.Last().Step+1, batch.Time+1
		if err := j.Append(&batch); err != nil {
			b.Fatal(err)
		}
	}
	append1()
	rolled()
	var ours, plain []time.Duration
	for b.Loop() {
		begin := time.Now()
		append1()
		ours = append(ours, time.Since(begin))
		begin = time.Now()
		if _, err := raw.Write(frames); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fdatasync(int(raw.Fd())); err != nil {
			b.Fatal(err)
		}
		plain = append(plain, time.Since(begin))
		if j.NeedsRoll() {
			b.StopTimer()
			rolled()
			b.StartTimer()
		}
	}
	sum := func(d []time.Duration) (total time.Duration) {
		for _, x := range d {
			total += x
		}
		return total
	}
	slices.Sort(ours)
	b.ReportMetric(float64(n*len(ours))/sum(ours).Seconds(), "records/s")
	b.ReportMetric(float64(sum(plain))/float64(sum(ours)), "of-raw")
	b.ReportMetric(float64(ours[len(ours)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(ours[len(ours)*99/100].Microseconds()), "p99-us")
}

// BenchmarkOpen starts on a full segment of 64 MB after a crash: all of it is read, checked, written again, synced.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	fillSegment(b, dir)
	for b.Loop() {
		if err := os.WriteFile(filepath.Join(dir, lockName), []byte("1\n"+openLine), 0o600); err != nil {
			b.Fatal(err)
		}
		j, err := Open(dir, Options{NoPrewrite: true})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		j.Close()
		b.StartTimer()
	}
}

// BenchmarkRead reads that segment as the daemon does (open) and as other programs do (closed), checksums and chain
// included.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	steps := fillSegment(b, dir)
	count := func(b *testing.B, read func(func(Entry, error) bool)) {
		n := uint64(0)
		for _, err := range read {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != steps {
			b.Fatalf("%d steps of %d", n, steps)
		}
	}
	b.Run("closed", func(b *testing.B) {
		for b.Loop() {
			r, err := OpenReader(dir)
			if err != nil {
				b.Fatal(err)
			}
			count(b, r.Read(0))
		}
		b.ReportMetric(float64(steps)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("open", func(b *testing.B) {
		j, err := Open(dir, Options{NoPrewrite: true})
		if err != nil {
			b.Fatal(err)
		}
		defer j.Close()
		for b.Loop() {
			count(b, j.Read(0))
		}
		b.ReportMetric(float64(steps)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
}

// fillSegment writes a segment until it is full.
func fillSegment(b *testing.B, dir string) uint64 {
	j, err := Open(dir, Options{NoPrewrite: true, sync: withoutSync})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	for !j.NeedsRoll() {
		batch := Batch{First: j.Last().Step + 1, Time: 1}
		for i := range uint64(256) {
			batch.Records = append(batch.Records, fill8(batch.First+i, 350))
		}
		if err := j.Append(&batch); err != nil {
			b.Fatal(err)
		}
	}
	return j.Last().Step
}

// BenchmarkRoll begins a segment as with 100,000 SAs: a snapshot of 12 MB, 100,000 vault entries of 250 octets. No batch
// is committed meanwhile.
func BenchmarkRoll(b *testing.B) {
	j, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	snapshot := fill8(1, 12<<20)
	var vault []VaultChange
	for ref := range uint64(100_000) {
		vault = append(vault, VaultChange{ref, fill8(ref, 250)})
	}
	for b.Loop() {
		b.StopTimer()
		if err := j.Append(&Batch{First: j.Last().Step + 1, Time: 1, Records: [][]byte{snapshot[:350]}}); err != nil {
			b.Fatal(err)
		}
		j.ahead.Wait()
		b.StartTimer()
		if err := j.Roll(snapshot, vault); err != nil {
			b.Fatal(err)
		}
	}
}
