package audit_test

import (
	"testing"

	"github.com/ikejd/ikejd/replay/audit/mini"
)

// What stories begin with is clean, and so is an ordinary life.
func TestBeginnings(t *testing.T) {
	for _, given := range []string{mini.Nothing, mini.HalfOpen, mini.Asked, mini.Established, mini.Responder} {
		for _, f := range judge(t, given, "") {
			t.Errorf("%s: %v", given, f)
		}
	}
	for _, given := range []string{mini.Established, mini.Responder} {
		for _, f := range judge(t, given, ">q5 INF\nT =q5\n<r5 INF\n<q4 INF >r4 INF\n<q4 =r4\n>q6 INF D(ike)\nT =q6\n<r6 INF !Gone(acked)") {
			t.Errorf("%s: %v", given, f)
		}
	}
}
