package daemon

import (
	"context"
	"sync"
)

// tickets match what operators asked for with the answers that come once it is done and durable.
type tickets struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan string
}

func (t *tickets) init() { t.waiting = map[uint64]chan string{} }

// draw is a new ticket.
func (t *tickets) draw() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.waiting[t.last] = make(chan string, 1)
	return t.last
}

// wait is the answer under a ticket: "" is done, else why not. A journal's own tickets of runs before are unknown here.
func (t *tickets) wait(ctx context.Context, ticket uint64) (problem string, err error) {
	t.mu.Lock()
	answer := t.waiting[ticket]
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(t.waiting, ticket)
		t.mu.Unlock()
	}()
	select {
	case problem = <-answer:
		return problem, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (t *tickets) answer(ticket uint64, problem string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.waiting[ticket]; c != nil {
		select {
		case c <- problem:
		default: // answered before
		}
	}
}
