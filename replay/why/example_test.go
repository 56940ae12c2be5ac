package why_test

import (
	"context"
	"fmt"

	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/why"
)

func ExampleEnded() {
	src, err := replay.Open("../testdata/cutoff.ikej")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()
	catalog, err := replay.List(context.Background(), src)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := why.Ended(context.Background(), src, catalog, catalog.SAs[0], "gw-east", why.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, sentence := range answer.Verdict {
		fmt.Println(sentence)
	}
	// Output:
	// It was discarded because the shutdown budget of 30s ended while its Delete still waited.
	// The Delete was never sent: request 4 (liveness check) was in flight and unanswered.
	// The peer was silent: 20 sends of request 4 since 02:08:40, nothing authentic since 02:08:10.
}
