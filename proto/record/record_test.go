package record_test

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/proto"
)

// TestFresh fails when record.pb.go is not what record.proto says.
func TestFresh(t *testing.T) {
	if out, err := exec.Command("go", "run", "./gen", "-check").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// FuzzRecord holds that no bytes panic the decoder, and that what decodes is written canonically: encoding, decoding
// and encoding again gives the same bytes.
func FuzzRecord(f *testing.F) {
	seed, err := record.Marshal(&record.Record{
		Step: 7, Time: 1, Datagrams: [][]byte{{1, 2, 3}},
		Event: &record.Event{IkeSa: 3, Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: 5, Index: 1},
			Kind: &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer_TIMER_LIVENESS}}},
		Effects: []*record.Effect{{IkeSa: 3, Kind: &record.Effect_Resend{Resend: &record.Resend{MessageId: 4, Sends: 2}}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second record.Record
		if proto.Unmarshal(b, &first) != nil {
			return
		}
		first.ProtoReflect().SetUnknown(nil)
		once, err := record.Marshal(&first)
		if err != nil {
			return // not UTF-8 in a string: proto3 refuses to write it
		}
		if err := proto.Unmarshal(once, &second); err != nil {
			t.Fatal(err)
		}
		twice, err := record.Marshal(&second)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("not canonical: %x then %x (%v)", once, twice, err)
		}
	})
}
