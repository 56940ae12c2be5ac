package simulate

import (
	"context"
	"runtime"
	"sync"
)

// Outcome is one seed that was played.
type Outcome struct {
	Seed  uint64
	World *World
	Wrong *Failure // nil: nothing
}

// Many plays count seeds from first on, on all cores, and hands out each when those before it were handed out.
func Many(ctx context.Context, first, count uint64, o Options, each func(Outcome)) error {
	workers := max(runtime.GOMAXPROCS(0), 1)
	next := make(chan uint64)
	done := make(chan Outcome, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for seed := range next {
				w, wrong := Seed(seed, o)
				done <- Outcome{seed, w, wrong}
			}
		})
	}
	// Not more than so many are ahead of the slowest: each keeps its journals until it was handed out.
	ahead := make(chan struct{}, 8*workers)
	go func() {
		defer close(next)
		for i := range count {
			select {
			case ahead <- struct{}{}:
			case <-ctx.Done():
				return
			}
			next <- first + i
		}
	}()
	go func() {
		wg.Wait()
		close(done)
	}()
	waiting := map[uint64]Outcome{}
	turn := first
	for played := range done {
		waiting[played.Seed] = played
		for {
			mine, there := waiting[turn]
			if !there {
				break
			}
			delete(waiting, turn)
			turn++
			<-ahead
			each(mine)
		}
	}
	return ctx.Err()
}
