package audit

import "github.com/ikejd/ikejd/proto/record"

// The table: one entry an IKE SA, in the order in which they were last touched.

const (
	// MaxSAs is how many IKE SAs are known at a time. Beyond it the longest idle is forgotten, and AUD-01 says so.
	MaxSAs = 200_000

	keepEnded   = 10 * minute // an entry stays so long after its SA was discarded
	sweepAtOnce = 2           // entries looked at for each record
)

type table struct {
	most           int
	entries        map[uint64]*ikeSA
	newest, oldest *ikeSA
	cursor         *ikeSA
	highest        uint64 // number of an SA seen
	seen, evicted  uint64
	lost           uint64 // that was evicted last
	noted          bool   // AUD-01 has said so
}

func newTable(most int) table { return table{most: most, entries: map[uint64]*ikeSA{}} }

func (t *table) find(number uint64) *ikeSA { return t.entries[number] }

// add makes an entry for an SA that has none: a new one, if this record makes it and numbers say that it is.
func (t *table) add(n *now, number uint64) *ikeSA {
	s := t.insert(number, n.time)
	s.born, s.bornStep, s.bornNow = n.time, n.step, true
	s.partial = number <= t.highest || !made(n.r, number)
	t.highest = max(t.highest, number)
	s.window, s.ownWindow = 1, 1
	switch in := n.in; {
	case n.ev.GetInitiateAsked() != nil:
		s.role = initiator
	case in != nil && !in.response:
		s.role = responder
		s.spiI, s.heardIn = in.spiI, true
		s.takes(n, in)
		if ref := n.ev.GetDatagramReceived().GetFresh().GetKeyRef(); ref != 0 {
			s.hold(n, ref)
		}
	}
	return s
}

// made reports whether a record makes that SA.
func made(r *record.Record, number uint64) bool {
	for _, e := range r.GetEffects() {
		if c := e.GetChanged(); c != nil && e.GetIkeSa() == number && e.GetChildSa() == 0 && c.GetFrom() == record.Phase_PHASE_NONE {
			return true
		}
	}
	return false
}

func (t *table) insert(number uint64, time int64) *ikeSA {
	if len(t.entries) >= t.most {
		t.lost = t.oldest.number
		t.drop(t.oldest)
		t.evicted++
		t.noted = false
	}
	s := &ikeSA{number: number}
	t.entries[number] = s
	t.seen++
	t.front(s)
	s.touched = time
	return s
}

// touch makes s the newest.
func (t *table) touch(s *ikeSA, time int64) {
	s.touched = time
	if t.newest == s {
		return
	}
	t.unlink(s)
	t.front(s)
}

func (t *table) front(s *ikeSA) {
	s.older, s.newer = t.newest, nil
	if t.newest != nil {
		t.newest.newer = s
	}
	t.newest = s
	if t.oldest == nil {
		t.oldest = s
	}
}

func (t *table) unlink(s *ikeSA) {
	if t.cursor == s {
		t.cursor = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		t.newest = s.older
	}
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		t.oldest = s.newer
	}
	s.newer, s.older = nil, nil
}

func (t *table) drop(s *ikeSA) {
	t.unlink(s)
	delete(t.entries, s.number)
}

// next goes through the entries, from the longest idle on, and begins again after the newest.
func (t *table) next() *ikeSA {
	if t.cursor == nil {
		t.cursor = t.oldest
	}
	s := t.cursor
	if s != nil {
		t.cursor = s.newer
	}
	return s
}

// each calls f for every entry, from the longest idle on.
func (t *table) each(f func(*ikeSA)) {
	for s := t.oldest; s != nil; {
		following := s.newer
		f(s)
		s = following
	}
}
