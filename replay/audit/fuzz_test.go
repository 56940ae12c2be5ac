package audit_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/audit/mini"
)

// lifeText is a story with something of everything.
const lifeText = `>q5 INF
T =q5
<r5 INF
<q4 INF N(WINDOW 4) >r4 INF
<q4 from(p2) =r4
>q6 INF D(c1) stall
recover
<r6 INF
cmd(shutdown 30) >q7 INF D(ike)
<q5 INF D(ike) >r5 INF !Ling(both)
<q5 =r5
T(linger) !Gone(both) report
end`

// Whatever octets are read as records: no panic, and a summary at the end.
func FuzzRecords(f *testing.F) {
	for _, given := range []string{mini.Established, mini.Responder} {
		s, err := mini.Records(given, lifeText)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(framed(f, s.Records), false)
		f.Add(framed(f, s.Records[len(s.Records)/2:]), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, cut bool) {
		a := audit.New()
		a.Plant([]byte("a secret of this test"))
		if cut {
			a.Start(&record.Snapshot{Step: 7, IkeSas: []*record.IKESA{{Number: 1, Window: &record.WindowState{}, SetUp: &record.SetUp{}}}})
		}
		records := uint64(0)
		for len(data) >= 2 {
			n := min(int(binary.BigEndian.Uint16(data)), len(data)-2)
			if _, err := a.Entry(data[2 : 2+n]); err == nil {
				records++
			}
			data = data[2+n:]
		}
		if sum := a.End(); sum.Records != records {
			t.Errorf("%d records, the summary says %d", records, sum.Records)
		}
	})
}

func framed(t testing.TB, records []*record.Record) []byte {
	t.Helper()
	var all []byte
	for _, r := range records {
		b, err := record.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(binary.BigEndian.AppendUint16(all, uint16(len(b))), b...)
	}
	return all
}

// comments are those of a datadriven file.
var comments = regexp.MustCompile(`(?m)^(#.*)?\n`)

// The journals of all fixtures with steps left out, repeated, swapped and altered: no panic; and where the numbers are
// no longer one after the other, that is said.
func TestMutations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var texts []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(comments.ReplaceAllString(string(data), ""), "\n----")
		head, text, _ := strings.Cut(first, "\n")
		given := mini.Established
		for _, w := range strings.Fields(head) {
			if g, ok := strings.CutPrefix(w, "given="); ok {
				given = g
			}
		}
		texts = append(texts, given+"\n"+text)
	}
	rapid.Check(t, func(t *rapid.T) {
		given, text, _ := strings.Cut(rapid.SampledFrom(texts).Draw(t, "journal"), "\n")
		s, err := mini.Records(given, text)
		if err != nil {
			t.Fatal(err)
		}
		records := s.Records
		at := rapid.IntRange(0, len(records)-1).Draw(t, "at")
		gap := false
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			gap = at > 0 && at < len(records)-1
			records = append(records[:at:at], records[at+1:]...)
		case 1:
			gap = true
			records = append(records[:at+1:at+1], records[at:]...)
		case 2:
			if at > 0 {
				gap = true
				records[at], records[at-1] = records[at-1], records[at]
			}
		default:
			records[at] = altered(t, records[at])
		}
		a := audit.New()
		for _, r := range records {
			a.Record(r)
		}
		if sum := a.End(); gap && sum.ByRule["JRN-01"].Violations == 0 && len(records) > 1 {
			t.Error("steps are missing or twice there, and JRN-01 says nothing")
		}
	})
}

// altered is a record with one octet of its encoding another, if it still is one.
func altered(t *rapid.T, r *record.Record) *record.Record {
	b, err := record.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	b[rapid.IntRange(0, len(b)-1).Draw(t, "octet")] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
	other := new(record.Record)
	if proto.Unmarshal(b, other) != nil {
		return r
	}
	return other
}
