package reducer

import (
	"fmt"

	"github.com/ikejd/ikejd/proto/record"
)

// step is one call of Reduce: the event, its time, the State and what was ordered so far. It may accumulate inside;
// outside, nothing of it is seen before finish.
type step struct {
	s       State // as it will be, but for puts
	now     int64
	ev      *record.Event
	because Because // how ev came to be
	effects []Effect
	base    int // effects before this step's own
	puts    []put
	places  map[uint64]int // where in puts a number is, once there are many
	there   int            // SAs the State will have after this step
}

// put is an IKE SA this step changed; a nil sa is gone.
type put struct {
	number uint64
	sa     *IKESA
}

func (t *step) begin(s State, now int64, ev *record.Event, effects []Effect) {
	if now < s.time {
		panic(fmt.Sprintf("event of %d after one of %d: time ran back", now, s.time))
	}
	s.step, s.time = s.step+1, now
	*t = step{s: s, now: now, ev: ev, because: becauseOf(ev.GetBecause()), effects: effects, base: len(effects), puts: t.puts[:0], there: s.sas.count}
}

func (t *step) finish(stamp uint64) State {
	for _, p := range t.puts {
		t.s.sas = t.s.sas.put(p.number, p.sa, stamp)
	}
	return t.s
}

// dispatch is the table of events.
func (t *step) dispatch() {
	switch ev := t.ev.Kind.(type) {
	case *record.Event_Started:
		t.started(ev.Started)
	case *record.Event_Recovered:
		t.recovered(ev.Recovered)
	case *record.Event_ConfigLoaded:
		t.configLoaded(ev.ConfigLoaded)
	case *record.Event_DatagramReceived:
		t.datagramReceived(ev.DatagramReceived)
	case *record.Event_RepeatReceived:
		t.repeatReceived(ev.RepeatReceived)
	case *record.Event_HintReceived:
		t.hintReceived(ev.HintReceived)
	case *record.Event_KeyShareMade:
		if sa, c, ok := t.creation(); ok {
			t.prepared(sa, c, ev.KeyShareMade)
		} else {
			t.keyShareMade(ev.KeyShareMade)
		}
	case *record.Event_Agreed:
		if sa, c, ok := t.creation(); ok {
			t.creationAgreed(sa, c, ev.Agreed)
		} else {
			t.agreed(ev.Agreed)
		}
	case *record.Event_AuthMade:
		t.authMade(ev.AuthMade)
	case *record.Event_Authenticated:
		t.authenticated(ev.Authenticated)
	case *record.Event_SpiAllocated:
		t.spiAllocated(ev.SpiAllocated)
	case *record.Event_ChildInstalled:
		t.childInstalled(ev.ChildInstalled)
	case *record.Event_ChildRemoved:
		t.childRemoved(ev.ChildRemoved)
	case *record.Event_TimerFired:
		t.timerFired(ev.TimerFired)
	case *record.Event_InitiateAsked:
		t.initiateAsked(ev.InitiateAsked)
	case *record.Event_CloseAsked:
		t.closeAsked(ev.CloseAsked)
	case *record.Event_RekeyAsked:
		t.rekeyAsked(ev.RekeyAsked)
	case *record.Event_ShutdownAsked:
		t.shutdownAsked(ev.ShutdownAsked)
	case *record.Event_RunEnded, *record.Event_DoorCounted, *record.Event_Poisoned:
		// facts for the reader of the journal; no SA hangs on them
	default:
		t.drop("unknown event")
	}
}

// sa is IKE SA number as this step has left it so far: a copy to change and put.
func (t *step) sa(number uint64) (IKESA, bool) {
	sa := t.s.sas.get(number)
	if i := t.place(number); i >= 0 {
		sa = t.puts[i].sa
	}
	if sa == nil {
		return IKESA{}, false
	}
	return *sa, true
}

// put makes sa the IKE SA of its number.
func (t *step) put(sa IKESA) { t.replace(sa.Number, &sa) }

func (t *step) replace(number uint64, sa *IKESA) {
	was := t.s.sas.get(number)
	i := t.place(number)
	if i >= 0 {
		was, t.puts[i].sa = t.puts[i].sa, sa
	} else {
		t.puts = append(t.puts, put{number, sa})
		t.remember(number)
	}
	switch {
	case was == nil && sa != nil:
		t.there++
	case was != nil && sa == nil:
		t.there--
	}
}

// fewPuts are searched one by one; a step that changes more SAs, of a recovery or a shutdown, looks them up.
const fewPuts = 16

