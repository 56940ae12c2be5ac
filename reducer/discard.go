package reducer

// The end of an IKE SA in memory. There is one way out of the State, and it leaves its evidence in the step's record
// (PROTOCOL.md, D-29).

// discard takes sa out of the State: children out of the kernel, keys destroyed, timers disarmed, whoever waits told.
func (t *step) discard(sa IKESA, cause Cause, detail string) {
	end := End{From: sa.Phase, Cause: cause, Detail: detail, Unfinished: sa.Window.InFlight, LastHeard: sa.LastHeard}
	for _, w := range sa.Window.Waiting {
		end.Dropped = append(end.Dropped, w.Wish)
	}
	t.answerWaiting(&sa, cause, detail)
	t.dropCreations(&sa, cause.String())
	t.forgetRequests(&sa)
	for _, armed := range sa.Timers {
		t.order(Effect{Kind: EffectCancelTimer, SA: sa.Number, Timer: armed.Kind})
	}
	end.Children = t.dropChildren(&sa)
	t.destroyKeys(&sa)
	if sa.Phase == HalfOpen && !sa.Initiator {
		t.s.halfOpen--
	}
	sa.Cause, sa.Detail = cause, detail
	t.changePhase(&sa, Discarded)
	t.order(Effect{Kind: EffectDiscarded, SA: sa.Number, Because: sa.Decided, End: &end})
	t.replace(sa.Number, nil)
	t.tally(&sa, end.Unfinished)
}

// answerWaiting tells every operator who waits on the SA. One who wanted it closed has what they wanted unless the peer
// never confirmed it.
func (t *step) answerWaiting(sa *IKESA, cause Cause, detail string) {
	problem := cause.String()
	if detail != "" {
		problem += ": " + detail
	}
	t.answer(sa.Number, sa.Ticket, problem)
	sa.Ticket = 0
	tell := func(w Waiting) {
		if w.Wish == wishDeleteIKE && cause != Acknowledged && cause != BothAtOnce && cause != PeerAsked {
			t.answer(sa.Number, w.Ticket, problem)
			return
		}
		t.answer(sa.Number, w.Ticket, "")
	}
	for _, request := range sa.Window.InFlight {
		tell(request.Wish)
	}
	for _, w := range sa.Window.Waiting {
		tell(w)
	}
}

func (t *step) destroyKeys(sa *IKESA) {
	t.destroyShare(sa, sa.KeyRef)
	sa.KeyRef = 0
}

// destroy forgets a secret that was made for an event which has no use for it; 0 is none.
func (t *step) destroy(keyRef uint64) { t.destroyRef(t.ev.GetIkeSa(), keyRef) }

// destroyShare forgets a secret that an exchange of sa had; 0 is none.
func (t *step) destroyShare(sa *IKESA, keyRef uint64) { t.destroyRef(sa.Number, keyRef) }

func (t *step) destroyRef(sa, keyRef uint64) {
	if keyRef != 0 {
		t.order(Effect{Kind: EffectDestroyKeys, SA: sa, KeyRef: keyRef})
	}
}

// discardDue is the last resort of a close: whatever it waited for did not end it (PROTOCOL.md, D-19).
func (t *step) discardDue(sa IKESA) {
	sa.Decided = t.decided()
	if sa.Phase == Deleting {
		t.discard(sa, Unacknowledged, "")
		return
	}
	detail := ""
	if len(sa.Window.InFlight) > 0 {
		detail = "behind request " + decimal(sa.Window.InFlight[0].ID)
	}
	if t.s.ending == nil {
		t.discard(sa, Unacknowledged, detail)
		return
	}
	t.discard(sa, CutOff, detail)
}
