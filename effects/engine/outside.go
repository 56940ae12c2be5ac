package engine

import (
	"context"
	"sync"
)

// outside is what an Engine does beside its loop, each kind of work in goroutines of its own.
type outside struct {
	*workers
	kernel   *inOrder
	locating sync.WaitGroup
}

func newOutside(workers int) *outside {
	return &outside{workers: newWorkers(workers), kernel: &inOrder{wake: make(chan struct{}, 1)}}
}

// Kernel queues work for the kernel; it never waits.
func (o *outside) Kernel(do func(context.Context)) { o.kernel.put(do) }

// Locate asks a resolver.
func (o *outside) Locate(do func()) { o.locating.Go(do) }

// inOrder is work that one goroutine does, one piece after the other.
type inOrder struct {
	mu   sync.Mutex
	todo []func(context.Context)
	wake chan struct{}
}

func (w *inOrder) put(do func(context.Context)) {
	w.mu.Lock()
	w.todo = append(w.todo, do)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *inOrder) run(ctx context.Context, wg *sync.WaitGroup) {
	wg.Go(func() {
		for { // what was asked for is done, also when ctx has ended
			w.mu.Lock()
			todo := w.todo
			w.todo = nil
			w.mu.Unlock()
			for _, do := range todo {
				do(ctx)
			}
			if len(todo) > 0 {
				continue
			}
			select {
			case <-w.wake:
			case <-ctx.Done():
				return
			}
		}
	})
}
