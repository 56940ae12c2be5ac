package main

import (
	"container/heap"
	"log"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// weather is what the network does to datagrams: probabilities between 0 and 1, and times.
type weather struct {
	drop, dup, reorder     float64
	hold, delay, jitter    time.Duration
	seed                   uint64
	plan                   []rule
	onlyPlan, all, verbose bool
}

// A packet is one datagram on its way: how to show it in a capture and how to hand it on.
type packet struct {
	in, out []byte // raw IP packets, nil when no capture is written
	ike     bool
	what    string // describe's words
	deliver func()
}

// Counts is what happened to the datagrams of one direction.
type Counts struct {
	Seen, Delivered, Dropped, Duplicated, Held, Untouched int
}

// A lane is one direction: it decides fates and delivers in order of time.
type lane struct {
	name            byte
	weather         weather
	sent, delivered *capture

	mu      sync.Mutex
	rng     *rand.Rand
	c       Counts
	last    time.Time // when the latest datagram in order is due
	held    *packet
	heldN   int
	queue   queue
	seq     int
	wake    chan struct{}
	stopped chan struct{}
}

func newLane(name byte, w weather, sent, delivered *capture) *lane {
	w.plan = slices.Clone(w.plan) // each lane marks its own rules as used
	l := &lane{name: name, weather: w, sent: sent, delivered: delivered, rng: rand.New(rand.NewPCG(w.seed, uint64(name))),
		wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go l.deliverer()
	return l
}

// stop delivers nothing more and returns what was counted.
func (l *lane) stop() Counts {
	close(l.stopped)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.c
}

func (l *lane) send(p *packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent.write(p.in)
	if !p.ike && !l.weather.all {
		l.c.Untouched++
		l.put(p, time.Now())
		return
	}
	l.c.Seen++
	n := l.c.Seen
	fate, late := l.decide(n, p.what)
	if l.weather.verbose {
		log.Printf("%c%d %s %s", l.name, n, p.what, fate)
	}
	due := time.Now().Add(l.weather.delay + late)
	if due.Before(l.last) {
		due = l.last
	}
	switch fate {
	case "drop":
		l.c.Dropped++
		return
	case "hold":
		l.c.Held++
		l.release(due) // one at a time: the one held before goes now
		l.held, l.heldN = p, n
		time.AfterFunc(l.weather.hold, func() { l.holdOver(n) })
		return
	case "dup":
		l.c.Duplicated++
		l.put(p, due)
	}
	l.last = due
	l.put(p, due)
	l.release(due)
}

// decide gives the n-th datagram its fate and its share of the jitter. It always takes four values from the stream,
// so that one decision never shifts the next datagram's.
func (l *lane) decide(n int, what string) (fate string, late time.Duration) {
	w := &l.weather
	r := [4]float64{l.rng.Float64(), l.rng.Float64(), l.rng.Float64(), l.rng.Float64()}
	fate, late = "pass", time.Duration(r[3]*float64(w.jitter))
	if !w.onlyPlan {
		switch {
		case r[0] < w.drop:
			fate = "drop"
		case r[1] < w.dup:
			fate = "dup"
		case r[2] < w.reorder:
			fate = "hold"
		}
	}
	for i := range w.plan {
		if r := &w.plan[i]; r.matches(l.name, n, what) {
			r.used = true
			return r.fate, late
		}
	}
	return fate, late
}

// holdOver lets the n-th datagram go when no other came to pass it.
func (l *lane) holdOver(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil && l.heldN == n {
		l.release(time.Now())
	}
}

func (l *lane) release(at time.Time) {
	if l.held != nil {
		l.put(l.held, at)
		l.held = nil
	}
}

func (l *lane) put(p *packet, at time.Time) {
	l.seq++
	heap.Push(&l.queue, item{at, l.seq, p})
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) deliverer() {
	for {
		t := time.NewTimer(l.deliverDue())
		select {
		case <-t.C:
		case <-l.wake:
			t.Stop()
		case <-l.stopped:
			t.Stop()
			return
		}
	}
}

// deliverDue hands on what is due and returns how long nothing else will be.
func (l *lane) deliverDue() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) > 0 {
		if wait := time.Until(l.queue[0].at); wait > 0 {
			return wait
		}
		p := heap.Pop(&l.queue).(item).p
		l.c.Delivered++
		l.delivered.write(p.out)
		p.deliver()
	}
	return time.Hour
}

// item is a packet that waits; of those due at the same time the one put first goes first.
type item struct {
	at  time.Time
	seq int
	p   *packet
}

type queue []item

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(item)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
