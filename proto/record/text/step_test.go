package text_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"google.golang.org/protobuf/proto"
)

// at is 2026-11-23 03:08:11.204 UTC.
var at = time.Date(2026, 11, 23, 3, 8, 11, 204_000_000, time.UTC).UnixNano()

func close7() *record.Record {
	first, payloads := ike.AppendPayloads(nil, ike.Delete{Protocol: ike.ProtocolIKE})
	return &record.Record{Step: 48127, Time: uint64(at), Datagrams: [][]byte{[]byte("sealed")},
		Event: &record.Event{IkeSa: 7, Because: &record.Because{Edge: record.Edge_EDGE_DECIDED, Step: 48120},
			Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}},
		Effects: []*record.Effect{
			{IkeSa: 7, Because: &record.Because{Edge: record.Edge_EDGE_DECIDED, Step: 48120}, Kind: &record.Effect_Changed{
				Changed: &record.Changed{From: record.Phase_PHASE_ESTABLISHED, To: record.Phase_PHASE_DELETING}}},
			{IkeSa: 7, Kind: &record.Effect_Record{Record: &record.RecordMessage{MessageId: 42, Exchange: uint32(ike.INFORMATIONAL),
				FirstPayload: uint32(first), Payloads: payloads}}},
			{IkeSa: 7, Kind: &record.Effect_SetTimer{SetTimer: &record.SetTimer{Timer: record.Timer_TIMER_DISCARD, Deadline: uint64(at + 30e9)}}},
			{IkeSa: 7, Because: &record.Because{Edge: record.Edge_EDGE_SERVES, Step: 47902}, Kind: &record.Effect_Resend{
				Resend: &record.Resend{MessageId: 41, Sends: 11}}},
			{IkeSa: 7, Kind: &record.Effect_SetTimer{SetTimer: &record.SetTimer{Timer: record.Timer_TIMER_RETRANSMIT, MessageId: 41, Deadline: uint64(at + 760e6)}}},
		}}
}

var changes7 = []text.Change{{Path: "ike7.state", From: "Established", To: "Deleting"},
	{Path: "ike7.window", From: "waiting: -", To: "delete-ike  (in flight: 41 liveness, 10 sends)"}}

func TestStep(t *testing.T) {
	for _, c := range []struct {
		name    string
		options text.Options
		want    string
	}{
		{"as journal cat shows it", text.Options{}, `
48127  03:08:11.204  ike7  CloseAsked                              because decided 48120
         ike7.window   waiting: - -> delete-ike  (in flight: 41 liveness, 10 sends)
         ike7.state    Established -> Deleting
         record        ike7 request 42 INFORMATIONAL {D(IKE)}                   digest c9d0
         set-timer     ike7 discard 30s
         resend        ike7 request 41  send 11  of 47902
         set-timer     ike7 retransmit 0.76s
`},
		{"elsewhere, with payloads and octets", text.Options{Place: time.FixedZone("CET", 3600), Payloads: true, Raw: true,
			Sent: func(step uint64, index uint32) []byte { return []byte{byte(step), byte(index)} }}, `
48127  04:08:11.204  ike7  CloseAsked                              because decided 48120
         ike7.window   waiting: - -> delete-ike  (in flight: 41 liveness, 10 sends)
         ike7.state    Established -> Deleting
         record        ike7 request 42 INFORMATIONAL {D(IKE)}                   digest c9d0
         payload       D 01000000
         datagram      7365616c6564
         set-timer     ike7 discard 30s
         resend        ike7 request 41  send 11  digest a408
         datagram      1e00
         set-timer     ike7 retransmit 0.76s
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if err := text.Step(&out, close7(), changes7, c.options); err != nil {
				t.Fatal(err)
			}
			if got := "\n" + out.String(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func ExampleStep() {
	r := &record.Record{Step: 48133, Time: uint64(at),
		Event: &record.Event{IkeSa: 7, Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: 48127},
			Kind: &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer_TIMER_RETRANSMIT, MessageId: 41}}},
		Effects: []*record.Effect{{IkeSa: 7, Kind: &record.Effect_SetTimer{SetTimer: &record.SetTimer{
			Timer: record.Timer_TIMER_RETRANSMIT, Deadline: uint64(at + 830e6)}}}}}
	_ = text.Step(os.Stdout, r, nil, text.Options{})
	// Output:
	// 48133  03:08:11.204  ike7  TimerFired retransmit                   because fires 48127
	//          set-timer     ike7 retransmit 0.83s
}

func TestStepJSON(t *testing.T) {
	const want = `{"v":1,"type":"step","step":48127,"time":"2026-11-23T03:08:11.204Z","sa":"ike7",` +
		`"event":{"ikeSa":"7","because":{"edge":"EDGE_DECIDED","step":"48120"},"closeAsked":{}},"effects":[`
	line := string(text.StepJSON(close7(), changes7...))
	if !strings.HasPrefix(line, want) {
		t.Errorf("got  %s\nwant %s...", line, want)
	}
	const end = `"changes":[{"path":"ike7.state","from":"Established","to":"Deleting"},{"path":"ike7.window","from":"waiting: -",` +
		`"to":"delete-ike  (in flight: 41 liveness, 10 sends)"}],"because":[{"edge":"decided","step":48120}]}`
	if !strings.HasSuffix(line, end) {
		t.Errorf("got  %s\nwant ...%s", line, end)
	}
}

// FuzzStep: whatever a journal of somebody else holds, it prints, and no octet of it reaches a terminal raw.
func FuzzStep(f *testing.F) {
	for _, r := range []*record.Record{close7(), {Event: &record.Event{Kind: &record.Event_Poisoned{Poisoned: &record.Poisoned{Panic: "\x1b[2J",
		Event: &record.Event{Kind: &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{Connection: "\u202egw\u009b"}}}}}},
		Effects: []*record.Effect{{Kind: &record.Effect_MakeAuth{MakeAuth: &record.MakeAuth{LocalId: &record.Identity{Type: 2, Data: []byte("a\nb")}}}}}}} {
		b, err := record.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r record.Record
		if proto.Unmarshal(b, &r) != nil {
			return
		}
		var out strings.Builder
		if err := text.Step(&out, &r, nil, text.Options{Payloads: true, Raw: true}); err != nil {
			t.Fatal(err)
		}
		for _, c := range out.String() {
			if c != '\n' && c != '…' && (c > unicode.MaxASCII || !unicode.IsPrint(c)) {
				t.Fatalf("%q is printed in %q", c, out.String())
			}
		}
		line := text.StepJSON(&r)
		if !json.Valid(line) {
			t.Fatalf("not JSON: %s", line)
		}
		for _, c := range line {
			if c < ' ' || c > '~' {
				t.Fatalf("%q is printed in %s", c, line)
			}
		}
	})
}
