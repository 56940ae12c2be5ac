package replay_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
)

// busy is a journal of many SAs that are set up, checked, lose messages and are closed.
func busy(t testing.TB, rounds int) *replaytest.Script {
	s := replaytest.New(t)
	var connections []*record.Connection
	for i := range 20 {
		c := replaytest.Connection(fmt.Sprintf("gw-%d", i), fmt.Sprintf("203.0.113.%d", i))
		c.DpdDelay = 30e9
		connections = append(connections, c)
	}
	s.Start("0.1.0", connections...)
	for range rounds {
		var up []uint64
		for _, c := range connections {
			up = append(up, s.Up(c.GetName()))
		}
		for _, sa := range up {
			s.Check(sa)
			s.Fire(sa, record.Timer_TIMER_RETRANSMIT)
			s.Answer(sa)
			s.Close(sa)
			s.Answer(sa)
		}
	}
	return s
}

// BenchmarkVerify says how many events a second are run again and compared; the aim is 300,000 on one core (DESIGN.md).
func BenchmarkVerify(b *testing.B) {
	s := busy(b, 250)
	dir := s.Journal()
	for name, open := range map[string]func() replay.Source{
		"memory": func() replay.Source { return s.Source() },
		"journal": func() replay.Source {
			src, err := replay.Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			return src
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			steps := uint64(0)
			for b.Loop() {
				src := open()
				r, err := replay.Verify(context.Background(), src, replay.Options{})
				if err != nil || !r.Equal() {
					b.Fatal(err, r.Divergences)
				}
				steps += r.Steps
				src.Close()
			}
			b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkList says how many records a second go into a catalog.
func BenchmarkList(b *testing.B) {
	src := busy(b, 250).Source()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := replay.List(context.Background(), src); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(uint64(b.N)*src.Last().Step)/b.Elapsed().Seconds(), "events/s")
}
