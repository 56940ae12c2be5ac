package reducer

// Lingering: we answered a message that ends the SA, and the peer may not have got the answer. Kernel state and keys are
// gone; what stays is the recorded response, for repeats of the request (PROTOCOL.md, D-03, D-20 to D-22).

// linger ends everything of sa but its last response.
func (t *step) linger(sa IKESA, cause Cause, detail string) {
	t.answerWaiting(&sa, cause, detail)
	t.dropCreations(&sa, cause.String())
	for _, w := range sa.Window.Waiting {
		t.dropWish(&sa, w, "the ike sa has ended")
	}
	t.forgetRequests(&sa)
	for len(sa.Timers) > 0 {
		t.cancelTimer(&sa, sa.Timers[0].Kind)
	}
	t.dropChildren(&sa)
	t.destroyKeys(&sa)
	if sa.Phase == HalfOpen && !sa.Initiator {
		t.s.halfOpen--
	}
	sa.SetUp = nil
	sa.Cause, sa.Detail, sa.Decided, sa.LingerBegan = cause, detail, t.decided(), t.now
	t.changePhase(&sa, Lingering)
	t.setTimer(&sa, lingerTimer, t.lingerTime(&sa))
	t.put(sa)
}

// lingerTime is how long from now the peer may still repeat its request: 4 times its last seen interval, within 30 s and
// 180 s; a shutdown waits 5 s at most.
func (t *step) lingerTime(sa *IKESA) int64 {
	c := &t.s.config.Settings
	wait := min(max(4*sa.LingerGap, c.LingerLeast), max(sa.LingerBegan+c.LingerMost-t.now, 0))
	if t.s.ending != nil {
		wait = min(wait, max(t.s.ending.Began, sa.LingerBegan)+c.ShutdownLinger-t.now)
	}
	return max(wait, 0)
}

// lingerOn starts the wait again after a repeat.
func (t *step) lingerOn(sa *IKESA) {
	if sa.Phase == Lingering {
		t.setTimer(sa, lingerTimer, t.lingerTime(sa))
	}
}

// lingerOver discards the SA, with the cause for which it lingered.
func (t *step) lingerOver(sa IKESA) { t.discard(sa, sa.Cause, sa.Detail) }
