package reducer

import (
	"math"
	"slices"
)

// Retransmission (RFC 7296, sections 2.1 and 2.4): only the one who asked sends again, the same bytes, at growing
// intervals; giving up is an event with its cause, never a silent drop.

// refuseAuthSends: a peer that let in somebody it should not have is told so three times (PROTOCOL.md, D-25).
const refuseAuthSends = 3

// setRetransmit arms the timer that follows the request's latest send.
func (t *step) setRetransmit(sa *IKESA, request Request) ArmedTimer {
	deadline := t.now + t.wait(sa, request)
	set := t.order(Effect{Kind: EffectSetTimer, SA: sa.Number, Timer: retransmitTimer, MessageID: request.ID, Deadline: deadline})
	return ArmedTimer{retransmitTimer, deadline, set}
}

// wait is how long to wait after the request's latest send (PROTOCOL.md, W-15).
func (t *step) wait(sa *IKESA, request Request) int64 {
	if t.shuttingDown() {
		return t.compressedWait(sa, request)
	}
	c := &t.s.config.Settings
	first := firstWait(sa.RTT, c.RetransmitLeast, c.RetransmitMost, c.RetransmitFirst)
	sends := min(request.Sends, t.mostSends(sa, request)) // recoveries send beyond the schedule, and must not stretch it
	return backoff(first, sends, c.RetransmitGrowth, c.RetransmitJitter, t.ev.GetRandom())
}

// compressedWait fits what is left of a shutdown's budget: 18 sends, 12 where the budget was under 10 s, no gap under
// 100 ms. A request that was in flight at the order joins that schedule with its next send, as far as it has run by then.
func (t *step) compressedWait(sa *IKESA, request Request) int64 {
	e := t.s.ending
	sends := t.shutdownSends()
	first := firstWait(sa.RTT, 200*millisecond, second, 500*millisecond)
	began := max(e.Began, request.FirstSent)
	budget := (e.Deadline - began) / 11 * 10 // all waits may be a tenth longer
	first = max(min(first, budget/int64(sends)), 100*millisecond)
	growth, past := fitted(first, budget, sends), request.Sends-1
	if request.FirstSent < e.Began {
		past = passed(first, growth, t.now-e.Began)
	}
	return max(jittered(grown(first, growth, min(past, sends-1)), tenth, t.ev.GetRandom()), 100*millisecond)
}

// shutdownSends is how often a Delete is sent within the budget of the shutdown under way.
func (t *step) shutdownSends() uint32 {
	sends := t.s.config.Settings.ShutdownSends
	if t.s.ending.Deadline-t.s.ending.Began < 10*second {
		return min(sends, 12)
	}
	return sends
}

// mostSends is after how many sends a request is given up.
func (t *step) mostSends(sa *IKESA, request Request) uint32 {
	switch {
	case request.Wish.Wish == wishAuth && len(sa.SetUp.Candidates) > 0 && !sa.closing() && !t.shuttingDown():
		return min(candidateSends, t.s.config.Settings.RetransmitSends)
	case request.Wish.Wish == wishRefuseAuth:
		return refuseAuthSends
	case t.shuttingDown() && request.Wish.Wish == wishDeleteIKE:
		return t.shutdownSends()
	case t.shuttingDown():
		return math.MaxUint32 // what a Delete waits behind ends with the budget, and the cause is then that it did (D-19)
	}
	return t.s.config.Settings.RetransmitSends
}

// retransmitDue sends request id again, or gives it up.
func (t *step) retransmitDue(sa IKESA, id uint32) {
	open := slices.Clone(sa.Window.InFlight)
	for i := range open {
		if open[i].ID != id {
			continue
		}
		if t.because.Step != open[i].Timer.Set.Step || t.because.Index != open[i].Timer.Set.Index {
			t.drop("stale timer")
			return
		}
		if open[i].Sends >= t.mostSends(&sa, open[i]) && !t.heardSince(&sa, &open[i]) {
			open[i].Timer = ArmedTimer{} // it has fired
			sa.Window.InFlight = open
			t.giveUp(sa, open[i])
			return
		}
		t.resend(&sa, &open[i])
		open[i].Timer = t.setRetransmit(&sa, open[i])
		sa.Window.InFlight = open
		t.put(sa)
		return
	}
	t.drop("stale timer")
}

// giveUp ends the IKE SA whose peer did not answer. No Delete is sent after it: its id would be a second one open
// (PROTOCOL.md, W-17).
func (t *step) giveUp(sa IKESA, request Request) {
	switch request.Wish.Wish {
	case wishDeleteIKE:
		sa.Decided = t.decided()
		t.discard(sa, Unacknowledged, "")
	case wishRefuseAuth:
		t.failSetUp(sa, Refused, sa.Detail)
	case wishInit, wishAuth:
		if t.tryAnother(sa) {
			return
		}
		t.failSetUp(sa, Unanswered, "no answer to "+request.Exchange.String())
	default:
		sa.Decided = t.decided()
		if c, ok := sa.making(0); ok && c.Rival.there() {
			t.rivalStands(&sa, c) // what the peer made lives on
		}
		t.discard(sa, Unanswered, "request "+decimal(request.ID)+" ("+request.Wish.Wish.String()+")")
		if !sa.closing() {
			t.restart(sa)
		}
	}
}
