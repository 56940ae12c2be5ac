package reducer

import "strconv"

// Connections that are wanted up (start_action, dpd_action or close_action = start) are tried again when their SA is
// lost or cannot be set up.

// keptUp reports whether the configuration wants the connection up whatever happens.
func (t *step) keptUp(name string) bool {
	c, ok := t.connection(name)
	if !ok || t.s.ending != nil {
		return false
	}
	for _, child := range c.Children {
		if child.StartAction == actionStart {
			return true
		}
	}
	return false
}

// restart asks for a new SA at once: the peer of sa was given up as silent, and a child says dpd_action = restart.
func (t *step) restart(sa IKESA) {
	c, ok := t.connection(sa.Connection)
	if !ok || t.s.ending != nil {
		return
	}
	for _, child := range c.Children {
		if child.DPDAction == actionStart {
			t.locate(c.Name, child.Name)
			return
		}
	}
}

// wantedAgain reports whether the configuration wants a Child SA again that the peer has closed (close_action = start).
func (t *step) wantedAgain(sa *IKESA, child ChildSA) (ChildConfig, bool) {
	c, _ := t.connection(sa.Connection)
	config, ok := c.child(child.Name)
	return config, ok && config.CloseAction == actionStart && child.Phase == Installed && sa.Phase == Established &&
		!sa.Window.Wants(wishDeleteIKE, 0) && t.s.ending == nil
}

func (t *step) locate(connection, child string) {
	t.order(Effect{Kind: EffectLocate, Text: connection, Name: child})
}

// tryLater arms the next try of a connection: 10 s, doubled each time up to a minute, give or take a tenth.
func (t *step) tryLater(connection, child string) {
	if t.s.ending != nil {
		return
	}
	c, known := t.connection(connection)
	wait := ConnectionWait{Name: connection, Child: child}
	for _, w := range t.s.waits {
		if w.Name == connection {
			wait = w
		}
	}
	wait.Tries++
	if !known || c.KeyingTries != 0 && wait.Tries >= c.KeyingTries {
		t.dropWait(connection)
		return
	}
	if wait.ID == 0 {
		t.s.nextWait++
		wait.ID = t.s.nextWait
	}
	settings := &t.s.config.Settings
	pause := jittered(min(grown(settings.RetryFirst, 2000, min(wait.Tries-1, 10)), settings.RetryMost), tenth, t.ev.GetRandom())
	deadline := t.now + pause
	set := t.order(Effect{Kind: EffectSetTimer, Timer: retryTimer, MessageID: wait.ID, Deadline: deadline})
	wait.Timer = ArmedTimer{retryTimer, deadline, set}
	waits := make([]ConnectionWait, 0, len(t.s.waits)+1)
	for _, w := range t.s.waits {
		if w.Name != connection {
			waits = append(waits, w)
		}
	}
	t.s.waits = append(waits, wait)
}

// retryDue tries a connection again.
func (t *step) retryDue() {
	for _, w := range t.s.waits {
		if w.Timer.Set == (Ref{t.because.Step, t.because.Index}) {
			t.locate(w.Name, w.Child)
			return
		}
	}
	t.drop("stale timer")
}

// dropWait forgets a connection's tries: it is being set up, or is not wanted any more.
func (t *step) dropWait(connection string) {
	for i, w := range t.s.waits {
		if w.Name == connection {
			if t.now < w.Timer.Deadline {
				t.order(Effect{Kind: EffectCancelTimer, Timer: retryTimer, MessageID: w.ID})
			}
			t.s.waits = without(t.s.waits, i)
			return
		}
	}
}

// dropWaits forgets the tries of connections that a new configuration does not have.
func (t *step) dropWaits() {
	for _, w := range t.s.waits {
		if _, ok := t.connection(w.Name); !ok {
			t.dropWait(w.Name)
		}
	}
}

func ikeName(number uint64) string { return "ike" + strconv.FormatUint(number, 10) }
