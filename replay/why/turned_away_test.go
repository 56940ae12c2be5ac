package why_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/replaytest"
	"github.com/ikejd/ikejd/replay/why"
)

// A refusal of our IKE_SA_INIT in the clear stands in the chain, though a timer ended the SA, and the request is not said
// to be without an answer.
func TestRefusedInTheClear(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
	one := s.Initiate("gw-east")
	sa := s.State().SA(one)
	open, _ := sa.Window.Open(0)
	datagram := ike.AppendMessage(nil, ike.Header{SPIi: sa.SPIi, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagResponse},
		ike.Notify{Type: ike.NotifyNoProposalChosen})
	s.Event(&record.Event{IkeSa: one, Because: &record.Because{Edge: record.Edge_EDGE_REPLIES, Step: open.Recorded.Step, Index: open.Recorded.Index},
		Kind: &record.Event_DatagramReceived{DatagramReceived: &record.DatagramReceived{
			Path: reducer.PathRecord(sa.Path), Datagram: datagram, Digest: reducer.Digest(datagram)}}})
	refused := s.Step()
	s.GiveUp(one)
	src := s.Source()
	c, err := replay.List(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	a, err := why.Ended(context.Background(), src, c, c.SAs[0], "", why.Options{Place: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	if a.Verdict[0] != "The peer answered NO_PROPOSAL_CHOSEN." || !slices.ContainsFunc(a.Rows, func(r why.Row) bool { return r.Step == refused }) ||
		len(a.Absent) != 1 || !strings.HasPrefix(a.Absent[0], "a better answer to request 0") {
		t.Errorf("%+v", a)
	}
	checkRows(t, a)
}

// A peer that was turned away has no SA, but its address has an explanation.
func TestTurnedAway(t *testing.T) {
	s := replaytest.New(t)
	s.Start("0.1.0", replaytest.Connection("gw-east", "203.0.113.9"))
	from := netip.MustParseAddrPort("198.51.100.4:500")
	datagram := ike.AppendMessage(nil, ike.Header{SPIi: 7, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagInitiator},
		ike.SA{Proposals: []ike.Proposal{{Number: 1, Protocol: ike.ProtocolIKE, Transforms: []ike.Transform{
			{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 256}, {Type: ike.TransformPRF, ID: ike.PRFHMACSHA2_256},
			{Type: ike.TransformKE, ID: uint16(ike.GroupCurve25519)}}}}},
		ike.KeyExchange{Group: ike.GroupCurve25519, Data: make([]byte, 32)}, ike.Nonce{Data: make([]byte, 32)})
	s.Event(&record.Event{Because: &record.Because{Root: record.Root_ROOT_PEER}, Kind: &record.Event_DatagramReceived{DatagramReceived: &record.DatagramReceived{
		Path:     reducer.PathRecord(reducer.Path{Local: replaytest.Us, Remote: from}),
		Datagram: datagram, Digest: reducer.Digest(datagram), Fresh: &record.Fresh{KeyRef: 1}}}})
	src := s.Source()
	c, err := replay.List(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	a, err := why.TurnedAway(context.Background(), src, c, from.Addr(), why.Options{Place: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"It changed nothing: no acceptable proposal; the answer was NO_PROPOSAL_CHOSEN, unprotected."}
	if !slices.Equal(a.Verdict, want) || !strings.HasPrefix(a.Subject, "198.51.100.4 has no SA here.") {
		t.Errorf("%+v", a)
	}
	checkRows(t, a)
	var missing *replay.NotThere
	if _, err := why.TurnedAway(context.Background(), src, c, netip.MustParseAddr("203.0.113.9"), why.Options{}); !errors.As(err, &missing) {
		t.Errorf("of one that was not turned away: %v", err)
	}
}
