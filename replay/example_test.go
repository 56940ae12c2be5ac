package replay_test

import (
	"context"
	"fmt"

	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

func ExampleVerify() {
	src, err := replay.Open("testdata/cutoff.ikej")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()
	result, err := replay.Verify(context.Background(), src, replay.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(replay.Count(result.Steps, "step"), "of", replay.Count(result.Runs, "run"), "equal:", result.Equal())

	catalog, err := replay.List(context.Background(), src)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, sa := range catalog.SAs {
		fmt.Println(text.SA(sa.Number), sa.Connection, sa.Ending())
	}
	// Output:
	// 77 steps of 1 run equal: true
	// ike1 gw-east cut off, Delete never sent
	// ike2 gw-lab unacknowledged, 18 sends
	// ike3 gw-west acknowledged
}
