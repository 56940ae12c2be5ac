package reducer

import (
	"testing"

	"github.com/ikejd/ikejd/proto/record"
	"pgregory.net/rapid"
)

// allWaits is how long a request is sent before it is given up, with the jitter that random brings.
func allWaits(first int64, sends, random uint32) int64 {
	total := int64(0)
	for n := uint32(1); n <= sends; n++ {
		total += backoff(first, n, Defaults.RetransmitGrowth, Defaults.RetransmitJitter, random)
	}
	return total
}

// TestW15 is the schedule of PROTOCOL.md, W-15: 12 sends in 180 s to 515 s.
func TestW15(t *testing.T) {
	for _, c := range []struct {
		name          string
		rtt, first    int64
		total, within int64
	}{
		{"no round trip known", 0, 2 * second, 515 * second, second},
		{"a neighbour", 300_000, 700 * millisecond, 180 * second, second},
		{"across an ocean", 250 * millisecond, second, 257 * second, second},
		{"by satellite", 700 * millisecond, 2 * second, 515 * second, second},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := firstWait(c.rtt, Defaults.RetransmitLeast, Defaults.RetransmitMost, Defaults.RetransmitFirst)
			if first != c.first {
				t.Errorf("first wait %d, want %d", first, c.first)
			}
			if total := allWaits(first, Defaults.RetransmitSends, 1000); total < c.total-c.within || total > c.total+c.within {
				t.Errorf("given up after %.1f s, want %d s", float64(total)/float64(second), c.total/second)
			}
		})
	}
}

// TestW15Jitter: a tenth either way, from the event's random bits alone; every wait longer than the one before.
func TestW15Jitter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Int64Range(Defaults.RetransmitLeast, Defaults.RetransmitMost).Draw(t, "first")
		before := int64(0)
		for n := uint32(1); n <= Defaults.RetransmitSends; n++ {
			plain := backoff(first, n, 150, 10, 1000)
			wait := backoff(first, n, 150, 10, rapid.Uint32().Draw(t, "random"))
			if wait < plain*9/10-1000 || wait > plain*11/10+1000 {
				t.Fatalf("wait %d: %d is not within a tenth of %d", n, wait, plain)
			}
			if wait < before*8/10 { // AUDIT.md, RTX-04: each gap at least 0.8 of the one before
				t.Fatalf("wait %d: %d after %d", n, wait, before)
			}
			before = wait
		}
	})
}

// TestW15Compressed: in a shutdown all sends fit the budget whatever the jitter, no gap is under 100 ms, and they use most
// of it. Budgets under 1.2 s cannot hold 12 sends.
func TestW15Compressed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		budget := rapid.Int64Range(1400*millisecond, 10*minute).Draw(t, "budget")
		rtt := rapid.Int64Range(0, 3*second).Draw(t, "rtt")
		began := int64(rapid.IntRange(0, 1000).Draw(t, "began")) * millisecond // after the order, of a paced close
		if budget-began < 1400*millisecond {
			began = 0
		}
		random := rapid.Uint32Range(0, 2000).Draw(t, "random")
		config := Config{Settings: Defaults}
		st := step{now: began, ev: &record.Event{Random: random}, s: State{config: &config, ending: &Ending{Began: 0, Deadline: budget}}}
		sa := IKESA{RTT: rtt}
		total, before := int64(0), int64(0)
		sends := st.shutdownSends()
		if want := map[bool]uint32{true: 12, false: 18}[budget < 10*second]; sends != want {
			t.Fatalf("%d sends in %d ms, want %d", sends, budget/millisecond, want)
		}
		for n := uint32(1); n <= sends; n++ {
			wait := st.compressedWait(&sa, Request{Sends: n, FirstSent: began})
			if wait < 100*millisecond {
				t.Fatalf("wait %d is %d ms", n, wait/millisecond)
			}
			if wait < before*8/10 {
				t.Fatalf("wait %d: %d after %d", n, wait, before)
			}
			total, before = total+wait, wait
		}
		if total > budget-began {
			t.Fatalf("%d ms of waits in %d ms", total/millisecond, (budget-began)/millisecond)
		}
		if random >= 1000 && total < (budget-began)/2 {
			t.Fatalf("%d ms of waits use little of %d ms", total/millisecond, (budget-began)/millisecond)
		}
	})
}
