package timers

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"
)

func TestClockStartsAtTheWallClock(t *testing.T) {
	before := time.Now().UnixNano()
	now := NewClock(0).Now()
	after := time.Now().UnixNano()
	if slack := int64(time.Millisecond); now < before-slack || now > after+slack {
		t.Errorf("started at %d, the wall clock went from %d to %d", now, before, after)
	}
}

// The machine's clock was put back while we were down: event time goes on from the last record.
func TestClockStartsNotBeforeTheLastRecord(t *testing.T) {
	last := time.Now().Add(24 * time.Hour).UnixNano()
	c := NewClock(last)
	if now := c.Now(); now < last || now > last+int64(time.Minute) {
		t.Errorf("started %v after the last record", time.Duration(now-last))
	}
	if delta, ok := c.Stepped(); ok {
		t.Errorf("a start after the last record was taken for a step of %v", delta)
	}
}

func TestClockNeverRunsBack(t *testing.T) {
	c := NewClock(0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := c.Now()
			for range 20_000 {
				now := c.Now()
				if now < last {
					t.Errorf("ran back by %v", time.Duration(last-now))
					return
				}
				last = now
			}
		})
	}
	wg.Wait()
}

func TestStepped(t *testing.T) {
	c := NewClock(0)
	start := c.wallAhead
	for _, row := range []struct {
		name string
		to   time.Duration // of the wall clock, against the start
		want time.Duration // 0 is no step
	}{
		{"unmoved", 0, 0},
		{"read late", 30 * time.Millisecond, 0},
		{"set forward", time.Hour, time.Hour},
		{"asked again", time.Hour, 0},
		{"set back", -time.Second, -time.Hour - time.Second},
	} {
		delta, ok := c.steppedTo(start + int64(row.to))
		if delta != row.want || ok != (row.want != 0) {
			t.Errorf("%s: got %v, %v; want %v", row.name, delta, ok, row.want)
		}
	}
}

func TestWait(t *testing.T) {
	c := NewClock(0)
	until := c.Now() + int64(20*time.Millisecond)
	if err := c.Wait(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	if now := c.Now(); now < until {
		t.Errorf("returned %v early", time.Duration(until-now))
	}
	if err := c.Wait(t.Context(), math.MinInt64); err != nil {
		t.Errorf("a time long past: %v", err)
	}
}

func TestWaitIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- NewClock(0).Wait(ctx, math.MaxInt64) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestAlarm(t *testing.T) {
	c := NewClock(0)
	a, err := NewAlarm(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Set(math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	until := c.Now() + int64(5*time.Millisecond)
	if err := a.Set(until); err != nil { // in place of the far one
		t.Fatal(err)
	}
	<-a.Rings()
	if c.Now() < until {
		t.Error("rang early")
	}
	if err := a.Set(0); err != nil { // long past: at once
		t.Fatal(err)
	}
	<-a.Rings()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Set(0); err == nil {
		t.Error("a closed alarm was set")
	}
	select {
	case <-a.Rings():
		t.Error("a closed alarm rang")
	default:
	}
}
