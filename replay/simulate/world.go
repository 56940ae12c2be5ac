package simulate

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ikejd/ikejd/proto/record"
)

// World is a network of nodes on virtual time.
type World struct {
	Seed  uint64
	Nodes []*Node
	Tally Tally

	now     int64 // UTC ns
	seq     uint64
	agenda  agenda
	network network
	chance  *rand.Rand // what the world draws: the operators, the network, deaths
	faults  Faults
	wrong   *Failure

	Happened []Happening     // what the world did, in its order
	only     map[string]bool // what alone may happen; nil: everything

	healed bool // no fault happens any more, and operators rest

	watch   func(*Node, *record.Record) // is told of each record that is durable
	started func(*Node)                 // is told of each life that begins
}

// begin is when every world begins.
var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()

// Failure is what was wrong.
type Failure struct {
	Rule string // of the audit's catalogue
	Node string // at which node it showed; empty: between nodes
	Text string
	At   time.Duration // since the world began
	step uint64        // of the node: its record that was looked at last
	kind string        // what makes two failures the same: the rule, or the check that does not hold
}

// Same reports whether another failure is of the same kind.
func (f *Failure) Same(other *Failure) bool { return other != nil && f.kind == other.kind }

func (f *Failure) Error() string {
	where := ""
	if f.Node != "" {
		where = " at " + f.Node
	}
	return fmt.Sprintf("%s%s, %v after the start (%s)", f.Text, where, f.At.Round(time.Millisecond), f.Rule)
}

// newWorld makes a world with so many nodes, not started.
func newWorld(seed uint64, faults Faults, nodes int) *World {
	w := &World{Seed: seed, now: begin, faults: faults, chance: stream(seed, "world"), Tally: newTally()}
	w.network = network{w: w, chance: stream(seed, "network"), content: map[messageID]string{}, sas: map[uint64]uint64{}, copies: map[messageID]uint64{}}
	for i := range nodes {
		w.Nodes = append(w.Nodes, newNode(w, i))
	}
	return w
}

// stream is a source of chance that depends on the seed and its name alone.
func stream(seed uint64, name string) *rand.Rand { return rand.New(chacha(seed, name)) }

func chacha(seed uint64, name string) *rand.ChaCha8 {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	copy(key[8:], name)
	return rand.NewChaCha8(key)
}

// fail stops the world, unless something was wrong before.
func (w *World) fail(rule string, n *Node, format string, args ...any) {
	if w.wrong != nil {
		return
	}
	w.wrong = &Failure{Rule: rule, kind: rule, Text: fmt.Sprintf(format, args...), At: time.Duration(w.now - begin)}
	if n != nil {
		w.wrong.Node, w.wrong.step = n.Name, n.read
	}
}

// entry is something that will happen.
type entry struct {
	at  int64
	seq uint64 // among those of one moment the order in which they were put down
	do  func()
}

type agenda []entry

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(entry)) }
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = entry{}
	*a = old[:len(old)-1]
	return last
}

// after has do happen that much later.
func (w *World) after(wait time.Duration, do func()) { w.at(w.now+int64(wait), do) }

func (w *World) at(when int64, do func()) {
	w.seq++
	heap.Push(&w.agenda, entry{max(when, w.now), w.seq, do})
}

// run lets things happen up to that moment, or until over says so; false: something was wrong.
func (w *World) run(until int64, over func() bool) bool {
	for w.wrong == nil && len(w.agenda) > 0 && w.agenda[0].at <= until {
		next := heap.Pop(&w.agenda).(entry)
		w.now = next.at
		next.do()
		if over != nil && over() {
			return w.wrong == nil
		}
	}
	w.now = max(w.now, until)
	return w.wrong == nil
}

// between is a time drawn from low to high.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)+1))
}

// maybe is true with that probability.
func maybe(r *rand.Rand, p float64) bool { return p > 0 && r.Float64() < p }
