package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/export"
	"github.com/ikejd/ikejd/replay/replaytest"
)

func life(t *testing.T) *replaytest.Script {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"), replaytest.Connection("gw-lab", "2001:db8::4"))
	east := s.Up("gw-east")
	s.Wait(time.Minute)
	lab := s.Accept("gw-lab", false)
	s.Close(east)
	s.Fire(east, record.Timer_TIMER_RETRANSMIT)
	s.Answer(east)
	s.PeerDeletes(lab)
	s.Fire(lab, record.Timer_TIMER_LINGER)
	return s
}

func list(t *testing.T, src replay.Source) *replay.Catalog {
	t.Helper()
	c, err := replay.List(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A case replays, whatever it begins and ends with, and has the programs that wrote it.
func TestCasesReplay(t *testing.T) {
	s := life(t)
	src := s.Source()
	c := list(t, src)
	for first := uint64(1); first <= s.Step(); first += 5 {
		for last := first; last <= s.Step(); last += 4 {
			file := filepath.Join(t.TempDir(), "part.ikej")
			var b bytes.Buffer
			if err := export.Case(t.Context(), &b, src, c, export.Range{First: first, Last: last}); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			part, err := replay.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := replay.Verify(context.Background(), part, replay.Options{})
			if err != nil || !r.Equal() || r.First != first || r.Last != last || strings.Join(r.Versions, " ") != "0.1.0" {
				t.Errorf("steps %d to %d: %+v, %v", first, last, r, err)
			}
			part.Close()
		}
	}
}

// The range of an SA is from its first to its last step, within what was asked for.
func TestRange(t *testing.T) {
	c := list(t, life(t).Source())
	one, two := c.SAs[0], c.SAs[1]
	for _, k := range []struct {
		sas         []*replay.SA
		first, last uint64
		want        export.Range
	}{
		{nil, 3, 9, export.Range{First: 3, Last: 9}}, {[]*replay.SA{one}, 1, c.Last, export.Range{First: one.First, Last: one.Last}},
		{[]*replay.SA{two, one}, 1, c.Last, export.Range{First: one.First, Last: two.Last}}, {[]*replay.SA{one}, one.First + 2, c.Last, export.Range{First: one.First + 2, Last: one.Last}},
	} {
		if got := export.Of(k.sas, k.first, k.last); got.First != k.want.First || got.Last != k.want.Last {
			t.Errorf("%d to %d, want %d to %d", got.First, got.Last, k.want.First, k.want.Last)
		}
	}
}

// A capture has each datagram that was received and sent, in packets that others can read, and says which step it was.
func TestCapture(t *testing.T) {
	s := life(t)
	var b bytes.Buffer
	if err := export.Capture(t.Context(), &b, s.Source(), export.Range{First: 1, Last: s.Step()}, "ikejd test"); err != nil {
		t.Fatal(err)
	}
	in, err := pcapgo.NewNgReader(&b, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range s.Records() {
		if d := r.GetEvent().GetDatagramReceived(); d != nil {
			want = append(want, fmt.Sprintf("step %d", r.GetStep()))
		}
		for _, e := range r.GetEffects() {
			if e.GetRecord() != nil || e.GetResend() != nil {
				want = append(want, fmt.Sprintf("step %d · ike%d", r.GetStep(), e.GetIkeSa()))
			}
		}
	}
	n, resent := 0, 0
	for {
		data, info, options, err := in.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n == len(want) || len(options.Comments) != 1 || !strings.HasPrefix(options.Comments[0], want[n]) {
			t.Fatalf("packet %d has the comments %q, want %q", n, options.Comments, want[min(n, len(want)-1)])
		}
		n++
		if strings.HasSuffix(options.Comments[0], "· send 2") {
			resent++
		}
		p := gopacket.NewPacket(data, layers.LinkTypeRaw, gopacket.Default)
		udp, ok := p.TransportLayer().(*layers.UDP)
		if !ok || p.ErrorLayer() != nil {
			t.Fatalf("packet %d is no UDP: %v", n, p)
		}
		h, err := ike.ParseHeader(udp.Payload)
		if err != nil || int(h.Length) != len(udp.Payload) || info.Timestamp.Before(replaytest.Begin) {
			t.Errorf("packet %d (%s): %v, %d octets, %v", n, options.Comments[0], err, len(udp.Payload), info.Timestamp)
		}
	}
	if n != len(want) || resent != 1 {
		t.Errorf("%d packets, %d of them sent again; want %d and 1", n, resent, len(want))
	}
}

// On the port behind NATs a datagram has the marker of RFC 3948 before it, whichever port the configuration says that is,
// also where the range begins after the configuration.
func TestMarker(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
	s.Event(&record.Event{Kind: &record.Event_ConfigLoaded{ConfigLoaded: &record.ConfigLoaded{Config: &record.Config{
		Settings: &record.Settings{NatPort: 500}, Connections: []*record.Connection{replaytest.Connection("gw-east", "203.0.113.9")}}}}})
	s.Up("gw-east")
	var b bytes.Buffer
	if err := export.Capture(t.Context(), &b, s.Source(), export.Range{First: 4, Last: s.Step()}, "ikejd test"); err != nil {
		t.Fatal(err)
	}
	in, err := pcapgo.NewNgReader(&b, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; ; n++ {
		data, _, err := in.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		const headers = 20 + 8
		if !bytes.Equal(data[headers:headers+4], make([]byte, 4)) {
			t.Errorf("packet %d has no marker", n)
		}
	}
	if n == 0 {
		t.Error("no packet")
	}
}
