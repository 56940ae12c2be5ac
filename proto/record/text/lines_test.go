package text_test

import (
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// informational is a datagram of the peer with that Delete opened.
func informational(flags ike.Flags, bodies ...ike.Body) *record.DatagramReceived {
	first, opened := ike.AppendPayloads(nil, bodies...)
	h := ike.Header{SPIi: 1, SPIr: 2, Major: 2, Exchange: ike.INFORMATIONAL, MessageID: 7, Flags: flags, Length: ike.HeaderLen}
	return &record.DatagramReceived{Datagram: h.Append(nil), FirstPayload: uint32(first), Opened: opened}
}

func TestEvent(t *testing.T) {
	operator := &record.Because{Root: record.Root_ROOT_OPERATOR}
	for _, c := range []struct {
		ev   *record.Event
		want string
	}{
		{&record.Event{Kind: &record.Event_Started{Started: &record.Started{Run: 12, Version: "0.9.4"}}}, `Started run 12 0.9.4`},
		{&record.Event{Kind: &record.Event_Recovered{Recovered: &record.Recovered{Run: 13, Version: "0.9.5", WithoutKeys: []uint64{1, 2}}}},
			`Recovered run 13 0.9.5 without keys ike1 ike2`},
		{&record.Event{Kind: &record.Event_ConfigLoaded{ConfigLoaded: &record.ConfigLoaded{Config: &record.Config{Connections: make([]*record.Connection, 2)}}}},
			`ConfigLoaded 2 connections`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_DatagramReceived{DatagramReceived: informational(0, ike.Delete{Protocol: ike.ProtocolIKE})}},
			`ike7  DatagramReceived request 7 INFORMATIONAL {D(IKE)}`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_DatagramReceived{DatagramReceived: informational(ike.FlagResponse)}},
			`ike7  DatagramReceived response 7 INFORMATIONAL {}`},
		{&record.Event{Kind: &record.Event_DatagramReceived{DatagramReceived: &record.DatagramReceived{Datagram: []byte{1}}}},
			`DatagramReceived malformed: shorter than an IKE header`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_RepeatReceived{RepeatReceived: &record.RepeatReceived{MessageId: 2,
			Path: &record.Path{Local: []byte{192, 0, 2, 1}, LocalPort: 500, Remote: []byte{203, 0, 113, 9}, RemotePort: 4500}}}},
			`ike7  RepeatReceived request 2 192.0.2.1:500 -> 203.0.113.9:4500`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_KeyShareMade{KeyShareMade: &record.KeyShareMade{Fresh: &record.Fresh{Group: 31}}}}, `ike7  KeyShareMade Curve25519`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_Agreed{Agreed: &record.Agreed{Failure: "low order"}}}, `ike7  Agreed failed: "low order"`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_AuthMade{AuthMade: &record.AuthMade{Method: 2}}}, `ike7  AuthMade PSK`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_Authenticated{Authenticated: &record.Authenticated{Good: true, Others: []uint64{3}}}}, `ike7  Authenticated good beside ike3`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_Authenticated{Authenticated: &record.Authenticated{Reason: "\x1b[31mno key"}}}, `ike7  Authenticated bad: "\x1b[31mno key"`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_SpiAllocated{SpiAllocated: &record.SPIAllocated{ChildSa: 12, Spi: 0xc1f20001}}}, `ike7  SPIAllocated child12 c1f20001`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_ChildInstalled{ChildInstalled: &record.ChildInstalled{ChildSa: 12, InboundSpi: 0xc1f20001}}}, `ike7  ChildInstalled child12 c1f20001`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_ChildRemoved{ChildRemoved: &record.ChildRemoved{ChildSa: 12, Refusal: "ESRCH"}}}, `ike7  ChildRemoved child12 failed: "ESRCH"`},
		{&record.Event{IkeSa: 7, Kind: &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer_TIMER_HALF_OPEN}}}, `ike7  TimerFired half-open`},
		{&record.Event{Because: operator, Kind: &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{Connection: "gw-east", Child: "net"}}}, `InitiateAsked operator gw-east net`},
		{&record.Event{IkeSa: 7, Because: operator, Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{ChildSa: 12}}}, `ike7  CloseAsked operator child12`},
		{&record.Event{Because: operator, Kind: &record.Event_ShutdownAsked{ShutdownAsked: &record.ShutdownAsked{Signal: "SIGTERM", Budget: 30e9, Keep: true}}},
			`ShutdownAsked SIGTERM budget 30s keep SAs`},
		{&record.Event{Kind: &record.Event_RunEnded{RunEnded: &record.RunEnded{Reason: "report"}}}, `RunEnded "report"`},
		{&record.Event{Kind: &record.Event_DoorCounted{DoorCounted: &record.DoorCounted{Counts: []*record.DoorCount{{Cause: "bad-icv", Count: 3}, {Cause: "no sa", Count: 1}}}}},
			`DoorCounted bad-icv 3, "no sa" 1`},
		{&record.Event{}, `event unknown to this version`},
	} {
		if got := text.Event(c.ev); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestEffect(t *testing.T) {
	net := []*record.Selector{{Start: []byte{10, 1, 0, 0}, End: []byte{10, 1, 255, 255}, EndPort: 0xffff}}
	odd := []*record.Selector{{Protocol: 6, StartPort: 80, EndPort: 90, Start: []byte{10, 1, 0, 1}, End: []byte{10, 1, 0, 9}},
		{EndPort: 0xffff}, {Protocol: 1, StartPort: 0xffff, Start: []byte{10, 0, 0, 1}, End: []byte{10, 0, 0, 1}}}
	gcm := &record.Suite{Encr: 20, KeyLength: 256}
	for _, c := range []struct {
		e    *record.Effect
		want string
	}{
		{&record.Effect{Kind: &record.Effect_Refuse{Refuse: &record.Refuse{Exchange: 34, Notify: 14, Path: &record.Path{Remote: []byte{203, 0, 113, 9}, RemotePort: 500}}}},
			`refuse        IKE_SA_INIT {N(NO_PROPOSAL_CHOSEN)} to 203.0.113.9:500`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_CancelTimer{CancelTimer: &record.CancelTimer{Timer: record.Timer_TIMER_LIVENESS}}}, `cancel-timer  ike7 liveness`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_MakeKeyShare{MakeKeyShare: &record.MakeKeyShare{Group: 19}}}, `make-share    ike7 ECP_256`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_Agree{Agree: &record.Agree{Suite: &record.Suite{Encr: 12, KeyLength: 128, Integ: 12, Prf: 5, Group: 14}}}},
			`agree         ike7 ENCR_AES_CBC_128 AUTH_HMAC_SHA2_256_128 PRF_HMAC_SHA2_256 MODP_2048`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_MakeAuth{MakeAuth: &record.MakeAuth{LocalId: &record.Identity{Type: 2, Data: []byte("w")}}}}, `make-auth     ike7 as "w" to any`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_CheckAuth{CheckAuth: &record.CheckAuth{RemoteId: &record.Identity{Type: 1, Data: []byte{192, 0, 2, 1}}, Method: 14}}},
			`check-auth    ike7 of 192.0.2.1 DIGITAL_SIGNATURE`},
		{&record.Effect{IkeSa: 7, ChildSa: 12, Kind: &record.Effect_AllocateSpi{AllocateSpi: &record.AllocateSPI{Protocol: 3}}}, `allocate-spi  ike7 child12`},
		{&record.Effect{IkeSa: 7, ChildSa: 12, Kind: &record.Effect_InstallChild{InstallChild: &record.InstallChild{Name: "net", InboundSpi: 0xc1f20001, OutboundSpi: 2, Suite: gcm, LocalTs: net, RemoteTs: odd}}},
			`install-child ike7 child12 net in c1f20001 out 00000002 tunnel ENCR_AES_GCM_16_256 10.1.0.0/16 === 10.1.0.1..10.1.0.9[6/80-90],dynamic,10.0.0.1[1/opaque]`},
		{&record.Effect{IkeSa: 7, ChildSa: 12, Kind: &record.Effect_RemoveChild{RemoveChild: &record.RemoveChild{OutboundSpi: 2}}}, `remove-child  ike7 child12 out 00000002`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_DestroyKeys{DestroyKeys: &record.DestroyKeys{KeyRef: 9}}}, `destroy-keys  ike7`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_Answer{Answer: &record.Answer{Ticket: 3}}}, `answer        ike7 ticket 3 done`},
		{&record.Effect{Kind: &record.Effect_Answer{Answer: &record.Answer{Ticket: 3, Error: "no"}}}, `answer        ticket 3 "no"`},
		{&record.Effect{IkeSa: 7, ChildSa: 12, Because: &record.Because{Edge: record.Edge_EDGE_BEHIND, Step: 47902}, Kind: &record.Effect_Wanted{Wanted: &record.Wanted{
			Wish: record.Wish_WISH_DELETE_CHILD, Decided: &record.Because{Edge: record.Edge_EDGE_DECIDED, Step: 48120}}}}, `wanted        ike7 delete-child child12 decided 48120 behind 47902`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_Changed{Changed: &record.Changed{From: record.Phase_PHASE_HALF_OPEN, To: record.Phase_PHASE_LINGERING,
			Cause: record.Cause_CAUSE_BOTH_AT_ONCE, Detail: "x\n"}}}, `ike7.state    HalfOpen -> Lingering  both at once "x\n"`},
		{&record.Effect{IkeSa: 7, ChildSa: 12, Kind: &record.Effect_Changed{Changed: &record.Changed{ChildTo: record.ChildPhase_CHILD_PHASE_INSTALLING}}}, `child12.state - -> Installing`},
		{&record.Effect{IkeSa: 7, Kind: &record.Effect_Discarded{Discarded: &record.Discarded{From: record.Phase_PHASE_ESTABLISHED, Cause: record.Cause_CAUSE_CUT_OFF,
			Children: []uint64{1, 2}, Dropped: []record.Wish{record.Wish_WISH_DELETE_IKE}, Unfinished: []*record.Open{{MessageId: 41, Wish: record.Wish_WISH_LIVENESS, Sends: 27}}}}},
			`discarded     ike7 from Established, cut off; with child1 child2; unanswered 41 liveness, 27 sends; never sent delete-ike`},
		{&record.Effect{Kind: &record.Effect_Report{Report: &record.Report{Took: 2_100_000_000, Counts: []*record.ReportCount{{Cause: record.Cause_CAUSE_ACKNOWLEDGED, Count: 1}}}}},
			`report        1 SA: 1 acknowledged, in 2.1s`},
		{&record.Effect{Kind: &record.Effect_Dropped{Dropped: &record.Dropped{Cause: "stale timer"}}}, `dropped       "stale timer"`},
		{&record.Effect{Kind: &record.Effect_Locate{Locate: &record.Locate{Connection: "gw", Child: "net"}}}, `locate        gw net`},
		{&record.Effect{}, `unknown       effect of a later version`},
	} {
		if got := text.Effect(c.e, 0); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[int64]string{0: "0s", 20 * 60e9: "20m", 30e9: "30s", 90e9: "90s", 760e6: "0.76s", 700e6: "0.7s", 1575e6: "1.575s", 1e3: "0s", -5e8: "-0.5s"} {
		if got := text.Duration(ns); got != want {
			t.Errorf("%d is %s, want %s", ns, got, want)
		}
	}
}

func TestQuoteIsBounded(t *testing.T) {
	if got := text.Quote(string(make([]byte, 10_000))); len(got) > 1000 || text.Name("gw east") != `"gw east"` || text.Name("gw-east") != "gw-east" {
		t.Errorf("%d octets of a stranger's text", len(got))
	}
}

func TestBecause(t *testing.T) {
	for want, b := range map[string]*record.Because{
		"":                      nil,
		"because fires 48127":   {Edge: record.Edge_EDGE_FIRES, Step: 48127},
		"because root operator": {Root: record.Root_ROOT_OPERATOR},
	} {
		if got := text.Because(b); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
