package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// node is one daemon without its outsides: a State, and what an engine would hold beside it. Every event goes through
// take, which checks the rules of rules_test.go.
type node struct {
	t       tester
	s       State
	now     int64
	asks    []ask
	timers  map[timerKey]armed
	keys    map[uint64]bool // KeyRefs there are secrets under
	sent    map[Ref]Effect  // the Record effects so far
	spis    uint32          // ESP SPIs given out
	made    uint64          // secrets made
	said    map[message2]Ref
	gone    map[uint64]bool // IKE SAs that were discarded
	wanted  map[Ref]uint64  // wishes that are neither sent nor dropped, and their IKE SAs
	step    int
	kernel  map[uint64]pair // Child SAs the kernel has
	name    byte            // tells two nodes' SPIs apart
	ordered []*record.Effect
}

// tester is a test, or one try of a rapid check.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// ask is an effect that waits for its completion.
type ask struct {
	effect Effect
	at     Ref
}

type timerKey struct {
	sa      uint64
	kind    TimerKind
	message uint32
}

type armed struct {
	at       Ref
	deadline int64
}

type pair struct{ inbound, outbound uint32 }

// message2 is one id of one direction of an SA.
type message2 struct {
	sa       uint64
	response bool
	id       uint32
	spir     uint64
}

// epoch is when tests begin: a round time, 2026-11-23 03:00:00 UTC.
const epoch = int64(1795402800) * second

func newNode(t tester, name byte) *node {
	return &node{t: t, s: New(), now: epoch, timers: map[timerKey]armed{}, keys: map[uint64]bool{}, sent: map[Ref]Effect{},
		said: map[message2]Ref{}, gone: map[uint64]bool{}, wanted: map[Ref]uint64{}, kernel: map[uint64]pair{}, name: name}
}

// take gives an event to the reducer, holds what comes of it to the rules, and gives the effects and what changed.
func (n *node) take(ev *record.Event) ([]Effect, []record.Change) {
	n.t.Helper()
	before := n.s
	if k, ok := ev.GetKind().(*record.Event_TimerFired); ok {
		key := timerKey{ev.GetIkeSa(), TimerKind(k.TimerFired.GetTimer()), k.TimerFired.GetMessageId()}
		if n.timers[key].at == (Ref{ev.GetBecause().GetStep(), ev.GetBecause().GetIndex()}) {
			delete(n.timers, key)
		}
	}
	after, effects, changed := n.reduceChecked(ev)
	n.s = after
	n.step++
	for i := range effects {
		n.carryOut(&effects[i], Ref{after.step, uint32(i)})
	}
	n.checkState(effects)
	var changes []record.Change
	for _, number := range changed {
		changes = append(changes, Diff(before.SA(number), after.SA(number))...)
	}
	return effects, changes
}

// carryOut notes what an engine would do with an effect.
func (n *node) carryOut(e *Effect, at Ref) {
	n.t.Helper()
	key := timerKey{e.SA, e.Timer, e.MessageID}
	switch e.Kind {
	case EffectRecord:
		n.checkRecord(e, at)
		delete(n.wanted, Ref{e.Because.Step, e.Because.Index})
		n.sent[at] = *e
	case EffectResend:
		if was, ok := n.sent[Ref{e.Because.Step, e.Because.Index}]; !ok || was.SA != e.SA || was.MessageID != e.MessageID || was.Response != e.Response {
			n.t.Fatalf("step %d: resend of %d/%d, which is not its record", at.Step, e.Because.Step, e.Because.Index)
		}
	case EffectSetTimer:
		n.timers[key] = armed{at, e.Deadline}
	case EffectCancelTimer:
		if _, ok := n.timers[key]; !ok {
			n.t.Fatalf("step %d: ike%d %v is not armed and was cancelled", at.Step, e.SA, e.Timer)
		}
		delete(n.timers, key)
	case EffectMakeKeyShare, EffectAgree, EffectMakeAuth, EffectCheckAuth, EffectAllocateSPI, EffectInstallChild, EffectRemoveChild,
		EffectLocate:
		n.asks = append(n.asks, ask{*e, at})
	case EffectDestroyKeys:
		if !n.keys[e.KeyRef] {
			n.t.Fatalf("step %d: secrets under %d are not there and were destroyed", at.Step, e.KeyRef)
		}
		delete(n.keys, e.KeyRef)
	case EffectWanted:
		n.wanted[at] = e.SA
	case EffectDropped:
		delete(n.wanted, Ref{e.Because.Step, e.Because.Index})
	case EffectDiscarded:
		n.gone[e.SA] = true
		listed := len(e.End.Dropped)
		for ref, sa := range n.wanted {
			if sa == e.SA {
				delete(n.wanted, ref)
				listed--
			}
		}
		if listed != 0 {
			n.t.Fatalf("step %d: ike%d ended with %d wishes dropped, of which %d are not known", at.Step, e.SA, len(e.End.Dropped), listed)
		}
	case EffectRefuse, EffectAnswer, EffectChanged, EffectReport:
		// nothing is kept of these
	}
}

