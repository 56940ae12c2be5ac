package daemon

import (
	"context"
	"sync"
)

// tickets match what operators asked for with the answers that come once it is done and durable.
type tickets struct {
	mu      *sync.Mutex
	last    uint64
	waiting map[uint64]chan string

	answered []answer // not delivered yet
}

type answer struct {
	ticket  uint64
	problem string
}

func newTickets() tickets { return tickets{mu: &sync.Mutex{}, waiting: map[uint64]chan string{}} }

// draw is a new ticket; whoever draws one forgets it.
func (t *tickets) draw() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.waiting[t.last] = make(chan string, 1)
	return t.last
}

// forget is the end of a ticket: an answer that is still to come is for nobody.
func (t *tickets) forget(ticket uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, ticket)
}

// wait is the answer under a ticket: "" is done, else why not.
func (t *tickets) wait(ctx context.Context, ticket uint64) (problem string, err error) {
	t.mu.Lock()
	answer := t.waiting[ticket]
	t.mu.Unlock()
	select {
	case problem = <-answer:
		return problem, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// answer is the engine's. It is kept until deliver, so that who asked has read by then what else the batch did.
func (t *tickets) answer(ticket uint64, problem string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answered = append(t.answered, answer{ticket, problem})
}

// deliver gives the answers to who waits. Tickets of runs before, which a journal still holds, are known to nobody here.
func (t *tickets) deliver() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.answered {
		if c := t.waiting[a.ticket]; c != nil {
			select {
			case c <- a.problem:
			default: // answered before
			}
		}
	}
	t.answered = t.answered[:0]
}
