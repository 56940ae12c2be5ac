package engine

import (
	"github.com/ikejd/ikejd/reducer"
	"runtime"
	"sync"
)

// workers do the keyring's expensive work on all cores, never in the reducing goroutine. Work of SAs that are known goes
// before that of strangers, which is turned away when too much of it waits (PROTOCOL.md, K-13).
type workers struct {
	count int

	mu        sync.Mutex
	wake      sync.Cond
	known     fifo
	strangers fifo
	stopped   bool
}

// strangersWait is how many pieces of strangers' work may wait.
const strangersWait = 8192

func newWorkers(count int) *workers {
	w := &workers{count: count}
	w.wake.L = &w.mu
	if w.count == 0 {
		w.count = runtime.GOMAXPROCS(0)
	}
	return w
}

func (w *workers) run(wg *sync.WaitGroup) {
	for range w.count {
		wg.Go(func() {
			for do := w.next(); do != nil; do = w.next() {
				do()
			}
		})
	}
}

// next waits for a piece of work; nil is the end.
func (w *workers) next() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.stopped {
		if do := w.known.take(); do != nil {
			return do
		}
		if do := w.strangers.take(); do != nil {
			return do
		}
		w.wake.Wait()
	}
	return nil
}

// stop ends the workers, each after the piece it is at.
func (w *workers) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.wake.Broadcast()
}

// Keys does work for an SA that is known. It never waits: the reducing goroutine must not.
func (w *workers) Keys(_ reducer.EffectKind, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known.put(do)
	w.wake.Signal()
}

// Stranger does work for somebody who has proved nothing; false: too much of it waits.
func (w *workers) Stranger(do func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.strangers.len() >= strangersWait {
		return false
	}
	w.strangers.put(do)
	w.wake.Signal()
	return true
}

// fifo is work in the order it came.
type fifo struct {
	list []func()
	head int // those before it are taken
}

func (f *fifo) len() int { return len(f.list) - f.head }

func (f *fifo) put(do func()) {
	if f.head > 64 && f.head > len(f.list)/2 {
		n := copy(f.list, f.list[f.head:])
		clear(f.list[n:])
		f.list, f.head = f.list[:n], 0
	}
	f.list = append(f.list, do)
}

func (f *fifo) take() func() {
	if f.head == len(f.list) {
		return nil
	}
	do := f.list[f.head]
	f.list[f.head] = nil
	f.head++
	return do
}
