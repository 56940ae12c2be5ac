package audit

import "github.com/ikejd/ikejd/proto/record"

// Pairs of ends over the lives of their SAs: 1,024 of them.

type pairs struct {
	by   map[uint64]*pair
	ring []uint64
	next int
}

// pair is what happened between two identities lately.
type pair struct {
	reopened [6]int64 // times of the last establishments that followed an end
	count    int
	ended    bool // since the last establishment
	up       [2]int64
	roles    [2]role
	crossed  int64 // when two set-ups crossed, and how often in turn
	crossing int
	ends     int // since then
	live     int
	told     bool
}

const mostPairs = 1024

func (p *pairs) of(peer uint64) *pair {
	if p.by == nil {
		p.by = map[uint64]*pair{}
	}
	if q := p.by[peer]; q != nil {
		return q
	}
	if len(p.ring) < mostPairs {
		p.ring = append(p.ring, peer)
	} else {
		delete(p.by, p.ring[p.next])
		p.ring[p.next] = peer
		p.next = (p.next + 1) % mostPairs
	}
	q := &pair{}
	p.by[peer] = q
	return q
}

// DEL-14: more than 5 times in 60 s.
var del14 = &Rule{ID: "DEL-14", hooks: hooks{after: func(n *now, s *ikeSA) {
	if s.established == 0 || s.peer == 0 {
		return
	}
	p := n.j.pairs.of(s.peer)
	if s.endedNow {
		p.ended = true
	}
	if s.phaseStep != n.step || s.phase != record.Phase_PHASE_ESTABLISHED || !p.ended {
		return
	}
	p.ended = false
	copy(p.reopened[:], p.reopened[1:])
	p.reopened[5] = n.time
	if p.count++; p.count >= len(p.reopened) && n.time-p.reopened[0] <= minute && !p.told {
		n.warning(s, nil, "between these two ends an SA was closed and opened again %d times within %s", len(p.reopened), seconds(n.time-p.reopened[0]))
		p.told = true
	}
}}}

// COL-08: two set-ups of opposite roles within 10 s cross; that both end and it happens again is a fight.
var col08 = &Rule{ID: "COL-08", hooks: hooks{after: func(n *now, s *ikeSA) {
	if s.established == 0 || s.peer == 0 {
		return
	}
	p := n.j.pairs.of(s.peer)
	if s.endedNow {
		p.live = max(p.live-1, 0)
		if p.crossed != 0 && n.time-p.crossed <= minute {
			p.ends++
		}
	}
	if s.phaseStep != n.step || s.phase != record.Phase_PHASE_ESTABLISHED {
		return
	}
	p.up[0], p.roles[0] = p.up[1], p.roles[1]
	p.up[1], p.roles[1] = n.time, s.role
	if p.live++; p.live != 2 || p.roles[0] == p.roles[1] || p.up[1]-p.up[0] > 10*second {
		return
	}
	if p.ends < 2 {
		p.crossing = 0
	}
	p.crossing, p.crossed, p.ends = p.crossing+1, n.time, 0
	if p.crossing > 2 {
		n.warning(s, nil, "both ends set up an SA at once, and closed both, %d times in turn", p.crossing-1)
		p.crossing = 0
	}
}}}
