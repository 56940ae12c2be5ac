package reducer

import (
	"fmt"
	"testing"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"pgregory.net/rapid"
)

// Two nodes and a bad network between them, from random bits: messages are lost, doubled and reordered, keyrings and
// kernels are slow and refuse, timers fire late and again, operators open and close, daemons die and come back. Then it
// is quiet, and both ends must agree:
//
//	a                                     b
//	| --- IKE_AUTH {IDi AUTH ...} --- x   |   lost
//	| --- IKE_AUTH again ---------------> |
//	| x-- IKE_AUTH {IDr AUTH ...} ------- |   lost
//	#  killed, recovered                  |
//	| --- IKE_AUTH again ---------------> |
//	| <-- the recorded response --------- |
//	         nothing left on either side but what both have
type walk struct {
	t     *rapid.T
	nodes [2]*walker
	net   []packet
	now   int64
}

// walker is a node in a walk, with what its door and kernel hold.
type walker struct {
	*node
	inits    map[uint64]uint64 // digest of an IKE_SA_INIT request -> the SA it made
	old      []timerKeyRef     // timers that were ever set
	reserved map[uint32]bool   // SPIs the kernel keeps for a child to come
}

type timerKeyRef struct {
	key timerKey
	at  Ref
}

// packet is a datagram under way to nodes[to].
type packet struct {
	to    int
	h     ike.Header
	first ike.PayloadType
	body  []byte
	path  Path // as the receiver sees it
}

func TestWalks(t *testing.T) {
	for _, most := range []int{20, 100, 400} { // rapid prefers short ones
		rapid.Check(t, func(t *rapid.T) {
			w := newWalk(t)
			for range rapid.IntRange(most/4, most).Draw(t, "length") {
				w.something()
			}
			w.quiet()
			w.agree()
		})
	}
	seen.Lock()
	defer seen.Unlock()
	seen.only(t, listedTransitions(t))
}

const walkConfig = `
connection one local=%[1]s remote=%[2]s id=%[3]s peer=%[4]s ike=20/256-prf5-ke31 dpd=120s
child net local=%[5]s remote=%[6]s esp=20/256
connection two local=%[1]s remote=%[2]s id=%[3]s peer=%[4]s ike=20/256-prf5-ke31 dpd=120s
child other local=%[5]s remote=%[6]s esp=20/256
`

func newWalk(t *rapid.T) *walk {
	w := &walk{t: t, now: epoch}
	for i, text := range []string{
		fmt.Sprintf(walkConfig, "192.0.2.1", "203.0.113.9", "west.example", "east.example", "10.1.0.0/16", "10.2.0.0/16"),
		fmt.Sprintf(walkConfig, "203.0.113.9", "192.0.2.1", "east.example", "west.example", "10.2.0.0/16", "10.1.0.0/16"),
	} {
		n := newNode(t, []byte{0xa0, 0xc0}[i])
		s := &script{t: t, n: n, spis: map[uint64]uint32{}}
		must(t, s.config(nil, text))
		w.nodes[i] = &walker{node: n, inits: map[uint64]uint64{}, reserved: map[uint32]bool{}}
	}
	return w
}

// something happens.
func (w *walk) something() {
	i := rapid.IntRange(0, 1).Draw(w.t, "node")
	n := w.nodes[i]
	switch rapid.SampledFrom([]string{"calm", "calm", "initiate", "deliver", "deliver", "deliver", "deliver", "double", "lose", "complete", "complete",
		"complete", "complete", "refuse", "fire", "fire", "stale", "wait", "close", "close", "close child", "rekey", "rekey", "rekey child", "rekey child", "kill", "lose keys", "shut down"}).Draw(w.t, "what") {
	case "calm":
		w.calm()
	case "initiate":
		w.initiate(i, rapid.SampledFrom([]string{"one", "two"}).Draw(w.t, "connection"))
	case "deliver":
		w.deliver(false)
	case "double":
		w.deliver(true)
	case "lose":
		if len(w.net) > 0 {
			w.drawn()
		}
	case "complete":
		w.complete(i, rapid.IntRange(0, 3).Draw(w.t, "which"), "")
	case "refuse":
		w.complete(i, 0, "refused")
	case "fire":
		w.fireNext()
	case "stale":
		if len(n.old) > 0 {
			o := rapid.SampledFrom(n.old).Draw(w.t, "timer")
			if n.timers[o.key].at != o.at {
				w.take(i, &record.Event{IkeSa: o.key.sa, Because: &record.Because{Edge: record.Edge_EDGE_FIRES, Step: o.at.Step, Index: o.at.Index},
					Kind: &record.Event_TimerFired{TimerFired: &record.TimerFired{Timer: record.Timer(o.key.kind), MessageId: o.key.message}}})
			}
		}
	case "wait":
		w.now += rapid.Int64Range(0, 10*second).Draw(w.t, "how long")
	case "close":
		w.close(i, false)
	case "close child":
		w.close(i, true)
	case "rekey":
		w.rekey(i, false)
	case "rekey child":
		w.rekey(i, true)
	case "kill":
		w.kill(i, nil)
	case "lose keys":
		if sa := w.some(i); sa != nil {
			w.kill(i, []uint64{sa.Number})
		}
	case "shut down":
		w.take(i, &record.Event{Because: root(record.Root_ROOT_OPERATOR), Kind: &record.Event_ShutdownAsked{ShutdownAsked: &record.ShutdownAsked{
			Signal: "SIGTERM", Budget: uint64(rapid.SampledFrom([]int64{2 * second, 30 * second}).Draw(w.t, "budget")), Keep: rapid.Bool().Draw(w.t, "keep")}}})
	}
}

// quiet: nothing is lost any more, nobody asks for anything, and time passes until every schedule has ended.
func (w *walk) quiet() {
	for i, n := range w.nodes {
		if n.s.ending != nil {
			w.kill(i, nil)
		}
	}
	for end := w.now + 45*minute; w.now < end; {
		w.calm()
		if !w.fireNext() {
			return
		}
	}
}

// calm: all that is under way arrives, all that was asked for is done.
func (w *walk) calm() {
	for {
		switch {
		case len(w.nodes[0].asks) > 0:
			w.complete(0, 0, "")
		case len(w.nodes[1].asks) > 0:
			w.complete(1, 0, "")
		case len(w.net) > 0:
			p := w.net[0]
			w.net = w.net[1:]
			w.now += 5 * millisecond
			if ev := w.nodes[p.to].door(p); ev != nil {
				w.take(p.to, ev)
			}
		default:
			return
		}
	}
}
