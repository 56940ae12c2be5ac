package reducer

import "github.com/google/go-cmp/cmp"

// What holds of a State after every step: counters count, keys and timers are those that effects made, windows are windows.

// checkState holds the State to its invariants after a step.
func (n *node) checkState(effects []Effect) {
	n.t.Helper()
	halfOpen, waiting := 0, 0
	timers := map[timerKey]armed{}
	held := map[uint64]bool{}
	n.s.EachSA(0, func(sa *IKESA) bool {
		if sa.Phase == HalfOpen && !sa.Initiator {
			halfOpen++
		}
		if sa.Phase == NoPhase || sa.Phase == Discarded || n.gone[sa.Number] {
			n.t.Fatalf("step %d: ike%d is %v", n.s.step, sa.Number, sa.Phase)
		}
		if (sa.SetUp != nil) != (sa.Phase == HalfOpen) {
			n.t.Fatalf("step %d: ike%d is %v with set-up %v", n.s.step, sa.Number, sa.Phase, sa.SetUp)
		}
		for ref := range sa.KeyRefs() {
			if held[ref] || !n.keys[ref] {
				n.t.Fatalf("step %d: ike%d has key %d, which is not there or another's", n.s.step, sa.Number, ref)
			}
			held[ref] = true
		}
		for _, a := range sa.Timers {
			timers[timerKey{sa.Number, a.Kind, 0}] = armed{a.Set, a.Deadline}
		}
		for _, c := range sa.Children {
			if c.Timer.Kind != noTimer {
				timers[timerKey{sa.Number, c.Timer.Kind, uint32(c.Number)}] = armed{c.Timer.Set, c.Timer.Deadline}
			}
		}
		n.checkWindow(sa, timers)
		waiting += len(sa.Window.Waiting)
		for _, w := range sa.Window.Waiting {
			if n.wanted[w.Wanted] != sa.Number {
				n.t.Fatalf("step %d: ike%d waits with %v, which nothing wanted", n.s.step, sa.Number, w)
			}
		}
		if sa.Phase == Lingering && (len(sa.Children) > 0 || sa.KeyRef != 0 || len(sa.Window.InFlight)+len(sa.Window.Waiting) > 0) {
			n.t.Fatalf("step %d: ike%d lingers with more than its last response", n.s.step, sa.Number)
		}
		return true
	})
	if waiting != len(n.wanted) {
		n.t.Fatalf("step %d: %d wishes wait, %d were wanted and neither sent nor dropped", n.s.step, waiting, len(n.wanted))
	}
	if halfOpen != n.s.halfOpen {
		n.t.Fatalf("step %d: %d half-open SAs, %d counted", n.s.step, halfOpen, n.s.halfOpen)
	}
	for ref := range n.keys {
		if !held[ref] {
			n.t.Fatalf("step %d: key %d belongs to no SA and was not destroyed", n.s.step, ref)
		}
	}
	for _, w := range n.s.waits {
		if w.Timer.Deadline > n.now {
			timers[timerKey{0, retryTimer, w.ID}] = armed{w.Timer.Set, w.Timer.Deadline}
		} else if a, ok := n.timers[timerKey{0, retryTimer, w.ID}]; ok {
			timers[timerKey{0, retryTimer, w.ID}] = a
		}
	}
	if e := n.s.ending; e != nil && e.Timer.Kind != noTimer && !e.Reported {
		timers[timerKey{0, shutdownTimer, 0}] = armed{e.Timer.Set, e.Timer.Deadline}
	}
	if diff := cmp.Diff(timers, n.timers, cmp.AllowUnexported(timerKey{}, armed{})); diff != "" {
		n.t.Fatalf("step %d: timers of the State (-) and those that effects armed (+): %s", n.s.step, diff)
	}
}

// checkWindow: the invariants of Window.
func (n *node) checkWindow(sa *IKESA, timers map[timerKey]armed) {
	n.t.Helper()
	w := &sa.Window
	for i, r := range w.InFlight {
		if r.ID-w.InFlight[0].ID >= uint32(w.PeerSize) || i > 0 && r.ID <= w.InFlight[i-1].ID || r.ID >= w.NextOut {
			n.t.Fatalf("step %d: ike%d has requests in flight outside the window: %v", n.s.step, sa.Number, w.InFlight)
		}
		if r.Timer.Kind != retransmitTimer || r.Sends == 0 {
			n.t.Fatalf("step %d: ike%d request %d is in flight without a timer", n.s.step, sa.Number, r.ID)
		}
		timers[timerKey{sa.Number, retransmitTimer, r.ID}] = armed{r.Timer.Set, r.Timer.Deadline}
	}
	if w.open() && len(w.Waiting) > 0 && !sa.rekeyAlone() {
		n.t.Fatalf("step %d: ike%d has room in the window and wishes that wait", n.s.step, sa.Number)
	}
	if len(w.Answered) > ourWindow {
		n.t.Fatalf("step %d: ike%d keeps %d responses", n.s.step, sa.Number, len(w.Answered))
	}
	for _, r := range w.Answered {
		if r.ID >= w.NextIn || r.ID+ourWindow < w.NextIn {
			n.t.Fatalf("step %d: ike%d keeps response %d, next is %d", n.s.step, sa.Number, r.ID, w.NextIn)
		}
	}
}
