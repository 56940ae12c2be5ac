package replaytest

import (
	"slices"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// What happens to an IKE SA that is up.

// received is a datagram of the peer; opened is what was inside, of a protected one.
func (s *Script) received(number uint64, datagram, opened []byte, first ike.PayloadType) {
	s.t.Helper()
	h, err := ike.ParseHeader(datagram)
	if err != nil {
		s.t.Fatal(err)
	}
	sa := s.state.SA(number)
	because := root(record.Root_ROOT_PEER)
	if h.Response() {
		if open, ok := sa.Window.Open(h.MessageID); ok {
			because = &record.Because{Edge: record.Edge_EDGE_REPLIES, Step: open.Recorded.Step, Index: open.Recorded.Index}
		}
	}
	s.Event(&record.Event{IkeSa: number, Because: because, Kind: &record.Event_DatagramReceived{DatagramReceived: &record.DatagramReceived{
		Path: reducer.PathRecord(sa.Path), Datagram: datagram, FirstPayload: uint32(first), Opened: opened, Digest: reducer.Digest(datagram)}}})
}

func (s *Script) protected(number uint64, h ike.Header, bodies []ike.Body) {
	s.t.Helper()
	sa := s.state.SA(number)
	h.SPIi, h.SPIr, h.Major, h.NextPayload = sa.SPIi, sa.SPIr, 2, ike.PayloadSK
	if !sa.Initiator {
		h.Flags |= ike.FlagInitiator
	}
	first, opened := ike.AppendPayloads(nil, bodies...)
	body := s.make(32)
	h.Length = uint32(ike.HeaderLen + len(body))
	s.received(number, append(h.Append(nil), body...), opened, first)
}

// Answer is the peer's response to the oldest of our requests in flight.
func (s *Script) Answer(number uint64, bodies ...ike.Body) {
	s.t.Helper()
	sa := s.state.SA(number)
	if sa == nil || len(sa.Window.InFlight) == 0 {
		s.t.Fatalf("ike%d has no request in flight", number)
	}
	open := sa.Window.InFlight[0]
	s.protected(number, ike.Header{Exchange: open.Exchange, MessageID: open.ID, Flags: ike.FlagResponse}, bodies)
}

// PeerAsks is a request of the peer, with its next message id.
func (s *Script) PeerAsks(number uint64, exchange ike.ExchangeType, bodies ...ike.Body) {
	s.t.Helper()
	p := s.peers[number]
	s.protected(number, ike.Header{Exchange: exchange, MessageID: p.next}, bodies)
	p.next++
}

// PeerDeletes is the peer's Delete of the IKE SA.
func (s *Script) PeerDeletes(number uint64) {
	s.t.Helper()
	s.PeerAsks(number, ike.INFORMATIONAL, ike.Delete{Protocol: ike.ProtocolIKE})
}

// Close is the operator's wish to close an IKE SA.
func (s *Script) Close(number uint64) {
	s.t.Helper()
	s.Event(&record.Event{IkeSa: number, Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{}}})
}

// CloseChild is the operator wanting a child closed, not its IKE SA.
func (s *Script) CloseChild(number, child uint64) {
	s.t.Helper()
	s.Event(&record.Event{IkeSa: number, Because: root(record.Root_ROOT_OPERATOR),
		Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{ChildSa: child}}})
}

// Shutdown is SIGTERM.
func (s *Script) Shutdown(budget time.Duration) {
	s.t.Helper()
	s.Event(&record.Event{Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_ShutdownAsked{ShutdownAsked: &record.ShutdownAsked{
		Signal: "SIGTERM", Budget: uint64(budget)}}})
}

// End is the last event of a run.
func (s *Script) End(reason string) {
	s.t.Helper()
	s.Event(&record.Event{Because: root(record.Root_ROOT_START), Kind: &record.Event_RunEnded{RunEnded: &record.RunEnded{Reason: reason}}})
}

// Fire lets the SA's timer of that kind fire, at its deadline.
func (s *Script) Fire(number uint64, timer record.Timer) {
	s.t.Helper()
	if !s.fire(number, timer) {
		s.t.Fatalf("ike%d has no timer %v", number, timer)
	}
}

