package vici

import (
	"context"
	"io"
	"sync"
)

// maxQueued bounds what waits for one client, in octets. Ours: one packet of the largest size always fits, and clients
// that do not read cost a quarter of a gigabyte at the worst (maxClients), not the daemon.
const maxQueued = 1 << 20

// queue holds encoded packets on their way to one client. Two kinds go in: offers, which are dropped when the client is
// slow, and puts, which wait.
// Invariant: octets is the length of all of packets, at most maxQueued.
type queue struct {
	mu      sync.Mutex
	changed sync.Cond // a packet came, a packet left, or the queue closed
	packets [][]byte
	octets  int
	closed  bool
}

func newQueue() *queue {
	q := &queue{}
	q.changed.L = &q.mu
	return q
}

// offer adds b if there is room now, and says whether it did.
func (q *queue) offer(b []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.octets+len(b) > maxQueued {
		return false
	}
	q.add(b)
	return true
}

// put adds b, waiting for room until ctx ends or the queue closes. Where there is room ctx does not matter: what a
// handler answers when it was told to end still goes out.
func (q *queue) put(ctx context.Context, b []byte) error {
	defer context.AfterFunc(ctx, q.wake)()
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.octets+len(b) > maxQueued && !q.closed && ctx.Err() == nil {
		q.changed.Wait()
	}
	switch {
	case q.closed:
		return io.ErrClosedPipe
	case q.octets+len(b) > maxQueued:
		return ctx.Err()
	}
	q.add(b)
	return nil
}

func (q *queue) add(b []byte) {
	q.packets = append(q.packets, b)
	q.octets += len(b)
	q.changed.Broadcast()
}

// take waits for packets and removes all of them; nil once the queue is closed and empty. Their octets count until
// done is told that they are written, so a client that does not read fills its queue only once.
func (q *queue) take() [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.packets) == 0 && !q.closed {
		q.changed.Wait()
	}
	taken := q.packets
	q.packets = nil
	return taken
}

// done says that n octets from take have been written.
func (q *queue) done(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.octets -= n
	q.changed.Broadcast()
}

// close lets nothing more in; what waits can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.changed.Broadcast()
}
