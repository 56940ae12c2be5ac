package cli

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/bench"
)

// Each field of the object that `bench --json` prints stands in its help, which is its manual page.
func TestLoadIsDocumented(t *testing.T) {
	text, err := json.Marshal(loadOf(&bench.Report{Watched: true, Floor: time.Microsecond}))
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	help, fields := newBench(&app{}).Long, 0
	var check func(object map[string]any)
	check = func(object map[string]any) {
		for name, value := range object {
			fields++
			if !regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(help) && name != "v" {
				t.Errorf("%s is not explained", name)
			}
			if inside, ok := value.(map[string]any); ok {
				check(inside)
			}
		}
	}
	check(object)
	if fields < 30 {
		t.Errorf("only %d fields were looked for", fields)
	}
}

func TestRate(t *testing.T) {
	for text, want := range map[string]float64{"": 0, "100/s": 100, "100": 100, "30/m": .5, "0.5/s": .5} {
		if got, err := parseRate(text); err != nil || got != want {
			t.Errorf("%q: %v, want %v %v", text, got, want, err)
		}
	}
	for _, text := range []string{"0", "-1/s", "100/h", "100/", "/s", "many", "NaN", "1e9", "inf"} {
		if got, err := parseRate(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
