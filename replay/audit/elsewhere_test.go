package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/audit/mini"
)

// Rules whose subject a mini journal cannot show.

func story(t testing.TB, given, text string) []*record.Record {
	t.Helper()
	s, err := mini.Records(given, text)
	if err != nil {
		t.Fatal(err)
	}
	return s.Records
}

// only is the rules' findings over records, and what ended them.
func only(t testing.TB, a *audit.Auditor, records []*record.Record) []audit.Finding {
	t.Helper()
	var all []audit.Finding
	for _, r := range records {
		all = append(all, a.Record(r)...)
	}
	return all
}

func pick(t testing.TB, id string) *audit.Auditor {
	t.Helper()
	rules, err := audit.Pick(id)
	if err != nil {
		t.Fatal(err)
	}
	return audit.New(rules...)
}

func wants(t *testing.T, found []audit.Finding, id string, v audit.Verdict) {
	t.Helper()
	if len(found) == 0 || found[0].Rule != id || found[0].Verdict != v {
		t.Errorf("%s %s wanted: %v", id, v, found)
	}
}

func TestKEY04(t *testing.T) {
	records := story(t, mini.Established, ">q5 INF")
	a := pick(t, "KEY-04")
	if sum := a.End(); len(sum.Last) != 1 || sum.InconclusiveRules() != 1 {
		t.Errorf("without a canary it must be inconclusive: %+v", sum)
	}
	a = pick(t, "KEY-04")
	a.Plant([]byte("not in any record of this journal"))
	if found := only(t, a, records); len(found) > 0 || len(a.End().Last) > 0 {
		t.Errorf("clean records: %v", found)
	}
	a.Plant([]byte("correct horse"))
	last := records[len(records)-1]
	last.Event = &record.Event{Kind: &record.Event_RunEnded{RunEnded: &record.RunEnded{Reason: "psk is correct horse battery"}}}
	wants(t, a.Record(last), "KEY-04", audit.Violation)
}

func TestJRN02(t *testing.T) {
	data, err := record.Marshal(story(t, mini.Nothing, "")[0])
	if err != nil {
		t.Fatal(err)
	}
	a := pick(t, "JRN-02")
	if found, err := a.Entry(data); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	later := protowire.AppendVarint(protowire.AppendTag(data, 99, protowire.VarintType), 1)
	found, err := a.Entry(later)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, found, "JRN-02", audit.Violation)
	// The time before the step: fields in another order.
	r := new(record.Record)
	swapped := protowire.AppendFixed64(protowire.AppendTag(nil, 2, protowire.Fixed64Type), 7)
	swapped = protowire.AppendVarint(protowire.AppendTag(swapped, 1, protowire.VarintType), 1)
	r.Step = 1
	if found, err = a.Entry(swapped); err != nil {
		t.Fatal(err)
	}
	wants(t, found, "JRN-02", audit.Violation)
	if _, err := a.Entry([]byte{0xff}); err == nil {
		t.Error("octets that are no record")
	}
}

// A journal cut at a snapshot: SAs that it knows are judged, others are a hole.
func TestJRN07(t *testing.T) {
	records := story(t, mini.Established, ">q5 INF\n<r5 INF")
	a := pick(t, "JRN-07")
	found := only(t, a, records[len(records)-2:])
	wants(t, found, "JRN-07", audit.Inconclusive)

	a = pick(t, "JRN-07")
	a.Start(&record.Snapshot{Step: records[len(records)-3].GetStep()})
	wants(t, only(t, a, records[len(records)-2:]), "JRN-07", audit.Violation)

	a = pick(t, "JRN-07")
	a.Start(snapshotOf(records[len(records)-3].GetStep()))
	if found := only(t, a, records[len(records)-2:]); len(found) > 0 {
		t.Error(found)
	}
}

// snapshotOf is the State of `established` as its records leave it, before request 5.
func snapshotOf(step uint64) *record.Snapshot {
	return &record.Snapshot{Step: step, Run: 1, IkeSas: []*record.IKESA{{Number: 1, Phase: record.Phase_PHASE_ESTABLISHED, Initiator: true,
		Window:   &record.WindowState{NextOut: 5, PeerSize: 1},
		Children: []*record.ChildSA{{Number: 1, Phase: record.ChildPhase_CHILD_PHASE_INSTALLED}}}}}
}

