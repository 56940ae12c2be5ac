package mini

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Phases, ends and Child SAs.

func (b *builder) changed(to record.Phase, cause record.Cause) {
	s := b.s
	c := &record.Changed{From: s.phase, To: to, Cause: cause, SpiI: s.spiI, SpiR: s.spiR}
	if to == record.Phase_PHASE_HALF_OPEN || to == record.Phase_PHASE_ESTABLISHED {
		c.Connection, c.RemoteId = "gw", &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte("peer.example")}
	}
	s.phase = to
	b.add("changed", &record.Effect{Because: b.decided(), Kind: &record.Effect_Changed{Changed: c}})
}

func causeOf(w word) (record.Cause, error) {
	c, ok := causes[w.arg(0)]
	if !ok {
		return 0, fmt.Errorf("%s(%s) has no cause of REPLAY-UX.md", w.name, w.arg(0))
	}
	return c, nil
}

// lingers ends all of an SA but its last response.
func (b *builder) lingers(w word) error {
	cause, err := causeOf(w)
	if err != nil {
		return err
	}
	s := b.s
	for _, r := range s.open {
		b.cancel(r)
	}
	s.open, s.wishes = nil, nil
	for _, kind := range sortedTimers(s.timers) {
		b.disarm(kind)
	}
	b.dropChildren()
	b.destroy()
	b.changed(record.Phase_PHASE_LINGERING, cause)
	b.arm(record.Timer_TIMER_LINGER, int64(30*time.Second))
	return nil
}

// discards ends an SA, with its evidence.
func (b *builder) discards(w word) error {
	cause, err := causeOf(w)
	if err != nil {
		return err
	}
	s := b.s
	d := &record.Discarded{From: s.phase, Cause: cause}
	for _, r := range s.open {
		if !b.less["unfinished"] {
			d.Unfinished = append(d.Unfinished, &record.Open{MessageId: r.id, Wish: r.wish, Sends: r.sends, Recorded: edge(record.Edge_EDGE_SERVES, r.at)})
		}
		b.cancel(r)
	}
	for _, q := range s.wishes {
		if !b.less["listed"] {
			d.Dropped = append(d.Dropped, q.wish)
		}
	}
	for _, kind := range sortedTimers(s.timers) {
		b.disarm(kind)
	}
	d.Children = b.dropChildren()
	b.destroy()
	b.changed(record.Phase_PHASE_DISCARDED, cause)
	b.add("discarded", &record.Effect{Because: b.decided(), Kind: &record.Effect_Discarded{Discarded: d}})
	s.open, s.wishes = nil, nil
	for name := range s.asks {
		if !strings.HasPrefix(name, "remove") { // the kernel answers all the same
			delete(s.asks, name)
		}
	}
	b.tally[cause]++
	return nil
}

func (b *builder) destroy() {
	if b.s.key != 0 {
		b.add("destroy", &record.Effect{Kind: &record.Effect_DestroyKeys{DestroyKeys: &record.DestroyKeys{KeyRef: b.s.key}}})
	}
	if !b.less["destroy"] {
		b.s.key = 0
	}
}

func (b *builder) dropChildren() []uint64 {
	var gone []uint64
	for _, c := range b.s.children {
		if c.phase == record.ChildPhase_CHILD_PHASE_REMOVED {
			continue
		}
		gone = append(gone, c.number)
		b.removeHalves(c, true, true)
		b.childTo(c, record.ChildPhase_CHILD_PHASE_REMOVED)
	}
	return gone
}

// childWord is child(c1), child(c1 up), child(c1 gone).
func (b *builder) childWord(w word) error {
	c := b.s.child(w.arg(0))
	switch w.arg(1) {
	case "":
		b.child++
		c = &child{name: w.arg(0), number: b.child}
		b.s.children = append(b.s.children, c)
		b.childTo(c, record.ChildPhase_CHILD_PHASE_INSTALLING)
		return nil
	case "up":
		if c != nil {
			b.childTo(c, record.ChildPhase_CHILD_PHASE_INSTALLED)
			return nil
		}
	case "gone":
		if c != nil {
			b.childTo(c, record.ChildPhase_CHILD_PHASE_REMOVED)
			return nil
		}
	}
	return fmt.Errorf("child(%s %s): there is no such child, or phase", w.arg(0), w.arg(1))
}

func (b *builder) childTo(c *child, to record.ChildPhase) {
	b.add("child", &record.Effect{ChildSa: c.number, Because: b.decided(), Kind: &record.Effect_Changed{Changed: &record.Changed{
		ChildFrom: c.phase, ChildTo: to, Connection: c.name, InboundSpi: c.in, OutboundSpi: c.out}}})
	c.phase = to
}

func (b *builder) kernelRemoves(w word) error {
	c := b.s.child(w.arg(0))
	if c == nil {
		return fmt.Errorf("there is no child %s", w.arg(0))
	}
	halves := [2]bool{w.arg(1) != "out", w.arg(1) != "in"}
	c.halves[0], c.halves[1] = halves[0], halves[1] // as the line says, whatever there is
	b.removeHalves(c, halves[0], halves[1])
	return nil
}

// removeHalves orders what there is of a child out of the kernel.
func (b *builder) removeHalves(c *child, inbound, outbound bool) {
	r := &record.RemoveChild{Protocol: uint32(ike.ProtocolESP), Path: b.path(word{})}
	if inbound && c.halves[0] {
		r.InboundSpi, c.halves[0] = c.in, false
	}
	if outbound && c.halves[1] {
		r.OutboundSpi, c.halves[1] = c.out, false
	}
	if r.InboundSpi == 0 && r.OutboundSpi == 0 {
		return
	}
	where := b.add("remove", &record.Effect{ChildSa: c.number, Kind: &record.Effect_RemoveChild{RemoveChild: r}})
	if where.step != 0 && b.less["stall"] {
		b.s.asks["remove "+c.name] = where
	} else if where.step != 0 {
		b.removals = slices.Concat(b.removals, []removal{{b.s, c, where}})
	}
}
