package audit_test

import (
	"fmt"

	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/audit/mini"
)

// A Delete that is sent while another request is unanswered: the window is broken.
func Example() {
	story, err := mini.Records(mini.Established, ">q5 INF\n>q6 INF D(ike)")
	if err != nil {
		fmt.Println(err)
		return
	}
	a := audit.New()
	for _, r := range story.Records {
		for _, f := range a.Record(r) {
			fmt.Println(f)
		}
	}
	fmt.Println(a.End().Violations)
	// Output:
	// violation    WIN-01   requests in flight stay within the peer's window (RFC 7296 2.3)  ike1 at 19: 6, 5 open
	// 1
}
