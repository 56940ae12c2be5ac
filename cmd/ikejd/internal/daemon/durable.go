package daemon

import (
	"context"
	"sync"

	"github.com/ikejd/ikejd/reducer"
)

// durable is the State after the last batch that is on the disk and carried out, and wakes who waits for a later one.
type durable struct {
	mu      sync.Mutex
	state   reducer.State
	changed chan struct{} // closed with the next one
}

func (d *durable) set(state reducer.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = state
	if d.changed != nil {
		close(d.changed)
	}
	d.changed = make(chan struct{})
}

func (d *durable) get() (reducer.State, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state, d.changed
}

// until waits for a State of which ok holds.
func (d *durable) until(ctx context.Context, ok func(reducer.State) bool) error {
	for {
		state, changed := d.get()
		if ok(state) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
