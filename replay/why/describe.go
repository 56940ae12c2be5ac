package why

import (
	"fmt"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// focused is what of a step a row tells: the effect that says most about the SA, and the wish noted in it.
type focused struct {
	effect *record.Effect
	wanted *record.Effect
}

// focus chooses. What led to the step counts first if it is a message; else an end, a wish, a change of the SA, a message,
// a change of a child.
func focus(r *record.Record, p place) focused {
	var f focused
	if p.index >= 0 && p.index < len(r.GetEffects()) {
		e := r.GetEffects()[p.index]
		set := e.GetSetTimer()
		switch {
		case e.GetRecord() != nil:
			f.effect = e
		case e.GetChanged() != nil:
			return focused{effect: e}
		case set.GetTimer() == record.Timer_TIMER_RETRANSMIT && set != nil:
			f.effect = message(r, e.GetIkeSa(), set.GetMessageId())
		}
	}
	rank := 0
	for _, e := range r.GetEffects() {
		if e.GetIkeSa() != p.sa {
			continue
		}
		if e.GetWanted() != nil && f.wanted == nil {
			f.wanted = e
		}
		if f.effect == nil || rank > 0 {
			if n := telling(e); n > rank {
				f.effect, rank = e, n
			}
		}
	}
	switch m := f.effect.GetRecord(); {
	case m != nil && (f.wanted == nil || f.effect.GetBecause().GetStep() != r.GetStep() || m.GetResponse()):
		f.wanted = nil // it serves a wish of another step
	case f.effect.GetWanted() != nil:
		f.wanted = f.effect
	case f.effect.GetDiscarded() != nil:
		f.wanted = nil
	}
	return f
}

// message is the effect that sent a request, for the first time or again.
func message(r *record.Record, sa uint64, id uint32) *record.Effect {
	for _, e := range r.GetEffects() {
		if m, again := e.GetRecord(), e.GetResend(); e.GetIkeSa() == sa &&
			(m != nil && !m.GetResponse() && m.GetMessageId() == id || again != nil && !again.GetResponse() && again.GetMessageId() == id) {
			return e
		}
	}
	return nil
}

// telling ranks what an effect says of its SA; 0 is nothing.
func telling(e *record.Effect) int {
	switch k := e.GetKind().(type) {
	case *record.Effect_Discarded:
		return 6
	case *record.Effect_Wanted:
		return 5
	case *record.Effect_Changed:
		if e.GetChildSa() == 0 {
			return 4
		}
		return 2
	case *record.Effect_Record:
		if !k.Record.GetResponse() {
			return 3
		}
		return 1
	}
	return 0
}

// describe is what a row says of the step.
func (s *story) describe(r *record.Record, f focused, sa uint64) string {
	ev := r.GetEvent()
	switch k := f.effect.GetKind().(type) {
	case *record.Effect_Discarded:
		return fmt.Sprintf("%s %s -> Discarded, %s", text.SA(sa), text.Phase(k.Discarded.GetFrom()), text.Cause(k.Discarded.GetCause()))
	case *record.Effect_Resend:
		return fmt.Sprintf("request %d again, send %d", k.Resend.GetMessageId(), k.Resend.GetSends())
	case *record.Effect_Record:
		if k.Record.GetResponse() {
			break
		}
		what := fmt.Sprintf("request %d", k.Record.GetMessageId())
		if asked := because(ev, what); asked != what {
			return asked + ", " + wish(s.effect(f.effect.GetBecause()))
		}
		what += " " + exchange(k.Record)
		if w := s.effect(f.effect.GetBecause()); w.GetWanted() != nil {
			what += ", " + wish(w)
		}
		return what
	case *record.Effect_Wanted:
		if f.effect.GetBecause().GetEdge() == record.Edge_EDGE_BEHIND {
			return because(ev, wish(f.effect)+" waits")
		}
		return because(ev, wish(f.effect)+" wanted")
	case *record.Effect_Changed:
		if f.effect.GetChildSa() != 0 {
			return fmt.Sprintf("%s %s", text.Child(f.effect.GetChildSa()), lower(text.ChildPhase(k.Changed.GetChildTo()))) + clause(k.Changed.GetDetail())
		}
		if k.Changed.GetFrom() == record.Phase_PHASE_NONE {
			return begun(ev, sa, k.Changed)
		}
		return because(ev, fmt.Sprintf("%s %s -> %s", text.SA(sa), text.Phase(k.Changed.GetFrom()), text.Phase(k.Changed.GetTo())))
	}
	return happened(ev)
}

// because puts what a person or the peer asked for before what came of it in the same step.
func because(ev *record.Event, what string) string {
	switch {
	case ev.GetShutdownAsked() != nil, ev.GetCloseAsked() != nil, ev.GetRekeyAsked() != nil:
		return happened(ev) + ": " + what
	}
	return what
}

// begun is how an IKE SA came to be.
func begun(ev *record.Event, sa uint64, c *record.Changed) string {
	if ev.GetInitiateAsked() != nil {
		return fmt.Sprintf("%s wanted by connection %s", text.SA(sa), plain(c.GetConnection()))
	}
	return fmt.Sprintf("%s asked for by the peer, connection %s", text.SA(sa), plain(c.GetConnection()))
}

// happened is an event in the words of a chain; those without words of their own are printed as everywhere.
func happened(ev *record.Event) string {
	switch k := ev.GetKind().(type) {
	case *record.Event_ShutdownAsked:
		return fmt.Sprintf("shutdown, %s, budget %s", plain(k.ShutdownAsked.GetSignal()), text.Duration(int64(k.ShutdownAsked.GetBudget())))
	case *record.Event_RekeyAsked:
		if k.RekeyAsked.GetChildSa() != 0 {
			return "rekey " + text.Child(k.RekeyAsked.GetChildSa())
		}
		return "rekey"
	case *record.Event_CloseAsked:
		if k.CloseAsked.GetChildSa() != 0 {
			return "close " + text.Child(k.CloseAsked.GetChildSa())
		}
		return "close " + text.SA(ev.GetIkeSa())
	case *record.Event_DatagramReceived:
		return "received " + text.Received(k.DatagramReceived)
	case *record.Event_TimerFired:
		return text.Timer(k.TimerFired.GetTimer()) + " timer"
	}
	return text.Event(ev)
}

func wish(wanted *record.Effect) string {
	w := text.Wish(wanted.GetWanted().GetWish())
	if wanted.GetChildSa() != 0 {
		w += " " + text.Child(wanted.GetChildSa())
	}
	return w
}

func lower(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}
