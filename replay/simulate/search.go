package simulate

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Two ends set up the same connection at once (PROTOCOL.md, C-41, C-42): four messages each, in every order in which they
// can arrive, with up to so many of the first copies lost. Whatever the order, both ends agree in the end.

// crossing is one such order.
type crossing struct {
	order  uint8 // bit i set: the message that arrives as number i is of the set-up that b began
	lost   uint8 // bit 4*set-up+message: its first copy is lost
	unique record.Unique
}

func (c crossing) String() string {
	names := []byte{}
	for i := range 8 {
		names = append(names, "ab"[c.order>>i&1])
	}
	return fmt.Sprintf("order %s, lost %08b, %v", names, c.lost, c.unique)
}

// crossings are all of them: 70 orders of two set-ups, times the losses.
func crossings(losses int) []crossing {
	var all []crossing
	for order := range 256 {
		if bits.OnesCount8(uint8(order)) != 4 {
			continue
		}
		for lost := range 256 {
			if bits.OnesCount8(uint8(lost)) > losses {
				continue
			}
			for _, unique := range []record.Unique{record.Unique_UNIQUE_NO, record.Unique_UNIQUE_REPLACE} {
				all = append(all, crossing{uint8(order), uint8(lost), unique})
			}
		}
	}
	return all
}

// search plays all crossings with up to so many losses, each with a seed of its own from first on, up to the first failure.
// The world is the last one, with the tally of all.
func search(first uint64, losses int) (w *World, wrong *Failure) {
	tally := newTally()
	for i, c := range crossings(losses) {
		w, wrong = cross(first+uint64(i), c)
		tally.Add(w.Tally)
		if wrong != nil {
			wrong.Text = c.String() + ": " + wrong.Text
			break
		}
	}
	w.Tally = tally
	return w, wrong
}

func cross(seed uint64, c crossing) (*World, *Failure) {
	w := newWorld(seed, Faults{}, 2)
	w.Tally.Seeds = 1
	for i, n := range w.Nodes {
		made := connection(n, w.Nodes[1-i], connectionName(0))
		made.DpdDelay, made.Unique = uint64(dpd), c.unique
		n.config = &record.Config{Settings: &record.Settings{}, Connections: []*record.Connection{made}}
		n.start()
	}
	x := &crossingNetwork{w: w, c: c}
	w.network.take = x.take
	for _, n := range w.Nodes {
		w.after(time.Second, func() { n.initiate(connectionName(0)) })
	}
	if w.run(w.now+int64(time.Minute), nil) && w.agreed() {
		if c.unique == record.Unique_UNIQUE_REPLACE && len(living(w.Nodes[0].state())) > 1 {
			w.fail("COL-08", w.Nodes[0], "%d IKE SAs are up between two ends that want one", len(living(w.Nodes[0].state())))
		}
		w.healed = true
		w.closeAll()
		if w.until(patience, "SHU-08", w.leftover) {
			w.finish()
		}
	}
	w.close()
	return w, w.wrong
}

// crossingNetwork has the first copies of the eight messages arrive in their order.
type crossingNetwork struct {
	w    *World
	c    crossing
	next int        // how many have arrived or are lost
	came [2]int     // of each set-up, how many have had their turn
	held [8]arrival // by set-up and message
	seen [8]bool
}

type arrival struct {
	to *Node
	m  *message
}

// take holds a message until its turn; false: it is none of the eight, or a later copy of one that had its turn.
func (x *crossingNetwork) take(from, to *Node, m *message) bool {
	setUp, step, ok := x.place(from, m)
	if !ok {
		return false
	}
	k := 4*setUp + step
	switch {
	case x.seen[k] && (x.held[k].m != nil || x.c.lost>>k&1 == 1 && step >= x.came[setUp]):
		return true // a copy of what still waits: it would overtake
	case x.seen[k]:
		return false
	}
	x.seen[k] = true
	if x.c.lost>>k&1 == 0 {
		x.held[k] = arrival{to, m}
	}
	for x.next < 8 {
		setUp := int(x.c.order >> x.next & 1)
		k := 4*setUp + x.came[setUp]
		if !x.seen[k] {
			break
		}
		if held := x.held[k]; held.m != nil {
			x.held[k] = arrival{}
			x.w.network.deliver(held.to, 5*time.Millisecond, held.m)
		}
		x.came[setUp]++
		x.next++
	}
	return true
}

// place says which of the eight a message is.
func (x *crossingNetwork) place(from *Node, m *message) (setUp, step int, ok bool) {
	if m.h.Exchange != ike.IKE_SA_INIT && m.h.Exchange != ike.IKE_AUTH || m.refusal() {
		return 0, 0, false
	}
	if (from == x.w.Nodes[1]) != m.h.Response() { // asked by b, or an answer to b
		setUp = 1
	}
	if m.h.Response() {
		step = 1
	}
	if m.h.Exchange == ike.IKE_AUTH {
		step += 2
	}
	return setUp, step, true
}
