package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Retransmission (RFC 7296, sections 2.1 and 2.4): the same bytes, to the right place, at growing gaps, by the one who
// asked, until there is an answer.

// RTX-01: a copy names the record it copies; under one id there is one.
var rtx01 = &Rule{ID: "RTX-01", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	var of ref
	var known digest
	switch r, a := s.request(m.id), s.response(m.id); {
	case !m.response && r != nil && m.exchange != ike.IKE_SA_INIT:
		of, known = r.of, r.digest
	case m.response && a != nil:
		of, known = a.of, a.digest
	default:
		return
	}
	if m.copy && m.of != of {
		n.violation(s, []uint64{of.step, m.of.step}, "a copy of %s %d has the bytes of step %d; it was recorded at %d", direction(m.response), m.id, m.of.step, of.step)
	}
	if !m.copy && m.digest != known {
		n.violation(s, []uint64{of.step}, "%s %d goes out again with other bytes", direction(m.response), m.id)
	}
}}}

// RTX-02: the first of a response is NAT-01's.
var rtx02 = &Rule{ID: "RTX-02", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	switch {
	case !m.copy:
	case m.response:
		if n.in != nil && n.in.repeat && n.in.id == m.id && m.path != n.in.path {
			n.violation(s, nil, "the repeat of request %d came from %v, and its answer goes to %v", m.id, n.in.path.remote, m.path.remote)
		}
	default:
		if r := s.request(m.id); r != nil && m.path != r.path && m.path != s.fresh {
			n.warning(s, []uint64{r.of.step}, "a copy of request %d goes to %v, the SA is at %v", m.id, m.path.remote, s.path.remote)
		}
	}
}}}

// RTX-04: a recovery, a shutdown order, a change of address begin the gaps anew.
var rtx04 = &Rule{ID: "RTX-04", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	r := s.request(m.id)
	if !m.copy || m.response || r == nil || s.restarted(n, r, m) {
		return
	}
	gap := n.time - r.last
	switch {
	case r.gap > 0 && gap+r.gap < 100*ms:
		n.violation(s, []uint64{r.of.step}, "three copies of request %d within %s", m.id, seconds(gap+r.gap))
	case gap < 100*ms:
		n.warning(s, []uint64{r.of.step}, "a copy of request %d after %s", m.id, seconds(gap))
	case gap*10 < r.gap*8:
		n.warning(s, []uint64{r.of.step}, "a copy of request %d after %s, the one before after %s", m.id, seconds(gap), seconds(r.gap))
	}
}}}

// RTX-05: copies of a response never outnumber copies of its request.
var rtx05 = &Rule{ID: "RTX-05", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if r := s.response(m.id); m.copy && m.response && r != nil && r.went >= r.came {
		n.violation(s, []uint64{r.of.step}, "response %d goes out %d times, its request came %d times", m.id, r.went+1, r.came)
	}
}}}

// RTX-06: what is not open was answered.
var rtx06 = &Rule{ID: "RTX-06", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if !m.copy || m.response || s.request(m.id) != nil || uint64(m.id) >= s.nextOut {
		return
	}
	verdict := Note
	if s.done.there && s.done.id == m.id && n.time-s.done.at > max(s.done.rtt, 10*ms) {
		verdict = Warning
	}
	n.report(verdict, s, []uint64{s.done.step}, "a copy of request %d, which was answered", m.id)
}}}

// RTX-09: an open request has a timer, and one that is due fires.
var rtx09 = &Rule{ID: "RTX-09", hooks: hooks{
	after: func(n *now, s *ikeSA) {
		for _, r := range s.open {
			if !r.timer.on && s.alive() && n.once(s) {
				n.violation(s, []uint64{r.of.step}, "request %d is open, and no timer will send it again or give it up", r.id)
			}
		}
	},
	idle: func(n *now, s *ikeSA) {
		for _, r := range s.open {
			if s.alive() && r.timer.on && n.time-max(r.timer.deadline, s.lastRun) > minute && n.once(s) {
				n.violation(s, []uint64{r.timer.at.step}, "the timer of request %d was due %s ago", r.id, seconds(n.time-r.timer.deadline))
			}
		}
	},
}}