func TestAUD03(t *testing.T) {
	begin := story(t, mini.Established, ">q5 INF")
	begin = begin[:len(begin)-1]
	for name, change := range map[string]func(*record.Snapshot){
		"":             func(*record.Snapshot) {},
		"phase":        func(s *record.Snapshot) { s.IkeSas[0].Phase = record.Phase_PHASE_DELETING },
		"open request": func(s *record.Snapshot) { s.IkeSas[0].Window.InFlight = []*record.OpenRequest{{MessageId: 4}} },
		"id":           func(s *record.Snapshot) { s.IkeSas[0].Window.NextOut = 7 },
		"child":        func(s *record.Snapshot) { s.IkeSas[0].Children = nil },
		"missing":      func(s *record.Snapshot) { s.IkeSas = nil },
		"invented":     func(s *record.Snapshot) { s.IkeSas[0].Number = 9 },
	} {
		a := pick(t, "AUD-03")
		only(t, a, begin)
		s := snapshotOf(begin[len(begin)-1].GetStep())
		change(s)
		if found := a.Snapshot(s); (len(found) > 0) != (name != "") {
			t.Errorf("%q: %v", name, found)
		}
	}
}

func TestDOS04(t *testing.T) {
	s := &record.Snapshot{Step: 3, HalfOpen: 1, IkeSas: []*record.IKESA{{Number: 1, Phase: record.Phase_PHASE_HALF_OPEN}}}
	for counter, want := range map[uint64]bool{1: false, 57: true} {
		a := pick(t, "DOS-04")
		only(t, a, story(t, mini.Nothing, "door"))
		s.HalfOpen = counter
		if found := a.Snapshot(s); (len(found) > 0) != want {
			t.Errorf("counter %d: %v", counter, found)
		}
	}
}

// A shutdown that sends all Deletes at once is no longer paced.
func TestSHU04(t *testing.T) {
	for sas, want := range map[int]int{100: 0, 600: 1} {
		var text strings.Builder
		for i := range sas {
			fmt.Fprintf(&text, "sa%d: <q0 INIT !Half >r0 INIT A(half 30)\n<q1 AUTH ask(check)\ndone(check) >r1 AUTH disarm(half) !Est\n", i+1)
		}
		text.WriteString("@100 cmd(shutdown 30)\n")
		for i := range sas {
			fmt.Fprintf(&text, "sa%d: @100.01 >q0 INF D(ike)\n", i+1)
		}
		if found := only(t, pick(t, "SHU-04"), story(t, mini.Nothing, text.String())); len(found) != want {
			t.Errorf("%d SAs: %v", sas, found)
		}
	}
}

// A record for each refused stranger is a flood of the journal.
func TestDOS08(t *testing.T) {
	var text strings.Builder
	for i := range 1002 {
		fmt.Fprintf(&text, "sa%d: @1 <q0 INIT ?(no acceptable proposal)\n", i+1)
	}
	records := story(t, mini.Nothing, text.String())
	if found := only(t, pick(t, "DOS-08"), records[:1000]); len(found) > 0 {
		t.Error(found)
	}
	wants(t, only(t, pick(t, "DOS-08"), records), "DOS-08", audit.Violation)
}

// An operator who closes an SA that never was is answered, and that makes no SA.
func TestAnswersMakeNoSA(t *testing.T) {
	records := story(t, mini.Nothing, "cmd(close)\nsa1: <q0 INIT !Half >r0 INIT A(half 30)")
	asked := records[len(records)-2]
	asked.Event.IkeSa = 1 << 60
	asked.Effects = []*record.Effect{{IkeSa: 1 << 60, Kind: &record.Effect_Answer{Answer: &record.Answer{Ticket: 7, Error: "it is gone already"}}}}
	a := audit.New()
	if found := only(t, a, records); len(found) > 0 {
		t.Error(found)
	}
	if sum := a.End(); sum.SAs != 1 {
		t.Errorf("%d SAs", sum.SAs)
	}
}
