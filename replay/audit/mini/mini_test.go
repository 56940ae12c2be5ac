package mini

import (
	"strings"
	"testing"
)

func TestRecords(t *testing.T) {
	s, err := Records(Established, ">q5 INF D(ike)\n<r5 INF !Gone(acked)")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range s.Records {
		if r.GetStep() != uint64(i+1) {
			t.Errorf("record %d is step %d", i, r.GetStep())
		}
	}
	own := s.Records[s.First-1]
	m := own.GetEffects()[len(own.GetEffects())-2].GetRecord()
	if m.GetMessageId() != 5 || len(own.GetDatagrams()) != 1 {
		t.Errorf("the story begins with %v", own)
	}
	again, err := Records(Established, ">q5 INF D(ike)\n<r5 INF !Gone(acked)")
	if err != nil || again.Records[len(again.Records)-1].String() != s.Records[len(s.Records)-1].String() {
		t.Errorf("the same text makes other records: %v", err)
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"T":                  "no request is open",
		">q5 INF D(c9)":      "no child c9",
		"!Gone(bored)":       "no cause",
		"dance":              "no word of a mini journal",
		"<q4 INF <q5 INF":    "an event stands first",
		">q5 INF N(NOTHING)": "is no notify",
		"done(dinner)":       "no completion",
		"A(discard)":         "wants a timer and seconds",
		"cmd(shutdown soon)": "budget in seconds",
		">q5 INF D(":         "is not closed",
		"drop(liveness)":     "no wish liveness",
		"child(c7 up)":       "no such child",
		"ask(a favour)":      "asks for nothing",
		"cmd(dance)":         "is no command",
		">q99999999999 INF":  "out of range",
		"T(tea)":             "is no timer",
		"-k(c9)":             "no child c9",
		"done(install c9)":   "no child c9",
	} {
		if _, err := Records(Established, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
	if _, err := Records("an idea", ""); err == nil {
		t.Error("a beginning that is none")
	}
	if _, err := Records(Nothing, "!Est"); err == nil {
		t.Error("a phase of no SA")
	}
}

// Whatever is written: records or an error, no panic.
func FuzzText(f *testing.F) {
	f.Add(">q5 INF D(ike) x\nT =q5\n<r5 INF !Gone(acked)", uint8(3))
	f.Add("sa1: cmd(up) !Half ask(ke)\ndone(ke) >q0 INIT\n<r0 INIT N(COOKIE 1) >q0 INIT N(COOKIE 1)", uint8(0))
	f.Add("<q4 INF D(c1) D(ike) N(x) >r4 INF !Ling(peer)\n<q4 from(p2) =r4\nrecover\ncmd(shutdown 30 keep) report\nend", uint8(4))
	given := []string{Nothing, HalfOpen, Asked, Established, Responder}
	f.Fuzz(func(t *testing.T, text string, begin uint8) {
		s, err := Records(given[int(begin)%len(given)], text)
		if (s == nil) == (err == nil) {
			t.Errorf("%v, %v", s, err)
		}
	})
}
