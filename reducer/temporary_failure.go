package reducer

// TEMPORARY_FAILURE (RFC 7296, section 2.25): what was asked for collides with something at the peer. It is tried again after a
// while, and the two ends do not come back at the same time (PROTOCOL.md, CR-8, CR-13).

const (
	refusedLeast  = 10 * second
	refusedSpread = 20 * second
	refusedMost   = 60 * second
	refusedGiveUp = 5 * minute // of TEMPORARY_FAILURE for one thing
	loserWaits    = 5 * second // the original responder, so that one end goes first
)

// temporaryFailure ends the exchange and has it tried again; after five minutes of that the IKE SA is of no use.
func (t *step) temporaryFailure(sa *IKESA, c Creation) {
	t.failCreation(sa, c, "the peer says TEMPORARY_FAILURE")
	t.rekeyFailed(sa, c)
}

// rekeyFailed has a rekey tried again later, unless its IKE SA is being closed. What is not a rekey was asked for by somebody, who
// is told.
func (t *step) rekeyFailed(sa *IKESA, c Creation) {
	if sa.Phase != Established || sa.Window.Wants(wishDeleteIKE, 0) {
		return
	}
	switch c.Kind {
	case RekeyedChild:
		i := sa.place(c.Replaces)
		if i < 0 || sa.Children[i].Phase != Installed {
			return
		}
		child := sa.Children[i]
		if t.tooLong(&child.Refusals, &child.RefusedSince) {
			t.closeIKESA(sa, t.decided(), 0, t.s.config.Settings.DiscardAfter)
			return
		}
		deadline := t.now + t.refusedWait(sa, child.Refusals)
		kind := rekeyTimer
		if child.LifeEnds != 0 && deadline >= child.LifeEnds {
			kind, deadline = lifeTimer, child.LifeEnds
		}
		t.setChildTimer(sa, &child, kind, deadline)
		sa.Children = replaced(sa.Children, i, child)
	case RekeyedIKE:
		if t.tooLong(&sa.Refusals, &sa.RefusedSince) {
			t.closeIKESA(sa, t.decided(), 0, t.s.config.Settings.DiscardAfter)
			return
		}
		t.setTimer(sa, rekeyTimer, t.refusedWait(sa, sa.Refusals))
	case NewChild:
	}
}

// tooLong counts a refusal, and reports whether they have gone on for too long.
func (t *step) tooLong(refusals *uint32, since *int64) bool {
	if *refusals == 0 {
		*since = t.now
	}
	*refusals++
	return t.now-*since >= refusedGiveUp
}

// refusedWait is 10 s and up to 20 s more by chance, doubled with each refusal, at most a minute.
func (t *step) refusedWait(sa *IKESA, refusals uint32) int64 {
	wait := refusedLeast + int64(t.ev.GetRandom())*refusedSpread>>32
	wait = min(wait<<min(refusals-1, 8), refusedMost)
	if !sa.Initiator {
		wait += loserWaits
	}
	return wait
}
