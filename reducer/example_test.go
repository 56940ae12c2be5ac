package reducer_test

import (
	"fmt"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// An operator asks for a connection that no configuration has, and is told so: the event in, the orders out.
func ExampleReduce() {
	state, effects := reducer.Reduce(reducer.New(), 1, &record.Event{
		Because: &record.Because{Root: record.Root_ROOT_OPERATOR},
		Kind:    &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{Connection: "gw-east", Ticket: 3}},
	}, nil)
	fmt.Println("step", state.Step(), "with", state.SAs(), "SAs")
	for _, e := range effects {
		fmt.Println("ticket", e.Ticket, e.Text)
	}
	// Output:
	// step 1 with 0 SAs
	// ticket 3 no connection "gw-east" in the configuration
}
