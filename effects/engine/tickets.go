package engine

import (
	"sync"

	"github.com/ikejd/ikejd/proto/record"
)

// tickets are those under which an operator of this run waits. The State may hold some of runs before, whose numbers
// mean nobody now; so each gets a number that no other run gives, and is answered once.
type tickets struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]uint64 // ours -> the caller's
}

// begin says which run it is: numbers of runs before are below.
func (t *tickets) begin(run uint64) { t.last, t.waiting = run<<32, map[uint64]uint64{} }

// enter puts our number in the place of the caller's.
func (t *tickets) enter(ev *record.Event) {
	of := ticketOf(ev)
	if of == nil || *of == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.waiting[t.last] = *of
	*of = t.last
}

// take is the caller's number for ours; false: nobody waits (any more).
func (t *tickets) take(ticket uint64) (uint64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	callers, ok := t.waiting[ticket]
	delete(t.waiting, ticket)
	return callers, ok
}

func ticketOf(ev *record.Event) *uint64 {
	switch kind := ev.Kind.(type) {
	case *record.Event_InitiateAsked:
		return &kind.InitiateAsked.Ticket
	case *record.Event_CloseAsked:
		return &kind.CloseAsked.Ticket
	case *record.Event_RekeyAsked:
		return &kind.RekeyAsked.Ticket
	}
	return nil
}
