package reducer

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// A run begins: with nothing, or with the State of the run before. What was asked for and not known to be done is asked
// for again, so every effect is safe to repeat; a response is not, it goes out again when its request does (section 2.1).

// started is the first event of a run without a State to take over.
func (t *step) started(ev *record.Started) {
	t.s.run = ev.GetRun()
}

// recovered takes over the State of the run before. A close that was asked for stands; the shutdown order itself ended
// with its run (PROTOCOL.md, D-30).
func (t *step) recovered(ev *record.Recovered) {
	t.s.run = ev.GetRun()
	cutShort := t.shuttingDown()
	t.s.ending = nil
	t.resumeWaits()
	for _, removal := range ev.GetRemovals() {
		t.removeAgain(removal)
	}
	for _, number := range ev.GetWithoutKeys() {
		t.notRecovered(number, "its keys were not in the vault")
	}
	for _, number := range ev.GetDiverged() {
		t.notRecovered(number, "this binary decides otherwise")
	}
	var all []uint64
	t.s.sas.from(0, func(number uint64, _ *IKESA) bool {
		all = append(all, number)
		return true
	})
	for _, number := range all {
		if sa, ok := t.sa(number); ok {
			t.moveToSocket(&sa, ev.GetSockets())
			t.resume(sa, cutShort)
		}
	}
}

// removeAgain orders what a run before ordered and did not hear of: its SA may be gone from the State.
func (t *step) removeAgain(e *record.Effect) {
	r := e.GetRemoveChild()
	t.order(Effect{Kind: EffectRemoveChild, SA: e.GetIkeSa(), Child: e.GetChildSa(), Protocol: ike.ProtocolID(r.GetProtocol()), Path: pathOf(r.GetPath()),
		Install: &Installation{InboundSPI: r.GetInboundSpi(), OutboundSPI: r.GetOutboundSpi()}})
}

// resumeWaits arms the timers of connections that wait for another try.
func (t *step) resumeWaits() {
	waits := t.s.waits
	t.s.waits = nil
	for _, w := range waits {
		set := t.order(Effect{Kind: EffectSetTimer, Timer: retryTimer, MessageID: w.ID, Deadline: max(w.Timer.Deadline, t.now)})
		w.Timer = ArmedTimer{retryTimer, max(w.Timer.Deadline, t.now), set}
		t.s.waits = with(t.s.waits, w)
	}
}

// notRecovered closes an SA that this run cannot take over. Lingering ones have no keys and need none.
func (t *step) notRecovered(number uint64, detail string) {
	if sa, ok := t.sa(number); ok && sa.Phase != Lingering {
		sa.Decided = t.decided()
		t.discard(sa, NotRecovered, detail)
		if sa.Initiator {
			t.restartLost(sa)
		}
	}
}

// restartLost tries a connection again that is wanted up.
func (t *step) restartLost(sa IKESA) {
	if t.keptUp(sa.Connection) {
		t.tryLater(sa.Connection, "")
	}
}

// resume arms sa's timers again, sends what is unanswered again, and asks again for what was not answered. Where the run
// before ended in a shutdown its budget has ended too: a Delete has its own time again.
func (t *step) resume(sa IKESA, cutShort bool) {
	timers := sa.Timers
	for _, armed := range timers {
		left := max(armed.Deadline-t.now, 0)
		if cutShort && armed.Kind == discardTimer {
			left = t.s.config.Settings.DiscardAfter
		}
		t.setTimer(&sa, armed.Kind, left)
	}
	open := slices.Clone(sa.Window.InFlight)
	for i := range open {
		t.resend(&sa, &open[i])
		open[i].Timer = t.setRetransmit(&sa, open[i])
	}
	sa.Window.InFlight = open
	if sa.SetUp != nil {
		setUp := *sa.SetUp
		sa.SetUp = &setUp
		t.askAgain(&sa)
	}
	t.resumeCreations(&sa)
	for i := range sa.Children {
		child := sa.Children[i]
		if armed := child.Timer; armed.Kind != noTimer {
			child.Timer = ArmedTimer{}
			t.setChildTimer(&sa, &child, armed.Kind, max(armed.Deadline, t.now))
			sa.Children = replaced(sa.Children, i, child)
		}
		if child.Asked == (Ref{}) {
			continue
		}
		if child.InboundSPI == 0 && child.Initiator {
			child.Asked = t.order(Effect{Kind: EffectAllocateSPI, SA: sa.Number, Child: child.Number, Protocol: child.Protocol})
		} else if child.OutboundSPI != 0 {
			t.install(&sa, &child, child.Ni, child.Nr)
		}
		sa.Children = replaced(sa.Children, i, child)
	}
	t.put(sa)
}

// resumeCreations repeats what exchanges wait for from the keyring.
func (t *step) resumeCreations(sa *IKESA) {
	again := func(c Creation) {
		switch {
		case c.Wait == (Ref{}):
		case c.Stage == Preparing:
			t.prepare(sa, &c)
			sa.keep(c)
		case c.Stage == AgreeingCreation:
			t.agreeCreation(sa, c)
		}
	}
	for _, c := range sa.Making {
		again(c)
	}
	if sa.Serving != nil {
		again(*sa.Serving)
	}
}

// askAgain repeats what the set-up waits for from the keyring.
func (t *step) askAgain(sa *IKESA) {
	switch sa.SetUp.Stage {
	case WaitShare:
		t.askShare(sa)
	case Agreeing:
		t.agree(sa, Agreeing)
	case MakingAuth:
		if sa.SetUp.Auth == nil {
			t.askAuth(sa)
		}
	case CheckingAuth:
		t.askCheck(sa)
	case InitSent, AuthSent, InitAnswered, InstallingChild:
		// these wait for the peer or the kernel, not for the keyring
	}
}