// RTX-08: a verdict of silence comes with the last of the sends that the configuration wants. A discard timer, a budget
// and a set-up refused in the clear end it otherwise.
var rtx08 = &Rule{ID: "RTX-08", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	d := e.GetDiscarded()
	if d == nil || s == nil || s.ended != 0 {
		return
	}
	for _, o := range d.GetUnfinished() {
		if r := s.request(o.GetMessageId()); r != nil && r.sends != o.GetSends() {
			n.warning(s, []uint64{r.of.step}, "request %d is said to have gone out %d times; it was %d", r.id, o.GetSends(), r.sends)
		}
	}
	if d.GetCause() != record.Cause_CAUSE_UNANSWERED && d.GetCause() != record.Cause_CAUSE_UNACKNOWLEDGED {
		return
	}
	fired := n.ev.GetTimerFired()
	switch fired.GetTimer() {
	case record.Timer_TIMER_RETRANSMIT:
		r := s.request(fired.GetMessageId())
		if want := n.j.wantedSends(r); r != nil && r.sends < want {
			n.warning(s, []uint64{r.of.step}, "request %d is given up after %d sends in %s; %d are configured", r.id, r.sends, seconds(n.time-r.sent), want)
		}
	case record.Timer_TIMER_DISCARD, record.Timer_TIMER_SHUTDOWN, record.Timer_TIMER_LINGER:
	default:
		n.warning(s, nil, "the peer is called silent by an event that is no timer")
	}
}}}

// wantedSends is how often a request is sent before it is given up.
func (j *journal) wantedSends(r *request) uint32 {
	switch {
	case r == nil:
		return 0
	case r.refusal:
		return 3 // PROTOCOL.md D-25
	case j.order.on && j.order.ends-j.order.began < 10*second:
		return min(j.retransmitSends(), 12)
	}
	return j.retransmitSends()
}

// RTX-03: a Delete that nobody answered goes out again, but where its own deadline or the shutdown's came first.
var rtx03 = &Rule{ID: "RTX-03", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	d := e.GetDiscarded()
	if d == nil || s == nil || s.ended != 0 {
		return
	}
	for _, r := range s.open {
		if !r.ikeDelete || r.sends > 1 {
			continue
		}
		waited := n.time - r.sent
		switch d.GetCause() {
		case record.Cause_CAUSE_SUPERSEDED, record.Cause_CAUSE_NOT_RECOVERED, record.Cause_CAUSE_REPLACED, record.Cause_CAUSE_DAMAGED,
			record.Cause_CAUSE_BOTH_AT_ONCE, record.Cause_CAUSE_PEER_ASKED:
			continue
		}
		fired := n.ev.GetTimerFired().GetTimer()
		if deadline := fired == record.Timer_TIMER_DISCARD || fired == record.Timer_TIMER_SHUTDOWN; !deadline || waited > 4*second {
			n.violation(s, []uint64{r.of.step}, "the Delete, request %d, went out once in %s and had no answer", r.id, seconds(waited))
		}
	}
}}}

// REC-02: a run that takes over goes on with what was in flight.
var rec02 = &Rule{ID: "REC-02", hooks: hooks{
	settled: func(n *now) {
		if !n.j.takenOver {
			return
		}
		n.a.table.each(func(s *ikeSA) {
			for _, r := range s.open {
				if s.alive() && !r.timer.on {
					n.violation(s, []uint64{r.of.step}, "request %d was open when the run before ended, and is not taken up again", r.id)
				}
			}
		})
	},
	sent: func(n *now, s *ikeSA, m *message) {
		r := s.request(m.id)
		if r == nil || m.response || r.run == uint32(n.j.run) || m.exchange == ike.IKE_SA_INIT {
			return
		}
		if m.copy && m.of != r.of || !m.copy && m.digest != r.digest {
			n.violation(s, []uint64{r.of.step}, "request %d was open when the run before ended, and goes out with other bytes", m.id)
		}
	},
}}
