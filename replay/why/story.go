package why

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
)

// story is the steps of one SA, and others as they are asked for.
type story struct {
	src     replay.Source
	catalog *replay.Catalog
	sa      *replay.SA // nil: not about one
	steps   []uint64   // of sa, in order
	records map[uint64]*record.Record
}

func tell(ctx context.Context, src replay.Source, catalog *replay.Catalog, sa *replay.SA) (*story, error) {
	s := &story{src: src, catalog: catalog, sa: sa, records: map[uint64]*record.Record{}}
	if sa == nil || sa.First == 0 {
		return s, nil
	}
	for r, err := range replay.Records(src, sa.First) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if r.GetStep() > sa.Last {
			break
		}
		if slices.Contains(replay.About(r), sa.Number) {
			s.steps = append(s.steps, r.GetStep())
			s.records[r.GetStep()] = r
		}
	}
	return s, nil
}

// record is the record of a step; nil where the journal does not have it (any more).
func (s *story) record(step uint64) *record.Record {
	r, ok := s.records[step]
	if !ok {
		if r, _ = replay.Record(s.src, step); r != nil && r.GetStep() != step {
			r = nil
		}
		s.records[step] = r
	}
	return r
}

// sent is what is known of one request of ours.
type sent struct {
	id       uint32
	exchange ike.ExchangeType
	wish     record.Wish
	child    uint64
	step     uint64 // that recorded it last
	index    uint32
	wanted   *record.Because // the step that wanted it
	first    int64
	sends    uint32
	last     int64
	answered uint64 // step of the answer, 0: none
	when     int64
	given    uint64 // step in which it was given up with its SA, 0: it was not
}

// requests are our requests of the SA, in the order of their ids. One that was recorded again keeps its first send.
func (s *story) requests() []*sent {
	var all []*sent
	find := func(step uint64, index uint32) *sent {
		for _, m := range all {
			if m.step == step && m.index == index {
				return m
			}
		}
		return nil
	}
	for _, step := range s.steps {
		r := s.records[step]
		if b := r.GetEvent().GetBecause(); b.GetEdge() == record.Edge_EDGE_REPLIES && r.GetEvent().GetDatagramReceived() != nil && !dropped(r) {
			if m := find(b.GetStep(), b.GetIndex()); m != nil && m.answered == 0 {
				m.answered, m.when = step, int64(r.GetTime())
			}
		}
		for i, e := range r.GetEffects() {
			if e.GetIkeSa() != s.sa.Number {
				continue
			}
			if m := e.GetRecord(); m != nil && !m.GetResponse() {
				all = s.recorded(all, r, uint32(i), e)
			}
			if again := e.GetResend(); again != nil && !again.GetResponse() {
				if m := find(e.GetBecause().GetStep(), e.GetBecause().GetIndex()); m != nil {
					m.sends, m.last = again.GetSends(), int64(r.GetTime())
				}
			}
		}
	}
	for _, open := range s.sa.End.GetUnfinished() {
		if m := find(open.GetRecorded().GetStep(), open.GetRecorded().GetIndex()); m != nil {
			m.given, m.answered = s.sa.EndStep, 0
		}
	}
	return all
}

func (s *story) recorded(all []*sent, r *record.Record, index uint32, e *record.Effect) []*sent {
	m := &sent{id: e.GetRecord().GetMessageId(), exchange: ike.ExchangeType(e.GetRecord().GetExchange()), step: r.GetStep(), index: index,
		first: int64(r.GetTime()), last: int64(r.GetTime()), sends: 1}
	if wanted := s.effect(e.GetBecause()); wanted.GetWanted() != nil {
		m.wish, m.child, m.wanted = wanted.GetWanted().GetWish(), wanted.GetChildSa(), wanted.GetWanted().GetDecided()
	}
	if n := len(all); n > 0 && all[n-1].id == m.id { // with a cookie, or another group
		m.first = all[n-1].first
		all[n-1] = m
		return all
	}
	return append(all, m)
}

// effect is the effect that an edge names, nil where the journal does not have it.
func (s *story) effect(b *record.Because) *record.Effect {
	effects := s.record(b.GetStep()).GetEffects()
	if int(b.GetIndex()) >= len(effects) {
		return nil
	}
	return effects[b.GetIndex()]
}

// dropped reports whether the event changed nothing.
func dropped(r *record.Record) bool {
	return slices.ContainsFunc(r.GetEffects(), func(e *record.Effect) bool { return e.GetDropped() != nil })
}

// what is the request's purpose.
func (m *sent) what() string { return replay.Exchange(m.wish, m.child) }

func (m *sent) String() string { return fmt.Sprintf("request %d (%s)", m.id, m.what()) }

// heard is the step of the peer's last authentic message at or before the SA's end, and its time; 0 where it came before
// this journal, or never.
func (s *story) heard() (step uint64, at int64) {
	at = int64(s.sa.End.GetLastHeard())
	for _, n := range slices.Backward(s.steps) {
		if r := s.records[n]; r.GetEvent().GetDatagramReceived() != nil && int64(r.GetTime()) == at {
			return n, at
		}
	}
	return 0, at
}

// refusedSince counts the SA's datagrams after a step that changed nothing.
func (s *story) refusedSince(step uint64) int {
	n := 0
	for _, at := range s.steps {
		if r := s.records[at]; at > step && r.GetEvent().GetDatagramReceived() != nil && dropped(r) {
			n++
		}
	}
	return n
}

// asker says who wanted something: the event of the step that decided it.
func (s *story) asker(decided *record.Because) string {
	r := s.record(decided.GetStep())
	ev := r.GetEvent()
	switch {
	case ev.GetShutdownAsked() != nil:
		return "shutdown"
	case ev.GetBecause().GetEdge() == record.Edge_EDGE_ROOT && ev.GetBecause().GetRoot() != record.Root_ROOT_UNSPECIFIED:
		return rootWord(ev.GetBecause().GetRoot())
	case r == nil:
		return "before this journal begins"
	}
	return fmt.Sprintf("step %d", decided.GetStep())
}

func since(from, to int64) time.Duration { return time.Duration(to - from) }
