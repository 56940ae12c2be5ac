package audit

import (
	"net/netip"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What strangers cost: no state before the cookie, no amplification, no journal, no half-open SA for ever.

// initState is the IKE_SA_INIT exchange as initiator.
type initState struct {
	noCookie digest
	asked    bool
	cookie   digest // the last one that the responder asked for
	wanted   bool
	other    bool // another group was asked for
}

func (i *initState) sent(m *message) {
	i.noCookie, i.asked, i.other = m.noCookie, true, false
}

func (i *initState) answered(m *message) {
	if m.cookieAt > 0 && !m.hasSA {
		i.cookie, i.wanted = digestOf(m.cookie), true
	}
	i.other = i.other || m.failed(ike.NotifyInvalidKEPayload)
}

// DOS-01: K-05's thresholds are settings of the door and not in the journal.
var dos01 = &Rule{ID: "DOS-01", Limits: "From how many half-open SAs on a cookie is asked for is not in the journal: above PROTOCOL.md's default of 100 the answer is inconclusive.",
	hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
		if r := e.GetRefuse(); r != nil && ike.NotifyType(r.GetNotify()) == ike.NotifyCookie {
			for _, other := range n.r.GetEffects() {
				if other.GetChanged().GetFrom() == record.Phase_PHASE_NONE && other.GetChanged() != nil && other.GetChildSa() == 0 {
					n.violation(n.a.table.find(other.GetIkeSa()), nil, "a cookie is asked for, and an SA is made all the same")
				}
			}
		}
		c := e.GetChanged()
		if c == nil || s == nil || e.GetChildSa() != 0 || c.GetFrom() != record.Phase_PHASE_NONE || s.role != responder || n.in == nil {
			return
		}
		if n.in.cookieAt == 0 && n.j.halfOpen == 100 {
			n.inconclusive(s, "the threshold, which is the door's", "100 SAs are half-open, and a request without a cookie makes another")
		}
	}}}

var dos02 = &Rule{ID: "DOS-02", hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
	if m.copy || m.response || m.exchange != ike.IKE_SA_INIT || !s.init.asked {
		return
	}
	if s.init.wanted && (m.cookieAt != 1 || digestOf(m.cookie) != s.init.cookie) {
		n.violation(s, nil, "the cookie asked for is not the first payload, or not the same")
	}
	if !s.init.other && m.noCookie != s.init.noCookie {
		n.violation(s, nil, "IKE_SA_INIT is sent again, and more than the cookie is new")
	}
}}}

var dos03 = &Rule{ID: "DOS-03", hooks: hooks{idle: func(n *now, s *ikeSA) {
	if s.phase == record.Phase_PHASE_HALF_OPEN && s.alive() && n.time-max(s.born, s.lastRun) > 10*minute && n.once(s) {
		n.warning(s, []uint64{s.bornStep}, "it has been half-open for %s", seconds(n.time-s.born))
	}
}}}

// DOS-04: the counter in a snapshot is that of half-open SAs as responder.
var dos04 = &Rule{ID: "DOS-04", hooks: hooks{snapshot: func(n *now, snap *record.Snapshot) {
	counted := uint64(0)
	for _, sa := range snap.GetIkeSas() {
		if sa.GetPhase() == record.Phase_PHASE_HALF_OPEN && !sa.GetInitiator() {
			counted++
		}
	}
	if counted != snap.GetHalfOpen() {
		n.violation(nil, nil, "the State counts %d half-open SAs and holds %d", snap.GetHalfOpen(), counted)
	}
}}}

// sources is octets in and out by address, before the peer has proved itself; a ring of 4,096 over 60 s.
type sources struct {
	by   map[netip.Addr]*source
	ring []netip.Addr
	next int
}

type source struct {
	since   int64
	in, out int
	told    bool
}

const mostSources = 4096