// place is where in puts the number is, -1 if this step has not changed it.
func (t *step) place(number uint64) int {
	if len(t.puts) > fewPuts {
		if i, ok := t.places[number]; ok {
			return i
		}
		return -1
	}
	for i := range t.puts {
		if t.puts[i].number == number {
			return i
		}
	}
	return -1
}

// remember notes where the last put stands.
func (t *step) remember(number uint64) {
	switch n := len(t.puts); {
	case n == fewPuts+1:
		t.places = make(map[uint64]int, t.there)
		for i := range t.puts {
			t.places[t.puts[i].number] = i
		}
	case n > fewPuts:
		t.places[number] = n - 1
	}
}

// order appends an effect and says where it stands.
func (t *step) order(e Effect) Ref {
	t.effects = append(t.effects, e)
	return Ref{t.s.step, uint32(len(t.effects) - 1 - t.base)}
}

// drop notes that the event changes nothing, and why.
func (t *step) drop(cause string) {
	t.order(Effect{Kind: EffectDropped, SA: t.ev.GetIkeSa(), Text: cause})
}

// decided is the edge to this very step, for causes it lays down in the State.
func (t *step) decided() Because { return Because{Edge: EdgeDecided, Step: t.s.step} }

// setTimer arms one of sa's timers, instead of the one of that kind that was armed before.
func (t *step) setTimer(sa *IKESA, kind TimerKind, wait int64) {
	deadline := t.now + wait
	set := t.order(Effect{Kind: EffectSetTimer, SA: sa.Number, Timer: kind, Deadline: deadline})
	timers := make([]ArmedTimer, 0, len(sa.Timers)+1)
	for _, armed := range sa.Timers {
		if armed.Kind != kind {
			timers = append(timers, armed)
		}
	}
	sa.Timers = append(timers, ArmedTimer{kind, deadline, set})
}

// cancelTimer disarms sa's timer of that kind, if it is armed.
func (t *step) cancelTimer(sa *IKESA, kind TimerKind) {
	for i, armed := range sa.Timers {
		if armed.Kind == kind {
			t.order(Effect{Kind: EffectCancelTimer, SA: sa.Number, Timer: kind})
			sa.Timers = without(sa.Timers, i)
			return
		}
	}
}

// Timer is the armed timer of that kind.
func (sa *IKESA) timer(kind TimerKind) (ArmedTimer, bool) {
	for _, armed := range sa.Timers {
		if armed.Kind == kind {
			return armed, true
		}
	}
	return ArmedTimer{}, false
}

// changePhase moves sa to another phase and notes it with its cause.
func (t *step) changePhase(sa *IKESA, to Phase) {
	change := Change{From: sa.Phase, To: to, Cause: sa.Cause, Detail: sa.Detail}
	if to == HalfOpen || to == Established {
		change.Connection, change.RemoteID = sa.Connection, sa.RemoteID
	}
	t.order(Effect{Kind: EffectChanged, SA: sa.Number, Because: sa.Decided, Change: &change,
		Path: sa.Path, SPIi: sa.SPIi, SPIr: sa.SPIr})
	sa.Phase = to
}

// changeChild moves a Child SA of sa to another phase and notes it.
func (t *step) changeChild(sa *IKESA, child *ChildSA, to ChildPhase) {
	t.order(Effect{Kind: EffectChanged, SA: sa.Number, Child: child.Number, Because: t.decided(), Change: &Change{
		ChildFrom: child.Phase, ChildTo: to, Connection: child.Name,
		InboundSPI: child.InboundSPI, OutboundSPI: child.OutboundSPI}})
	child.Phase = to
}

// answer tells the operator under ticket that it is done, or why not.
func (t *step) answer(sa, ticket uint64, problem string) {
	if ticket != 0 {
		t.order(Effect{Kind: EffectAnswer, SA: sa, Ticket: ticket, Text: problem})
	}
}

// without is s less its i-th element, in an array of its own.
func without[T any](s []T, i int) []T {
	if len(s) == 1 {
		return nil
	}
	rest := make([]T, 0, len(s)-1)
	rest = append(rest, s[:i]...)
	return append(rest, s[i+1:]...)
}

// with is s and one element more, in an array of its own.
func with[T any](s []T, more T) []T {
	all := make([]T, 0, len(s)+1)
	return append(append(all, s...), more)
}

func becauseOf(b *record.Because) Because {
	return Because{Edge: Edge(b.GetEdge()), Step: b.GetStep(), Index: b.GetIndex(), Root: Root(b.GetRoot())}
}