// answered takes the oldest ask of that kind, of IKE SA sa (0: any), out of the list.
func (n *node) answered(kind EffectKind, sa uint64) (ask, bool) {
	for i, a := range n.asks {
		if a.effect.Kind == kind && (sa == 0 || a.effect.SA == sa) {
			n.asks = append(n.asks[:i:i], n.asks[i+1:]...)
			return a, true
		}
	}
	return ask{}, false
}

func (a ask) completion(ev *record.Event) *record.Event {
	ev.IkeSa = a.effect.SA
	ev.Because = &record.Because{Edge: record.Edge_EDGE_ANSWERS, Step: a.at.Step, Index: a.at.Index}
	return ev
}

func root(r record.Root) *record.Because { return &record.Because{Root: r} }

// fired is the event of a timer; the clock goes on to its deadline if that is later.
func (n *node) fired(key timerKey) *record.Event {
	due := n.timers[key]
	n.now = max(n.now, due.deadline)
	return &record.Event{IkeSa: key.sa, Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: due.at.Step, Index: due.at.Index},
		Kind: &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer(key.kind), MessageId: key.message}}}
}

// nextTimer is the timer that is due first; of equal ones that which was set first.
func (n *node) nextTimer() (timerKey, armed, bool) {
	var first timerKey
	var when armed
	found := false
	for key, a := range n.timers {
		if !found || a.deadline < when.deadline || a.deadline == when.deadline &&
			(a.at.Step < when.at.Step || a.at.Step == when.at.Step && a.at.Index < when.at.Index) {
			first, when, found = key, a, true
		}
	}
	return first, when, found
}

// fresh is what the keyring makes for a new SA or another group.
func (n *node) fresh(group ike.Group) *record.Fresh {
	n.made++
	nonce := make([]byte, 32)
	for i := range nonce {
		nonce[i] = n.name + byte(n.made)
	}
	if group == ike.GroupNone {
		return &record.Fresh{Spi: uint64(n.name)<<56 | n.made, Nonce: nonce}
	}
	n.keys[n.made] = true
	public := make([]byte, publicLength(group))
	for i := range public {
		public[i] = n.name
	}
	return &record.Fresh{KeyRef: n.made, Spi: uint64(n.name)<<56 | n.made, Nonce: nonce, Group: uint32(group), Public: public}
}

// espSPI is an inbound SPI the kernel gives.
func (n *node) espSPI() uint32 {
	n.spis++
	return uint32(n.name)<<24 | n.spis
}

// datagram is the message of a Record effect, sealed by a keyring that knows no secrets: header and payloads.
func datagram(e *Effect) []byte { return e.Message(nil) }

// sealedOf are the datagrams that stand in the journal beside these effects.
func sealedOf(effects []Effect) [][]byte {
	var sealed [][]byte
	for i := range effects {
		if effects[i].Kind == EffectRecord && !effects[i].Unprotected {
			sealed = append(sealed, datagram(&effects[i]))
		}
	}
	return sealed
}

// restart is a crash: all but the State is lost, and the State comes back from its bytes.
func (n *node) restart(recovered *record.Recovered) ([]Effect, []record.Change) {
	n.t.Helper()
	n.s = FromSnapshot(n.snapshotDecoded(n.snapshotBytes(n.s)))
	n.asks = nil
	delete(n.timers, timerKey{kind: shutdownTimer}) // the order ended with its run
	held := map[uint64]bool{}
	n.s.EachSA(0, func(sa *IKESA) bool {
		for ref := range sa.KeyRefs() {
			held[ref] = true
		}
		return true
	})
	n.keys = held // what the State does not name was never in the vault
	recovered.Schema, recovered.Run = record.Schema, n.s.run+1
	effects, changes := n.take(&record.Event{Because: root(record.Root_ROOT_START), Kind: &record.Event_Recovered{Recovered: recovered}})
	for key, a := range n.timers {
		if a.at.Step != n.s.step {
			n.t.Fatalf("ike%d %v was not armed again: no timer outlives its run", key.sa, key.kind)
		}
	}
	return effects, changes
}