func (s *sources) of(a netip.Addr, time int64) *source {
	if s.by == nil {
		s.by = map[netip.Addr]*source{}
	}
	f := s.by[a]
	if f == nil {
		f = &source{since: time}
		if len(s.ring) < mostSources {
			s.ring = append(s.ring, a)
		} else {
			delete(s.by, s.ring[s.next])
			s.ring[s.next] = a
			s.next = (s.next + 1) % mostSources
		}
		s.by[a] = f
	}
	if time-f.since > minute {
		*f = source{since: time}
	}
	return f
}

// DOS-05: datagrams the door turned away are not in the journal, so what came in is at least what is counted.
var dos05 = &Rule{ID: "DOS-05", Limits: "Answers the door gives by itself (COOKIE, INVALID_IKE_SPI) are not in the journal.",
	hooks: hooks{
		record: func(n *now) {
			m := n.in
			if m == nil {
				return
			}
			if s := n.a.table.find(n.ev.GetIkeSa()); m.repeat && s != nil && s.phase == record.Phase_PHASE_HALF_OPEN && s.role == responder {
				if r := s.response(m.id); r != nil {
					n.j.sources.of(m.path.remote.address(), n.time).in += r.requestSize
				}
			} else if m.exchange == ike.IKE_SA_INIT && !m.response {
				n.j.sources.of(m.path.remote.address(), n.time).in += m.size
			}
		},
		effect: func(n *now, s *ikeSA, e *record.Effect) {
			if r := e.GetRefuse(); r != nil {
				n.amplified(nil, pathOf(r.GetPath()), ike.HeaderLen+8+len(r.GetData()))
			}
		},
		sent: func(n *now, s *ikeSA, m *message) {
			if !m.response || s.role != responder || s.phase != record.Phase_PHASE_HALF_OPEN {
				return
			}
			if r := s.response(m.id); m.copy && r != nil && r.exchange == ike.IKE_SA_INIT {
				n.amplified(s, m.path, r.size)
			} else if !m.copy && m.exchange == ike.IKE_SA_INIT {
				n.amplified(s, m.path, m.size)
			}
		},
	}}

func (n *now) amplified(s *ikeSA, p path, octets int) {
	f := n.j.sources.of(p.remote.address(), n.time)
	f.out += octets
	switch {
	case f.told:
	case f.out > 3*f.in:
		n.violation(s, nil, "%d octets came from %v, and %d went there", f.in, p.remote.address(), f.out)
		f.told = true
	case 2*f.out > 3*f.in:
		n.warning(s, nil, "%d octets came from %v, and %d went there", f.in, p.remote.address(), f.out)
		f.told = true
	}
}

// strangerState is how many records strangers have cost in the last minute.
type strangerState struct {
	since, counted int64
	records        int
	told           bool
}

// mostStrangers is how many refused messages of strangers a minute may have a record each: more is a flood.
const mostStrangers = 1000

var dos08 = &Rule{ID: "DOS-08", hooks: hooks{record: func(n *now) {
	st := &n.j.strangers
	if d := n.ev.GetDoorCounted(); d != nil {
		if st.counted != 0 && n.time-st.counted < 500*ms && n.j.runStep != 0 {
			n.violation(nil, nil, "the door's counts are recorded again after %s", seconds(n.time-st.counted))
		}
		if len(d.GetSamples()) > 16 {
			n.violation(nil, nil, "%d samples in one record of the door", len(d.GetSamples()))
		}
		st.counted = n.time
		return
	}
	if n.in == nil || n.in.repeat || n.acted() || n.ev.GetIkeSa() != 0 {
		return
	}
	if n.time-st.since > minute {
		*st = strangerState{since: n.time, counted: st.counted}
	}
	if st.records++; st.records > mostStrangers && !st.told {
		n.violation(nil, nil, "%d refused messages of strangers have a record each within %s", st.records, seconds(n.time-st.since))
		st.told = true
	}
}}}
