package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Who may say what: nothing but initial exchanges before authentication, nothing of them after it, nothing in the clear.

// authState is how far authentication of an SA has come.
type authState struct {
	good, bad   bool   // the verdict on the peer's AUTH
	step        uint64 // of that verdict
	ownSent     bool   // a message with our AUTH was recorded
	refusedByUs bool   // with N(AUTHENTICATION_FAILED)
	refusedAt   uint64 // the peer said so, in an accepted answer
}

var auth01 = &Rule{ID: "AUTH-01", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || !m.response || s.phase != record.Phase_PHASE_HALF_OPEN {
		return
	}
	switch m.exchange {
	case ike.IKE_SA_INIT, ike.IKE_AUTH, ike.IKE_INTERMEDIATE, ike.IKE_SESSION_RESUME:
	default:
		n.violation(s, nil, "%v, request %d, is answered before IKE_AUTH is complete", m.exchange, m.id)
	}
}}}

// AUTH-02: the peer's AUTH was checked and found good, and ours was recorded.
var auth02 = &Rule{ID: "AUTH-02", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	if s == nil || e.GetChildSa() != 0 || e.GetChanged().GetTo() != record.Phase_PHASE_ESTABLISHED {
		return
	}
	if from := n.a.table.find(e.GetChanged().GetPredecessor()); from != nil && from.auth.good && from.agreedOn(e.GetChanged()).ref != 0 {
		return // it rekeys one whose ends have proved themselves
	}
	if !s.auth.good {
		n.violation(s, nil, "it is established, and the peer's AUTH was not found good")
	} else if !s.auth.ownSent {
		n.violation(s, nil, "it is established, and no message has our AUTH")
	}
}}}

var auth03 = &Rule{ID: "AUTH-03", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	if e.GetInstallChild() != nil && s != nil && !s.auth.good {
		n.violation(s, nil, "child%d is installed, and the peer's AUTH was not found good", e.GetChildSa())
	}
}}}

// AUTH-04: PROTOCOL.md X-27: as initiator an error in the clear is remembered, not believed, while better may come.
var auth04 = &Rule{ID: "AUTH-04", hooks: hooks{after: func(n *now, s *ikeSA) {
	m := n.in
	if m == nil || m.repeat || m.protected || s.number != n.ev.GetIkeSa() || s.bornNow || s.deathsNow == 0 {
		return
	}
	if s.established != 0 {
		n.violation(s, nil, "a message in the clear ends it")
	} else if m.response && len(m.errors) > 0 {
		n.warning(s, nil, "%v in the clear ends its set-up", m.errors[0])
	}
}}}

// AUTH-05: what fails its ICV is turned away at the door, which only counts. So neither counts nor an event on which the
// reducer failed may do anything, and what was dropped must change nothing but timers and keys it brought.
var auth05 = &Rule{ID: "AUTH-05", Limits: "A datagram that fails its ICV is in the journal as a count only; that counts do nothing is what is proved.",
	hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
		switch {
		case n.ev.GetDoorCounted() != nil:
			n.violation(s, nil, "what the door turned away has an effect")
		case n.ev.GetPoisoned() != nil:
			n.violation(s, nil, "an event that was refused has an effect")
		case n.in != nil && !n.acted():
			switch e.GetKind().(type) {
			case *record.Effect_Record, *record.Effect_Changed, *record.Effect_Discarded, *record.Effect_InstallChild, *record.Effect_RemoveChild:
				n.violation(s, nil, "a message that is dropped (%q) has an effect", n.dropped)
			}
		}
	}}}

// AUTH-06: an IKE_SA_INIT request may name an SA of ours with the same SPIi and make another.
var auth06 = &Rule{ID: "AUTH-06", hooks: hooks{received: func(n *now, s *ikeSA) {
	m := n.in
	if m.repeat || m.response || !n.acted() || s.phase < record.Phase_PHASE_ESTABLISHED {
		return
	}
	switch m.exchange {
	case ike.IKE_AUTH:
		n.violation(s, []uint64{s.phaseStep}, "IKE_AUTH, request %d, is processed on an SA that is %s", m.id, phaseName(s.phase))
	case ike.IKE_SA_INIT:
		for _, e := range n.r.GetEffects() {
			if e.GetIkeSa() == s.number {
				n.violation(s, []uint64{s.phaseStep}, "IKE_SA_INIT has an effect on an SA that is %s", phaseName(s.phase))
				return
			}
		}
	}
}}}

func phaseName(p record.Phase) string {
	return [...]string{"not there", "half-open", "established", "being deleted", "lingering", "discarded", "rekeyed"}[max(min(int(p), 6), 0)]
}

// AUTH-08: who refuses lingers for repeats, who is refused is gone.
var auth08 = &Rule{ID: "AUTH-08", hooks: hooks{
	received: func(n *now, s *ikeSA) {
		if m := n.in; m.response && m.exchange == ike.IKE_AUTH && m.protected && n.acted() && m.failed(ike.NotifyAuthenticationFailed) && !m.hasAuth {
			s.auth.refusedAt = n.step
		}
	},
	after: func(n *now, s *ikeSA) {
		switch {
		case !s.auth.refusedByUs && s.auth.refusedAt == 0 || !s.alive() || s.phase == record.Phase_PHASE_LINGERING:
		case s.phase == record.Phase_PHASE_HALF_OPEN, s.phase == record.Phase_PHASE_ESTABLISHED:
			if n.once(s) {
				n.violation(s, []uint64{s.auth.refusedAt}, "authentication failed, and it is %s", phaseName(s.phase))
			}
		}
	},
}}

var auth09 = &Rule{ID: "AUTH-09", hooks: hooks{
	received: func(n *now, s *ikeSA) {
		if m := n.in; !m.repeat && !m.protected && m.exchange != ike.IKE_SA_INIT && n.acted() {
			n.violation(s, nil, "%s %d %v has no Encrypted payload, and is taken", direction(m.response), m.id, m.exchange)
		}
	},
	sent: func(n *now, s *ikeSA, m *message) {
		if !m.copy && !m.protected && m.exchange != ike.IKE_SA_INIT {
			n.violation(s, nil, "%s %d %v leaves in the clear", direction(m.response), m.id, m.exchange)
		}
	},
}}
