package audit

import (
	"net/netip"

	"github.com/ikejd/ikejd/proto/record"
)

// Two journals: of both ends of SAs (COL-07), or of two daemons that were one after the other the same end (REC-04).

// Joint judges what two journals say together. Both were told to their ends; it may be called before or after End. Until
// is when the later of them still had nothing to tell, at the least its last record's time.
func (a *Auditor) Joint(b *Auditor, until int64) []Finding {
	a.found = nil
	n := &now{a: a, j: &a.journal, step: a.journal.step, time: a.journal.time}
	for _, h := range a.dispatch.joint {
		n.rule = h.rule
		h.call(n, b, max(until, a.journal.time, b.journal.time))
	}
	return a.found
}

// spiPair is what both ends call an SA.
type spiPair struct{ i, r uint64 }

// bySPIs is an Auditor's SAs that have both SPIs.
func (a *Auditor) bySPIs() map[spiPair]*ikeSA {
	all := make(map[spiPair]*ikeSA, len(a.table.entries))
	a.table.each(func(s *ikeSA) {
		if s.spiI != 0 && s.spiR != 0 {
			all[spiPair{s.spiI, s.spiR}] = s
		}
	})
	return all
}

// places are the addresses that an Auditor's SAs have at this end.
func (a *Auditor) places() map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	a.table.each(func(s *ikeSA) {
		for _, p := range []path{s.path, s.fresh, s.first} {
			if p.local.known() {
				all[p.local.address()] = true
			}
		}
	})
	return all
}

// giveUp is how long a request may stay unanswered before its SA ends (PROTOCOL.md W-15), rounded up: what is silent for
// longer is at rest.
const giveUp = 5 * minute

// COL-07 compares what the rules count at both ends: SAs that are up, and their Child SAs' SPIs.
var col07 = &Rule{ID: "COL-07", Needs: Other, hooks: hooks{joint: func(n *now, b *Auditor, end int64) {
	theirs, places := b.bySPIs(), b.places()
	n.a.table.each(func(s *ikeSA) {
		if s.phase != record.Phase_PHASE_ESTABLISHED {
			return
		}
		t := theirs[spiPair{s.spiI, s.spiR}]
		if t == nil && !places[s.path.remote.address()] || t != nil && t.role == s.role {
			return // its other end is somewhere else
		}
		text := disagree(s, t)
		last := s.touched
		if t != nil {
			last = max(last, t.touched)
		}
		switch {
		case text == "":
		case b.journal.excerpt || t == nil && (b.table.evicted > 0 || !b.journal.fromStart):
			n.inconclusive(s, "the other end's whole journal", "%s", text)
		case len(s.open) > 0 || t != nil && len(t.open) > 0 || end-last < giveUp:
			n.inconclusive(s, "five minutes in which neither end acts", "%s", text)
		case t != nil && t.partial:
			n.inconclusive(s, "the records of this SA at the other end", "%s", text)
		default:
			n.violation(s, nil, "%s", text)
		}
	})
}}}

// disagree is what one end has of an SA that the other has not; empty where they agree.
func disagree(s, t *ikeSA) string {
	switch {
	case t == nil:
		return "it is up here, and the other end never had it"
	case t.phase != record.Phase_PHASE_ESTABLISHED:
		return "it is up here, and " + phaseName(t.phase) + " at the other end"
	}
	for _, ends := range [2][2]*ikeSA{{s, t}, {t, s}} {
		for i := range ends[0].children {
			c := &ends[0].children[i]
			if c.phase == record.ChildPhase_CHILD_PHASE_INSTALLED && !ends[1].mirrors(c) {
				return "a Child SA is there at one end only"
			}
		}
	}
	return ""
}

// mirrors reports whether this end has the other half of a Child SA.
func (s *ikeSA) mirrors(c *child) bool {
	for i := range s.children {
		if o := &s.children[i]; o.phase == record.ChildPhase_CHILD_PHASE_INSTALLED && o.in == c.out && o.out == c.in {
			return true
		}
	}
	return false
}

// REC-04: two journals that hold the same end of an SA are of one place, the later of the one that took over.
var rec04 = &Rule{ID: "REC-04", Needs: Other, hooks: hooks{joint: func(n *now, b *Auditor, _ int64) {
	theirs := b.bySPIs()
	n.a.table.each(func(s *ikeSA) {
		t := theirs[spiPair{s.spiI, s.spiR}]
		if t == nil || t.role != s.role || s.role == unknownRole {
			return
		}
		if n.a.journal.began == b.journal.began {
			if n.once(s) {
				n.inconclusive(s, "a journal of another daemon", "both journals begin at the same time: they are one")
			}
			return
		}
		began := max(n.a.journal.began, b.journal.began)
		old := s
		if n.a.journal.began == began {
			old = t
		}
		if old.sentAt > began {
			n.violation(s, nil, "who had it before sent %s after the other took it over", seconds(old.sentAt-began))
		}
	})
}}}
