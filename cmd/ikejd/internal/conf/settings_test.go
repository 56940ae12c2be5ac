package conf

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	config, problems := LoadText("t.conf", `ikejd {
    shutdown { budget = 4m }
    retransmit {
        sends = 5
        least_wait = 0.5s
        most_wait = 1500ms
    }
    discard_after = 4m
    journal { segment_size = 1g }
}`)
	if len(problems) > 0 {
		t.Fatal(lines(problems))
	}
	want := DefaultSettings()
	want.Shutdown.Budget = 4 * time.Minute
	want.Retransmit.Sends, want.Retransmit.LeastWait, want.Retransmit.MostWait = 5, 500*time.Millisecond, 1500*time.Millisecond
	want.DiscardAfter = 4 * time.Minute
	want.Journal.SegmentSize = 1 << 30
	if diff := cmp.Diff(want, config.Settings); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"ikejd { discard_after = 9d }":                                   `t.conf:1: discard_after = "9d" in ikejd; out of bounds; write 1m to 1d`,
		"ikejd { discard_aftr = 1m }":                                    `unknown key "discard_aftr" in ikejd; did you mean "discard_after"?`,
		"ikejd { shutdwn { } }":                                          `unknown section "shutdwn" in ikejd; did you mean "shutdown"?`,
		"ikejd { linger { least = 4m } }":                                "least is above most in ikejd.linger; make it smaller",
		"ikejd { limits { half_open = many } }":                          `half_open = "many" in ikejd.limits; not a whole number`,
		"ikejd { retransmit { least_wait = 5s } }":                       "least_wait is above most_wait in ikejd.retransmit",
		"ikejd { journal { keep = 1s } }":                                `keep = "1s" in ikejd.journal; out of bounds; write 1h to 3650d`,
		"ikejd { shutdown { budget = 99d } }":                            "out of bounds; write 0s to 1d",
		"ikejd { retransmit { sends = 1 } shutdown { sends = 31 } } ":    "out of bounds; write 2 to 30",
		"ikejd { limits { answers = 5 } limits { answers_source = 1a }}": "answers_source",
	} {
		_, problems := LoadText("t.conf", text)
		if !strings.Contains(lines(problems), want) {
			t.Errorf("%s:\ngot  %swant %s", text, lines(problems), want)
		}
	}
	s := DefaultSettings()
	if err := s.Set("shutdown.budget", "4m"); err != nil || s.Shutdown.Budget != 4*time.Minute {
		t.Errorf("Set: %v, %v", s.Shutdown.Budget, err)
	}
	if err := s.Set("shutdown.budgets", "4m"); err == nil || !strings.Contains(err.Error(), `did you mean "shutdown.budget"?`) {
		t.Errorf("Set of an unknown one: %v", err)
	}
	if err := s.Set("discard_after", "0"); err == nil || err.Error() != `ikejd.discard_after = "0": out of bounds; write 1m to 1d` {
		t.Errorf("Set out of bounds: %v", err)
	}
}

// Every key has what the manual page needs, every default of the settings lies within its bounds, and no two of the
// table share a field.
func TestDocument(t *testing.T) {
	for _, section := range Document() {
		seen := map[string]bool{}
		for _, k := range section.Keys {
			if k.Name == "" || seen[k.Name] || (k.Use == Used) != (k.Doc != "") || (k.Use == Used) == (k.Why != "") {
				t.Errorf("%s.%s: %+v", section.Path, k.Name, k)
			}
			seen[k.Name] = true
		}
	}
	var s Settings
	fields := map[any]string{}
	for _, k := range settingKeys {
		if other, shared := fields[k.field(&s)]; shared {
			t.Errorf("%s and %s share a field", k.Name, other)
		}
		fields[k.field(&s)] = k.Name
		for _, bound := range []string{k.least, k.most, k.Default} {
			if err := k.set(&s, bound); err != nil {
				t.Errorf("ikejd.%s = %s: %v", k.Name, bound, err)
			}
		}
	}
}
