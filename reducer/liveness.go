package reducer

// Liveness (RFC 7296, section 2.4): when nothing authentic was heard for the configured time, an empty INFORMATIONAL
// request asks. Any request that is unanswered asks just as well.

// livenessDue asks the peer for a sign of life, if it gave none (PROTOCOL.md, W-24).
func (t *step) livenessDue(sa IKESA) {
	c, _ := t.connection(sa.Connection)
	if sa.Phase != Established || c.DPDDelay == 0 {
		sa.Timers = withoutTimer(sa.Timers, livenessTimer)
		t.put(sa)
		return
	}
	quiet := t.now - sa.LastHeard
	if quiet < c.DPDDelay {
		t.setTimer(&sa, livenessTimer, c.DPDDelay-quiet)
		t.put(sa)
		return
	}
	t.setTimer(&sa, livenessTimer, c.DPDDelay)
	if len(sa.Window.InFlight)+len(sa.Window.Waiting) == 0 {
		t.want(&sa, Waiting{Wish: wishLiveness, Decided: t.decided()})
	}
	t.put(sa)
}

// heardSince reports whether the peer of a liveness check spoke, of itself, after we last asked: it is alive whatever became
// of the check, which is sent once more (section 2.4: a dead verdict needs silence). Any other request needs its answer
// (PROTOCOL.md, W-16).
func (t *step) heardSince(sa *IKESA, request *Request) bool {
	return request.Wish.Wish == wishLiveness && sa.LastHeard > request.LastSent
}

func withoutTimer(timers []ArmedTimer, kind TimerKind) []ArmedTimer {
	for i := range timers {
		if timers[i].Kind == kind {
			return without(timers, i)
		}
	}
	return timers
}
