package reducer

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/ikejd/ikejd/proto/record"
)

// listedTransitions are those in the lists above Phase and ChildPhase.
func listedTransitions(t tester) map[string]bool {
	source, err := os.ReadFile("causes.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	line := regexp.MustCompile(`^//\t(\w+)\s+- \([\w, ]+\)\s+-> (\w+)`)
	prefix := "ike "
	for l := range strings.Lines(string(source)) {
		if strings.HasPrefix(l, "// ChildPhase") {
			prefix = "child "
		}
		if m := line.FindStringSubmatch(l); m != nil {
			listed[prefix+m[1]+" "+m[2]] = true
		}
	}
	if len(listed) < 12 {
		t.Fatalf("causes.go lists %d transitions: is the list still where it was?", len(listed))
	}
	return listed
}

// testTransitions holds the lists to what the scripts have shown, no more and no less.
func testTransitions(t *testing.T) {
	listed := listedTransitions(t)
	seen.Lock()
	defer seen.Unlock()
	for transition := range listed {
		if !seen.there[transition] {
			t.Errorf("%s is listed in causes.go and no script shows it", transition)
		}
	}
	seen.only(t, listed)
}

// only fails for each transition that was seen and is not listed.
func (s *transitions) only(t tester, listed map[string]bool) {
	for transition := range s.there {
		if !listed[transition] {
			t.Errorf("%s happens and is not listed in causes.go", transition)
		}
	}
}

// seen are the transitions that any test here has met: TestTransitions compares them with the lists above the types.
var seen = transitions{there: map[string]bool{}}

type transitions struct {
	sync.Mutex
	there map[string]bool
}

func (s *transitions) note(c *record.Changed) {
	s.Lock()
	defer s.Unlock()
	if c.GetChildFrom() == c.GetChildTo() && c.GetChildTo() != record.ChildPhase_CHILD_PHASE_NONE {
		return // it moved to another IKE SA
	}
	if c.GetChildFrom() != c.GetChildTo() {
		s.there[strings.ReplaceAll(fmt.Sprintf("child %v %v", ChildPhase(c.GetChildFrom()), ChildPhase(c.GetChildTo())), "-", "None")] = true
		return
	}
	s.there[strings.ReplaceAll(fmt.Sprintf("ike %v %v", Phase(c.GetFrom()), Phase(c.GetTo())), "-", "None")] = true
}
