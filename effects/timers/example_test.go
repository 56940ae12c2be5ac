package timers_test

import (
	"fmt"

	"github.com/ikejd/ikejd/effects/timers"
)

type clock int64

func (c clock) Now() int64 { return int64(c) }

func Example() {
	const retransmit, liveness = 1, 2
	q := timers.New(clock(0))
	q.Set(timers.Key{SA: 7, Kind: retransmit}, 2_000_000_000, 41, 1)
	q.Set(timers.Key{SA: 7, Kind: liveness}, 30_000_000_000, 41, 2)
	q.Set(timers.Key{SA: 7, Kind: retransmit}, 3_000_000_000, 44, 0) // in place of the first

	fmt.Println(q.Delay())
	for _, f := range q.Expired(3_000_000_000, nil) {
		fmt.Printf("SA %d kind %d, set by step %d effect %d\n", f.SA, f.Kind, f.Step, f.Index)
	}
	// Output:
	// 3s true
	// SA 7 kind 1, set by step 44 effect 0
}
