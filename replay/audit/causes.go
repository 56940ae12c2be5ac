package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Every chain of causes ends at a root (REPLAY-UX.md): each event names the effect it answers or a root, each effect that
// needs one the step that brought it about, and edges go back to effects of a fitting kind.

const (
	ringSteps = 4096 // about a snapshot interval
	ringKinds = 12   // effects of a step whose kinds are kept
)

// edgeRing is the kinds of the effects of the last steps.
type edgeRing struct {
	steps [ringSteps]uint64
	count [ringSteps]uint16
	kinds [ringSteps][ringKinds]uint8
}

func (r *edgeRing) add(rec *record.Record) {
	i := rec.GetStep() % ringSteps
	r.steps[i], r.count[i] = rec.GetStep(), uint16(min(len(rec.GetEffects()), 1<<16-1))
	for k, e := range rec.GetEffects() {
		if k == ringKinds {
			break
		}
		r.kinds[i][k] = effectKind(e)
	}
}

// kind is what that effect was; known is false where it is not kept.
func (r *edgeRing) kind(at ref) (kind uint8, known, there bool) {
	i := at.step % ringSteps
	switch {
	case r.steps[i] != at.step:
		return 0, false, true
	case at.index >= uint32(r.count[i]):
		return 0, true, false
	case at.index >= ringKinds:
		return 0, false, true
	}
	return r.kinds[i][at.index], true, true
}

// The numbers of record.Effect's fields.
const (
	kindRecord    = 10
	kindResend    = 11
	kindSetTimer  = 13
	kindShare     = 15
	kindAgree     = 16
	kindMakeAuth  = 17
	kindCheckAuth = 18
	kindSPI       = 19
	kindInstall   = 20
	kindRemove    = 21
	kindWanted    = 24
	kindLocate    = 29
)

func effectKind(e *record.Effect) uint8 {
	switch e.GetKind().(type) {
	case *record.Effect_Record:
		return kindRecord
	case *record.Effect_Resend:
		return kindResend
	case *record.Effect_SetTimer:
		return kindSetTimer
	case *record.Effect_MakeKeyShare:
		return kindShare
	case *record.Effect_Agree:
		return kindAgree
	case *record.Effect_MakeAuth:
		return kindMakeAuth
	case *record.Effect_CheckAuth:
		return kindCheckAuth
	case *record.Effect_AllocateSpi:
		return kindSPI
	case *record.Effect_InstallChild:
		return kindInstall
	case *record.Effect_RemoveChild:
		return kindRemove
	case *record.Effect_Wanted:
		return kindWanted
	case *record.Effect_Locate:
		return kindLocate
	}
	return 1
}

// asksFor is the effect that an ask is.
var asksFor = [...]uint8{askShare: kindShare, askAgree: kindAgree, askMake: kindMakeAuth, askCheck: kindCheckAuth, askSPI: kindSPI,
	askInstall: kindInstall, askRemove: kindRemove, askLocate: kindLocate}

var ord09 = &Rule{ID: "ORD-09", hooks: hooks{
	record: func(n *now) { n.eventCause() },
	effect: func(n *now, s *ikeSA, e *record.Effect) { n.effectCause(s, e) },
}}

func (n *now) eventCause() {
	b := n.ev.GetBecause()
	s := n.a.table.find(n.ev.GetIkeSa())
	kind, _, completion := completes(n.ev)
	switch k := n.ev.GetKind().(type) {
	case *record.Event_TimerFired:
		n.edge(s, b, record.Edge_EDGE_FIRES, kindSetTimer, "a timer that fired")
		return
	case *record.Event_RepeatReceived:
		n.edge(s, b, record.Edge_EDGE_SERVES, kindRecord, "a repeat")
		return
	case *record.Event_DatagramReceived:
		h, err := ike.ParseHeader(k.DatagramReceived.GetDatagram())
		if err == nil && h.Response() && h.Exchange != ike.IKE_SA_INIT && n.acted() {
			n.edge(s, b, record.Edge_EDGE_REPLIES, kindRecord, "a response")
			return
		}
		if b.GetEdge() == record.Edge_EDGE_REPLIES {
			n.edge(s, b, record.Edge_EDGE_REPLIES, kindRecord, "a response")
			return
		}
	case *record.Event_Poisoned:
		return // it has the cause of the event it stands for
	}
	if completion && (kind != askLocate || b.GetEdge() != record.Edge_EDGE_ROOT) {
		n.edge(s, b, record.Edge_EDGE_ANSWERS, asksFor[kind], "a completion")
		return
	}
	if b.GetEdge() != record.Edge_EDGE_ROOT || b.GetRoot() == record.Root_ROOT_UNSPECIFIED {
		n.violation(s, nil, "an event from outside that names no root")
	}
}

func (n *now) effectCause(s *ikeSA, e *record.Effect) {
	b := e.GetBecause()
	switch k := e.GetKind().(type) {
	case *record.Effect_Record:
		want := uint8(kindWanted)
		if k.Record.GetResponse() {
			want = 0
		}
		n.edge(s, b, record.Edge_EDGE_SERVES, want, "a message")
	case *record.Effect_Resend:
		n.edge(s, b, record.Edge_EDGE_SERVES, kindRecord, "a copy")
	case *record.Effect_Wanted:
		n.stepOnly(s, k.Wanted.GetDecided(), "a wish")
	case *record.Effect_Changed:
		if e.GetChildSa() == 0 {
			n.stepOnly(s, b, "a change of phase")
		}
	case *record.Effect_Discarded:
		n.stepOnly(s, b, "an end")
	}
}

// edge is a cause of one sort that leads to one kind of effect; want 0 is any.
func (n *now) edge(s *ikeSA, b *record.Because, sort record.Edge, want uint8, what string) {
	at := refOf(b)
	switch {
	case b.GetEdge() != sort:
		n.violation(s, nil, "%s that names no cause of its sort", what)
	case at.step > n.step || at.step == n.step && want != kindWanted && want != 0 || at.step == 0:
		n.violation(s, nil, "%s whose cause is step %d", what, at.step)
	case at.step == n.step:
		if want == kindWanted && (int(at.index) >= len(n.r.GetEffects()) || effectKind(n.r.GetEffects()[at.index]) != want) {
			n.violation(s, nil, "%s whose cause is effect %d of its own step, which is another thing", what, at.index)
		}
	case want != 0:
		if kind, known, there := n.j.edges.kind(at); !there || known && kind != want {
			n.violation(s, []uint64{at.step}, "%s whose cause, effect %d of step %d, is another thing", what, at.index, at.step)
		}
	}
}

// stepOnly is a cause that names a step, whatever was ordered there, or a root.
func (n *now) stepOnly(s *ikeSA, b *record.Because, what string) {
	switch {
	case b.GetEdge() == record.Edge_EDGE_ROOT && b.GetRoot() == record.Root_ROOT_UNSPECIFIED:
		n.violation(s, nil, "%s without a cause", what)
	case b.GetStep() > n.step:
		n.violation(s, nil, "%s whose cause, step %d, is still to come", what, b.GetStep())
	}
}
