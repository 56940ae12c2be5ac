package engine

import (
	"maps"
	"slices"
	"sync"

	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// counts is what the door turned away, by cause. A datagram costs no record: one event a second sums up what changed,
// with a few headers as samples (PROTOCOL.md, K-16).
type counts struct {
	mu      sync.Mutex
	total   map[string]uint64
	changed map[string]uint64
	samples []*record.DoorSample
	most    int // samples
}

func newCounts(samples int) *counts {
	return &counts{most: samples, total: map[string]uint64{}, changed: map[string]uint64{}}
}

func (c *counts) add(cause string, in *udp.Datagram) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(cause)
	if len(c.samples) < c.most {
		header := in.Bytes[:min(len(in.Bytes), ike.HeaderLen)]
		c.samples = append(c.samples, &record.DoorSample{Cause: cause, Path: path(in), Header: append([]byte(nil), header...)})
	}
}

func (c *counts) addCause(cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(cause)
}

func (c *counts) count(cause string) {
	c.total[cause]++
	c.changed[cause]++
}

// take is what changed since it was last asked; nil is nothing.
func (c *counts) take() *record.DoorCounted {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.changed) == 0 {
		return nil
	}
	counted := &record.DoorCounted{Samples: c.samples}
	for _, cause := range slices.Sorted(maps.Keys(c.changed)) {
		counted.Counts = append(counted.Counts, &record.DoorCount{Cause: cause, Count: c.changed[cause]})
	}
	clear(c.changed)
	c.samples = nil
	return counted
}

func (c *counts) all() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.total)
}
