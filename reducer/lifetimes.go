package reducer

import "github.com/ikejd/ikejd/proto/record"

// Lifetimes (RFC 7296, section 2.8): each end has its own and says nothing of them. At the soft end an SA is rekeyed, at the hard
// end it goes.

// rekeyAsked: the operator wants an SA rekeyed now.
func (t *step) rekeyAsked(ev *record.RekeyAsked) {
	sa, ok := t.sa(t.ev.GetIkeSa())
	child := sa.childOf(ev.GetChildSa())
	switch {
	case !ok || ev.GetChildSa() != 0 && child == nil:
		t.answer(t.ev.GetIkeSa(), ev.GetTicket(), "it is gone already")
		return
	case child != nil:
		t.rekeyChild(&sa, child, ev.GetTicket())
	default:
		t.rekeyIKE(&sa, ev.GetTicket())
	}
	t.put(sa)
}

// armLife arms what an established IKE SA has: liveness checks, its soft and its hard end.
func (t *step) armLife(sa *IKESA) {
	c, _ := t.connection(sa.Connection)
	if c.DPDDelay > 0 {
		t.setTimer(sa, livenessTimer, c.DPDDelay)
	}
	if soft := t.softLife(c.RekeyTime, c.RandTime); soft > 0 {
		t.setTimer(sa, rekeyTimer, soft)
	}
	if c.OverTime > 0 && c.RekeyTime > 0 {
		t.setTimer(sa, lifeTimer, c.RekeyTime+c.OverTime)
	}
}

// armChildLife arms the ends of a Child SA that has been installed.
func (t *step) armChildLife(sa *IKESA, child *ChildSA) {
	c, _ := t.connection(sa.Connection)
	config, ok := c.child(child.Name)
	if !ok {
		return
	}
	if config.LifeTime > 0 {
		child.LifeEnds = t.now + config.LifeTime
	}
	switch soft := t.softLife(config.RekeyTime, config.RandTime); {
	case soft > 0:
		t.setChildTimer(sa, child, rekeyTimer, t.now+soft)
	case child.LifeEnds != 0:
		t.setChildTimer(sa, child, lifeTimer, child.LifeEnds)
	}
}

// softLife is the configured time less a part that chance takes off, so that two ends with the same configuration rarely rekey at
// once; 0 is never.
func (t *step) softLife(rekey, spread int64) int64 {
	if rekey <= 0 {
		return 0
	}
	off := min(spread, rekey/2)
	return rekey - int64(uint64(t.ev.GetRandom())*uint64(off/millisecond)>>32)*millisecond
}

// setChildTimer arms the one timer of a Child SA, instead of the one it had.
func (t *step) setChildTimer(sa *IKESA, child *ChildSA, kind TimerKind, deadline int64) {
	t.stopChildTimer(sa, child)
	set := t.order(Effect{Kind: EffectSetTimer, SA: sa.Number, Timer: kind, MessageID: uint32(child.Number), Deadline: deadline})
	child.Timer = ArmedTimer{kind, deadline, set}
}

func (t *step) stopChildTimer(sa *IKESA, child *ChildSA) {
	if child.Timer.Kind != noTimer {
		t.order(Effect{Kind: EffectCancelTimer, SA: sa.Number, Timer: child.Timer.Kind, MessageID: uint32(child.Number)})
		child.Timer = ArmedTimer{}
	}
}

// RekeyDue is when sa will be rekeyed, if it will.
func (sa *IKESA) RekeyDue() (int64, bool) {
	armed, ok := sa.timer(rekeyTimer)
	return armed.Deadline, ok
}

// RekeyDue is when c will be rekeyed, if it will.
func (c *ChildSA) RekeyDue() (int64, bool) { return c.Timer.Deadline, c.Timer.Kind == rekeyTimer }

// rekeyDue is the soft end of the IKE SA.
func (t *step) rekeyDue(sa IKESA) {
	t.rekeyIKE(&sa, 0)
	t.put(sa)
}

// lifeOver is the hard end of the IKE SA, or of the peer's time to delete one that was rekeyed (PROTOCOL.md, D-17, CR-16).
func (t *step) lifeOver(sa IKESA) {
	t.put(sa)
	t.closeIKESA(&sa, t.decided(), 0, t.s.config.Settings.DiscardAfter)
}

// childTimerDue is an end of one of sa's Child SAs.
func (t *step) childTimerDue(sa IKESA, number uint32) {
	for i, child := range sa.Children {
		if uint32(child.Number) != number || child.Timer.Set != (Ref{t.because.Step, t.because.Index}) {
			continue
		}
		kind := child.Timer.Kind
		child.Timer = ArmedTimer{}
		switch {
		case kind == rekeyTimer:
			if child.LifeEnds != 0 {
				t.setChildTimer(&sa, &child, lifeTimer, child.LifeEnds)
			}
			sa.Children = replaced(sa.Children, i, child)
			t.rekeyChild(&sa, &child, 0)
		case child.Phase == ChildRekeyed:
			sa.Children = replaced(sa.Children, i, child)
			t.removeChild(&sa, i) // without a Delete, which could cross the peer's (PROTOCOL.md, D-18)
		default:
			sa.Children = replaced(sa.Children, i, child)
			t.childLifeOver(&sa, child)
		}
		t.put(sa)
		return
	}
	t.drop("stale timer")
}

// childLifeOver is the hard end of a Child SA that nobody replaced.
func (t *step) childLifeOver(sa *IKESA, child ChildSA) {
	if child.Phase == Installed && sa.Phase == Established && !sa.Window.Wants(wishDeleteIKE, 0) {
		t.want(sa, Waiting{Wish: wishDeleteChild, Child: child.Number, Decided: t.decided()})
	}
}
