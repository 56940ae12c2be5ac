package engine

import (
	"sync"

	"github.com/ikejd/ikejd/proto/record"
)

// queue is where events wait for the reducing goroutine. What comes from strangers is turned away when it is long;
// completions, timers, operators and living SAs never are.
type queue struct {
	mu      sync.Mutex
	waiting []*record.Event
	most    int
	ready   chan struct{} // has a value when waiting is not empty
}

func newQueue(most int) *queue { return &queue{most: most, ready: make(chan struct{}, 1)} }

func (q *queue) push(events ...*record.Event) {
	q.mu.Lock()
	q.waiting = append(q.waiting, events...)
	q.mu.Unlock()
	q.ring()
}

// offer is push for a stranger's event; false: the queue is long.
func (q *queue) offer(ev *record.Event) bool {
	q.mu.Lock()
	if len(q.waiting) >= q.most {
		q.mu.Unlock()
		return false
	}
	q.waiting = append(q.waiting, ev)
	q.mu.Unlock()
	q.ring()
	return true
}

func (q *queue) ring() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) == 0
}

// take moves at most n events behind into.
func (q *queue) take(into []*record.Event, n int) []*record.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.waiting))
	into = append(into, q.waiting[:n]...)
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	if q.waiting = q.waiting[:rest]; rest > 0 {
		q.ring()
	}
	return into
}