func (s *Script) fire(number uint64, timer record.Timer) bool {
	armed, id, ok := s.armed(number, timer)
	if !ok {
		return false
	}
	s.now = max(s.now, armed.Deadline)
	s.Event(&record.Event{IkeSa: number, Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: armed.Set.Step, Index: armed.Set.Index},
		Kind: &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: timer, MessageId: id}}})
	return true
}

func (s *Script) armed(number uint64, timer record.Timer) (reducer.ArmedTimer, uint32, bool) {
	if timer == record.Timer_TIMER_SHUTDOWN {
		if e := s.state.Ending(); e != nil {
			return e.Timer, 0, e.Timer.Set.Step != 0
		}
		return reducer.ArmedTimer{}, 0, false
	}
	sa := s.state.SA(number)
	if sa == nil {
		return reducer.ArmedTimer{}, 0, false
	}
	if timer == record.Timer_TIMER_RETRANSMIT {
		for _, open := range sa.Window.InFlight {
			return open.Timer, open.ID, true
		}
	}
	for _, armed := range sa.Timers {
		if record.Timer(armed.Kind) == timer {
			return armed, 0, true
		}
	}
	return reducer.ArmedTimer{}, 0, false
}

// Check lets the SA's liveness timer fire until a liveness check is in flight.
func (s *Script) Check(number uint64) {
	s.t.Helper()
	for s.Fire(number, record.Timer_TIMER_LIVENESS); len(s.state.SA(number).Window.InFlight) == 0; {
		s.Fire(number, record.Timer_TIMER_LIVENESS)
	}
}

// GiveUp lets every retransmission of the SA fire until the request is given up.
func (s *Script) GiveUp(number uint64) {
	s.t.Helper()
	for s.state.SA(number) != nil && s.fire(number, record.Timer_TIMER_RETRANSMIT) {
	}
}

// Elapse lets time pass and every timer fire that comes due meanwhile, in their order; nobody answers.
func (s *Script) Elapse(d time.Duration) {
	s.t.Helper()
	end := s.now + int64(d)
	for {
		sa, timer, first := uint64(0), record.Timer_TIMER_NONE, end+1
		due := func(number uint64, kind record.Timer) {
			if armed, _, ok := s.armed(number, kind); ok && armed.Deadline < first {
				sa, timer, first = number, kind, armed.Deadline
			}
		}
		if e := s.state.Ending(); e != nil && !e.Reported {
			due(0, record.Timer_TIMER_SHUTDOWN)
		}
		s.state.EachSA(0, func(sa *reducer.IKESA) bool {
			due(sa.Number, record.Timer_TIMER_RETRANSMIT)
			for _, armed := range sa.Timers {
				due(sa.Number, record.Timer(armed.Kind))
			}
			return true
		})
		if timer == record.Timer_TIMER_NONE {
			s.now = end
			return
		}
		s.Fire(sa, timer)
	}
}

// Silence is the peer not answering: retransmissions of the SA's oldest request go out until the deadline of its discard
// timer, which then fires.
func (s *Script) Silence(number uint64) {
	s.t.Helper()
	last, _, ok := s.armed(number, record.Timer_TIMER_DISCARD)
	if !ok {
		s.t.Fatalf("ike%d has no discard timer", number)
	}
	for {
		next, _, ok := s.armed(number, record.Timer_TIMER_RETRANSMIT)
		if !ok || next.Deadline > last.Deadline || s.state.SA(number) == nil {
			break
		}
		s.fire(number, record.Timer_TIMER_RETRANSMIT)
	}
	if s.state.SA(number) != nil {
		s.Fire(number, record.Timer_TIMER_DISCARD)
	}
}

// Removed is the kernel's answer to each removal that the last step ordered.
func (s *Script) Removed() {
	s.t.Helper()
	step := s.Step()
	for i, e := range slices.Clone(s.effects) {
		if e.Kind == reducer.EffectRemoveChild {
			s.Event(&record.Event{IkeSa: e.SA, Because: &record.Because{Edge: record.Edge_EDGE_ANSWERS, Step: step, Index: uint32(i)},
				Kind: &record.Event_ChildRemoved{ChildRemoved: &record.ChildRemoved{ChildSa: e.Child}}})
		}
	}
}
