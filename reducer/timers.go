package reducer

import "github.com/ikejd/ikejd/proto/record"

// timerFired sends a timer to the rule that set it. One that was set again or cancelled meanwhile is stale: the event
// names the effect that set it, and the State knows which effect counts.
func (t *step) timerFired(ev *record.TimerFired) {
	kind := TimerKind(ev.GetTimer())
	switch kind {
	case shutdownTimer:
		t.shutdownDue()
		return
	case retryTimer:
		t.retryDue()
		return
	}
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ok {
		t.drop("stale timer")
		return
	}
	if kind == retransmitTimer {
		t.retransmitDue(sa, ev.GetMessageId())
		return
	}
	if (kind == rekeyTimer || kind == lifeTimer) && ev.GetMessageId() != 0 {
		t.childTimerDue(sa, ev.GetMessageId())
		return
	}
	armed, ok := sa.timer(kind)
	if !ok || armed.Set != (Ref{t.because.Step, t.because.Index}) {
		t.drop("stale timer")
		return
	}
	sa.Timers = withoutTimer(sa.Timers, kind)
	switch kind {
	case halfOpenTimer:
		t.halfOpenOver(sa)
	case livenessTimer:
		t.livenessDue(sa)
	case discardTimer:
		t.discardDue(sa)
	case lingerTimer:
		t.lingerOver(sa)
	case rekeyTimer:
		t.rekeyDue(sa)
	case lifeTimer:
		t.lifeOver(sa)
	case refusalTimer:
		t.refusalOver(sa)
	default:
		t.drop("unknown timer")
	}
}
