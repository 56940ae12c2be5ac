package bench_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/bench"
	"github.com/ikejd/ikejd/journal"
)

// options are those of one SA, with what change makes of them.
func (r *responder) options(change func(*bench.Options)) bench.Options {
	o := bench.Options{Peer: r.peer, NATPort: r.natPort, Local: loopback, LocalID: "#.bench.example", PSK: []byte(psk), SAs: 1, Outstanding: 1,
		FirstWait: time.Second, Sends: 5, Watch: r.cmd.Process.Pid}
	change(&o)
	return o
}

// load is a run against r that must go through.
func (r *responder) load(tb testing.TB, change func(*bench.Options)) *bench.Report {
	tb.Helper()
	report, err := bench.Run(context.Background(), context.Background(), r.options(change))
	if err != nil {
		tb.Fatal(err)
	}
	if report.Failed() {
		tb.Fatalf("SAs failed: set-up %v, probes %v, delete %v, lost %d", report.SetUp.Failures, report.Probe.Failures, report.Delete.Failures, report.Peer.Deleted)
	}
	return report
}

// BenchmarkResponder sets up SAs with PSK and X25519 on a daemon with its journal on, over UDP on loopback, and reads the
// daemon's CPU. floor-us is what the cryptography alone of a handshake took in the same seconds on the same cores, and
// of-floor the ratio of the two: that is what to compare. -benchtime is best a number of SAs, 20000x; where few are
// outstanding and each takes long there are fewer.
func BenchmarkResponder(b *testing.B) {
	for _, outstanding := range []int{1, 32, 256, 1024} {
		b.Run(fmt.Sprintf("outstanding=%d", outstanding), func(b *testing.B) {
			const warm = 200
			n := max(1, b.N*min(outstanding, 64)/64)
			r := startResponder(b)
			r.load(b, func(o *bench.Options) { o.SAs, o.Outstanding, o.Keep = warm, min(outstanding, 32), true })
			b.ResetTimer()
			report := r.load(b, func(o *bench.Options) {
				o.SAs, o.Outstanding, o.Keep, o.LocalID = n, outstanding, true, "#.load.example"
			})
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(report.SetUp.Rate(), "handshakes/s")
			b.ReportMetric(us(report.ResponderCPU), "cpu-us")
			b.ReportMetric(us(report.Floor), "floor-us")
			b.ReportMetric(us(report.ResponderCPU)/us(report.Floor), "of-floor")
			b.ReportMetric(us(report.OwnCPU), "load-us")
			b.ReportMetric(us(report.SetUp.Wait(.5)), "p50-us")
			b.ReportMetric(us(report.SetUp.Wait(.99)), "p99-us")
			b.ReportMetric(float64(report.SetUp.Resent), "resent")
			r.stop(b)
			records, octets := written(b, r.dir)
			b.ReportMetric(float64(octets)/float64(n+warm), "journal-B")
			b.ReportMetric(float64(records)/float64(n+warm), "records")
		})
	}
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// written is how many records the journal below dir holds, and how many octets they have.
func written(tb testing.TB, dir string) (records, octets int) {
	tb.Helper()
	j, err := journal.OpenReader(filepath.Join(dir, "journal"))
	if err != nil {
		tb.Fatal(err)
	}
	defer j.Close()
	for entry, err := range j.Read(0) {
		if err != nil {
			tb.Fatal(err)
		}
		records++
		octets += len(entry.Data)
	}
	return records, octets
}

// BenchmarkMemory is what an SA takes in the daemon: live is what a collection leaves, anon and resident what the process
// grew by, garbage and mapped journal in it.
func BenchmarkMemory(b *testing.B) {
	for _, halfOpen := range []bool{false, true} {
		name := "established"
		if halfOpen {
			name = "half-open"
		}
		b.Run(name, func(b *testing.B) {
			r := startResponder(b)
			r.load(b, func(o *bench.Options) { o.SAs, o.Outstanding = 200, 32 })
			before := r.live(b)
			b.ResetTimer()
			report := r.load(b, func(o *bench.Options) {
				o.SAs, o.Outstanding, o.HalfOpen, o.Keep, o.LocalID = b.N, 256, halfOpen, true, "#.load.example"
			})
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(r.live(b)-before)/float64(b.N), "live-B/sa")
			b.ReportMetric(float64(report.RssAnon), "anon-B/sa")
			b.ReportMetric(float64(report.Resident), "resident-B/sa")
			b.ReportMetric(float64(report.Peak), "peak-B/sa")
		})
	}
}

// TestLoad: every SA is set up and deleted, and the responder says so too.
func TestLoad(t *testing.T) {
	r := startResponder(t)
	report := r.load(t, func(o *bench.Options) { o.SAs, o.Outstanding = 100, 10 })
	if report.SetUp.Done() != 100 || report.Delete.Done() != 100 || report.Children != 100 {
		t.Errorf("%d set up, %d with a child, %d deleted; want 100 each", report.SetUp.Done(), report.Children, report.Delete.Done())
	}
	if report.Floor == 0 && report.SetUp.Took > time.Second {
		t.Error("the cryptography alone was not measured")
	}
}
