package reducer

// Half-open SAs (RFC 7296, section 2.6): a responder holds one for a peer that has not proved anything, so not for long.

// halfOpenLife is 30 s when it is quiet, and falls linearly to 2 s where the half-open SAs come near the most we hold
// (PROTOCOL.md, K-12).
func (t *step) halfOpenLife() int64 {
	c := &t.s.config.Settings
	least := min(c.HalfOpenLeast, c.HalfOpen)
	used := min(int64(t.s.halfOpen), int64(c.HalfOpenMost))
	return c.HalfOpen - (c.HalfOpen-least)*used/int64(c.HalfOpenMost)
}

// halfOpenOver discards a half-open SA silently: nobody has authenticated, so there is nobody to tell (PROTOCOL.md, D-24).
func (t *step) halfOpenOver(sa IKESA) {
	sa.Decided = t.decided()
	if sa.SetUp.Stage == InitAnswered {
		t.discard(sa, Refused, "no IKE_AUTH came")
		return
	}
	t.discard(sa, Refused, "IKE_AUTH was not answered in time")
}

// refusalOver ends a set-up that was refused in the clear and got no better answer in time (PROTOCOL.md, X-27).
func (t *step) refusalOver(sa IKESA) {
	if sa.SetUp.Stage == Agreeing { // the better answer is here, and being looked at
		t.setTimer(&sa, refusalTimer, t.s.config.Settings.RefusalWait)
		t.put(sa)
		return
	}
	t.failSetUp(sa, Refused, "the peer answered "+sa.SetUp.Refusal.String())
}
