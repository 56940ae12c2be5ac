package bench

import (
	"context"
	"errors"
	"time"

	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
)

// phase is one kind of exchange over many SAs: setting up, probing, deleting.
type phase struct {
	name     string
	begin    func(*sa) ([]byte, error) // the first request
	answered func(*sa)                 // of an INFORMATIONAL exchange
	todo     []*sa
	limit    int           // of those that wait for an answer; at least 1
	pace     time.Duration // from one begin to the next; 0: as fast as answers come
	lasts    time.Duration // it is not over before, and begins again with the first SA after the last; 0: each SA once

	flying map[*sa]struct{}
	began  time.Time
	next   time.Time // when the next SA may begin
	until  time.Time // began + lasts
	looked time.Time // when resend did
	result Phase
	over   bool
	done   chan struct{}
}

// backlog is how far a phase may lag behind its pace and catch up: what the machine's timers take, not what a responder
// that is too slow makes of it.
const backlog = 100 * time.Millisecond

// Reasons for which an SA does not go through a phase, beside those that the responder gives.
var (
	errNoAnswer    = errors.New("no answer")
	errDeleted     = errors.New("deleted by the responder")
	errInterrupted = errors.New("interrupted before there was an answer")
)

// run is one phase. When wind ends, nothing more is begun and what is in flight has one more wait for its answer; when
// halt ends it is over at once, and the error is halt's.
func (g *generator) run(wind, halt context.Context, p phase) (Phase, error) {
	p.began = time.Now()
	p.next, p.until, p.looked = p.began, p.began.Add(p.lasts), p.began
	p.flying, p.done = map[*sa]struct{}{}, make(chan struct{})
	p.result = Phase{Failures: map[string]int{}}
	if p.lasts == 0 {
		p.result.Asked = len(p.todo)
	}
	g.mu.Lock()
	g.phase = p
	g.fill(p.began)
	g.flush()
	g.mu.Unlock()

	every := g.o.FirstWait / 8
	if p.pace > 0 {
		every = min(every, max(p.pace, time.Millisecond))
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	told, ends := p.began, wind.Done()
	var grace <-chan time.Time
	for {
		select {
		case <-p.done:
			return g.ends(), nil
		case now := <-tick.C:
			g.turn(now)
			if g.o.Tell != nil && now.Sub(told) >= g.o.TellEvery {
				told = now
				g.o.Tell(g.progress(now))
			}
		case <-ends:
			ends, grace = nil, time.After(g.o.FirstWait)
			g.windUp(nil)
		case <-grace:
			g.windUp(errInterrupted)
		case <-halt.Done():
			g.windUp(errInterrupted)
			return g.ends(), halt.Err()
		}
	}
}

// turn is what time brings: repeats, SAs given up, SAs begun.
func (g *generator) turn(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.phase.looked) >= g.o.FirstWait/8 {
		g.phase.looked = now
		g.resend(now)
	}
	g.fill(now)
	g.flush()
}

// fill begins SAs as far as the phase lets it, and ends the phase with its last one. The lock is held.
func (g *generator) fill(now time.Time) {
	p := &g.phase
	for len(p.flying) < p.limit && len(p.todo) > 0 && !now.Before(p.next) && (p.lasts == 0 || now.Before(p.until)) {
		s := p.todo[0]
		p.todo = p.todo[1:]
		p.next = p.next.Add(p.pace)
		if earliest := now.Add(-backlog); p.next.Before(earliest) {
			p.next = earliest
		}
		if p.lasts > 0 {
			if !s.up {
				continue // it is gone, and comes no more
			}
			p.todo = append(p.todo, s)
			if s.waiting != nil {
				continue // its turn has come again before its answer
			}
			p.result.Asked++
		}
		p.flying[s] = struct{}{}
		s.began = now
		request, err := p.begin(s)
		if err != nil {
			g.ended(s, err)
			continue
		}
		g.send(s, request)
	}
	if !p.over && len(p.flying) == 0 && !now.Before(p.until) && (p.lasts > 0 || len(p.todo) == 0) {
		p.over = true
		p.result.Took = time.Since(p.began)
		close(p.done)
	}
}

// send puts a new request in flight.
func (g *generator) send(s *sa, request []byte) {
	h, err := ike.ParseHeader(request)
	if err != nil {
		panic(err) // we have just made it
	}
	s.waiting, s.exchange, s.id, s.sends, s.due = request, h.Exchange, h.MessageID, 1, time.Now().Add(g.o.FirstWait)
	g.out = append(g.out, udp.Outgoing{Local: s.local, Remote: s.remote, Bytes: request})
}

// ended: nothing more is expected of this SA in this phase.
func (g *generator) ended(s *sa, err error) {
	p := &g.phase
	delete(p.flying, s)
	s.waiting = nil
	if err != nil {
		p.result.Failures[err.Error()]++
		return
	}
	p.result.waits.add(time.Since(s.began))
}

// resend repeats what was not answered in time, and gives up what was sent often enough.
func (g *generator) resend(now time.Time) {
	for s := range g.phase.flying {
		switch {
		case now.Before(s.due):
		case s.sends >= g.o.Sends:
			s.up = false // its window is shut: no other request of ours may follow (RFC 7296, section 2.3)
			g.ended(s, errNoAnswer)
		default:
			s.due = now.Add(g.o.FirstWait << s.sends)
			s.sends++
			g.phase.result.Resent++
			g.out = append(g.out, udp.Outgoing{Local: s.local, Remote: s.remote, Bytes: s.waiting})
		}
	}
}

// windUp begins nothing more, and ends what is in flight where why is not nil.
func (g *generator) windUp(why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := &g.phase
	p.todo, p.until = nil, p.began
	if why != nil {
		for s := range p.flying {
			s.up = false
			g.ended(s, why)
		}
	}
	g.fill(time.Now())
}

// ends is the phase's result.
func (g *generator) ends() Phase {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.phase.result
}

// progress is how far the phase has come.
func (g *generator) progress(now time.Time) Progress {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := &g.phase
	return Progress{Phase: p.name, For: now.Sub(p.began), Asked: p.result.Asked, Done: p.result.Done(), Failed: p.result.failed(), Waiting: len(p.flying),
		Up: len(g.established())}
}

func (g *generator) flush() {
	if len(g.out) > 0 {
		g.sockets.Send(g.out)
		clear(g.out)
		g.out = g.out[:0]
	}
}
