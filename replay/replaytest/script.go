package replaytest

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Script is a journal being written.
type Script struct {
	t       testing.TB
	state   reducer.State
	now     int64
	run     uint64
	version string
	records [][]byte
	times   []int64
	effects []reducer.Effect // of the last step
	fresh   uint64           // counts what the keyring and the kernel would make
	peers   map[uint64]*peer
	Random  uint32 // the random bits of each event
}

// peer is what the other end of an IKE SA has counted.
type peer struct {
	next uint32 // id of its next request
}

// Begin is when scripts start, unless they are told otherwise: 2026-11-23 02:07:10 UTC.
var Begin = time.Date(2026, 11, 23, 2, 7, 10, 0, time.UTC)

// New is an empty journal.
func New(t testing.TB) *Script {
	return &Script{t: t, state: reducer.New(), now: Begin.UnixNano(), peers: map[uint64]*peer{}}
}

// Now is the time of the next event.
func (s *Script) Now() time.Time { return time.Unix(0, s.now).UTC() }

// Wait lets time pass.
func (s *Script) Wait(d time.Duration) { s.now += int64(d) }

// State is the State after the last step.
func (s *Script) State() reducer.State { return s.state }

// Step is the number of the last step.
func (s *Script) Step() uint64 { return s.state.Step() }

// Effects are what the last step ordered.
func (s *Script) Effects() []reducer.Effect { return s.effects }

// Event reduces one event and keeps its record. Protected messages get made-up datagrams.
func (s *Script) Event(ev *record.Event) []reducer.Effect {
	s.t.Helper()
	ev.Random = s.Random
	before := s.state
	s.state, s.effects = reducer.Reduce(before, s.now, ev, nil)
	s.Keep(ev, s.effects)
	return s.effects
}

// Keep writes a record that the reducer was not asked about, or decided otherwise: what another version would have
// written. The State must have counted the step.
func (s *Script) Keep(ev *record.Event, effects []reducer.Effect) {
	s.t.Helper()
	var datagrams [][]byte
	for i := range effects {
		if e := &effects[i]; e.Kind == reducer.EffectRecord && !e.Unprotected {
			datagrams = append(datagrams, sealed(e, s.state))
		}
	}
	r, err := reducer.AppendRecord(nil, s.state.Step(), s.now, ev, effects, datagrams)
	if err != nil {
		s.t.Fatal(err)
	}
	s.records, s.times = append(s.records, r), append(s.times, s.now)
}

// Otherwise is Event by a binary that decides otherwise: change makes of the effects what the record has. The State is
// the one of this binary.
func (s *Script) Otherwise(ev *record.Event, change func([]reducer.Effect) []reducer.Effect) {
	s.t.Helper()
	ev.Random = s.Random
	s.state, s.effects = reducer.Reduce(s.state, s.now, ev, nil)
	s.Keep(ev, change(s.effects))
}

// Unreducible is an event on which this binary panics, recorded by one that had nothing to order.
func (s *Script) Unreducible(ev *record.Event) {
	s.t.Helper()
	s.state, _ = reducer.Reduce(s.state, max(s.now, s.state.Time()), &record.Event{Kind: &record.Event_Poisoned{Poisoned: &record.Poisoned{}}}, nil)
	s.Keep(ev, nil)
}

// sealed is a datagram that has the header of the message and octets that depend on its content alone.
func sealed(e *reducer.Effect, state reducer.State) []byte {
	h := e.Header()
	if sa := state.SA(e.SA); sa != nil {
		h.SPIi, h.SPIr = sa.SPIi, sa.SPIr
	}
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint32(nil, e.MessageID), e.Payloads...))
	h.NextPayload, h.Length = 46, uint32(28+len(sum))
	return append(h.Append(nil), sum[:]...)
}

// Start is the first event of a run, and its configuration.
func (s *Script) Start(version string, connections ...*record.Connection) {
	s.t.Helper()
	s.run++
	s.version = version
	s.Event(&record.Event{Because: root(record.Root_ROOT_START), Kind: &record.Event_Started{Started: &record.Started{
		Schema: record.Schema, Version: version, Run: s.run, BootId: "boot"}}})
	s.Event(&record.Event{Because: root(record.Root_ROOT_CONFIGURATION), Kind: &record.Event_ConfigLoaded{ConfigLoaded: &record.ConfigLoaded{
		Config: &record.Config{Connections: connections}}}})
}

// Recover is the first event of a run that takes over the State of the one before.
func (s *Script) Recover(version string, withoutKeys ...uint64) {
	s.t.Helper()
	s.run++
	s.version = version
	s.Event(&record.Event{Because: root(record.Root_ROOT_START), Kind: &record.Event_Recovered{Recovered: &record.Recovered{
		Schema: record.Schema, Version: version, Run: s.run, BootId: "boot", WithoutKeys: withoutKeys}}})
}

func root(r record.Root) *record.Because { return &record.Because{Root: r} }

// because is the edge to the last step's first effect of that kind, for that SA.
func (s *Script) because(edge record.Edge, kind reducer.EffectKind, sa uint64) *record.Because {
	s.t.Helper()
	for i, e := range s.effects {
		if e.Kind == kind && e.SA == sa {
			return &record.Because{Edge: edge, Step: s.state.Step(), Index: uint32(i)}
		}
	}
	s.t.Fatalf("step %d has no effect %d of ike%d", s.state.Step(), kind, sa)
	return nil
}
