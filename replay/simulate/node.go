package simulate

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/engine/model"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/audit"
	"google.golang.org/protobuf/proto"
)

// Node is a daemon with what outlives its lives: its disk, its kernel, the epochs of its vault, its configuration.
type Node struct {
	Name    string
	Address netip.AddrPort

	w       *World
	bits    *rand.ChaCha8 // what its lives draw: keys, SPIs, jitter
	chance  *rand.Rand    // what its outside draws: how long things take, what is refused
	disk    disk
	kernel  *model.Kernel
	epochs  *model.Epochs
	config  *record.Config
	secret  string
	bootID  string
	life    *life // nil: it is down
	lives   int
	commits int // batches that were cut, in all lives
	death   death
	back    time.Duration // how long it stays down after a death; 0: drawn

	read    uint64 // records looked at
	time    int64  // of the last
	durable map[uint64]bool
	auditor *audit.Auditor
	tickets uint64
	answers map[uint64][]string // of all tickets
	asked   map[uint64]int      // ticket -> the life it was asked in
	reports []shutdownReport
	clocks  map[string]*clock

	secretsLost int // SAs that the next start may not be able to take over
	limits      engine.Limits
	slow        map[string]time.Duration // what its outside takes for each piece of that work, at least
	leaves      bool                     // a shutdown is its end: it does not come back
	left        bool                     // it has ended
	silent      bool                     // it was stopped in the middle of things
	keep        []journal.Entry          // the whole journal, once the world has ended
}

// shared is the secret of all nodes.
const shared = "a secret that all nodes share"

// shutdownReport is one that a life ended with.
type shutdownReport struct {
	*reducer.Report
	life int
	at   int64
}

func newNode(w *World, i int) *Node {
	name := string(rune('a' + i))
	n := &Node{Name: name, w: w, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + i)}), 500),
		bits: chacha(w.Seed, "node "+name), chance: stream(w.Seed, "outside of "+name), secret: shared,
		bootID: "boot of " + name, durable: map[uint64]bool{}, auditor: audit.New(audit.With(audit.Other)...), answers: map[uint64][]string{}, asked: map[uint64]int{}, clocks: map[string]*clock{}, slow: map[string]time.Duration{}}
	n.disk = newMemory(64 + n.chance.IntN(1000))
	n.kernel = model.NewKernel(n.bits, maybe(n.chance, 0.5))
	n.kernel.Refuse = func(op string) bool {
		if op == "remove" {
			return false
		}
		_, refused := n.outside("refuse", w.faults.Refuse)
		if refused {
			w.said("the kernel refuses to %s", op)
			w.Tally.met(metFault, "refused "+op)
		}
		return refused
	}
	n.epochs = model.NewEpochs(n.bits)
	return n
}

// start begins a life.
func (n *Node) start() {
	if n.life != nil || n.left || n.w.wrong != nil {
		return
	}
	n.lives++
	l := &life{n: n, number: n.lives, sends: -1}
	var err error
	l.d, err = model.Open(model.Options{Journal: n.disk, Outside: l, Kernel: n.kernel, Epochs: n.epochs, Secret: n.secret,
		Now: func() int64 { return n.w.now }, Random: n.bits, Limits: n.limits, BootID: n.bootID, Send: l.send, Answer: l.answer, Ended: l.ended,
		Locate: func(c *reducer.Connection) (reducer.Path, error) { return n.locate(c) }})
	if err == nil {
		err = l.d.Start("simulated")
	}
	if err != nil {
		n.w.fail("REC-02", n, "the daemon cannot start: %v", err)
		return
	}
	n.life = l
	l.d.Post(&record.Event{Because: root(record.Root_ROOT_CONFIGURATION), Kind: &record.Event_ConfigLoaded{
		ConfigLoaded: &record.ConfigLoaded{Config: proto.CloneOf(n.config)}}})
	l.everySecond()
	l.step()
	if n.w.started != nil {
		n.w.started(n)
	}
}

// stop ends the node for good.
func (n *Node) stop() {
	n.left, n.silent = true, true
	if n.life != nil {
		n.life.over = true
		n.life = nil
	}
}

func root(r record.Root) *record.Because { return &record.Because{Root: r} }

// locate is the path of a connection: it names one address.
func (n *Node) locate(c *reducer.Connection) (reducer.Path, error) {
	remote, err := netip.ParseAddr(c.RemoteAddrs[0])
	if err != nil {
		return reducer.Path{}, fmt.Errorf("no address in connection %s: %w", c.Name, err)
	}
	return reducer.Path{Local: n.Address, Remote: netip.AddrPortFrom(remote, 500)}, nil
}

// up reports whether the node runs.
func (n *Node) up() bool { return n.life != nil }

// state is the State as last published, or as the node died with it.
func (n *Node) state() reducer.State {
	if n.life == nil {
		return reducer.New()
	}
	return n.life.d.State()
}

// post hands the daemon an order of its operator; it is lost where the node is down.
func (n *Node) post(ev *record.Event) {
	if n.life == nil {
		return
	}
	ev.Because = root(record.Root_ROOT_OPERATOR)
	n.life.d.Post(ev)
	n.life.poke()
}

func (n *Node) ticket() uint64 {
	n.tickets++
	n.asked[n.tickets] = n.lives
	return n.tickets
}

// initiate asks for a connection by name.
func (n *Node) initiate(connection string) {
	if n.life == nil {
		return
	}
	asked := &record.InitiateAsked{Connection: connection}
	for _, c := range n.config.GetConnections() {
		if c.GetName() == connection {
			path, err := n.locate(&reducer.Connection{Name: connection, RemoteAddrs: c.GetRemoteAddrs()})
			if asked.Path = reducer.PathRecord(path); err != nil {
				asked.Failure = err.Error()
			}
		}
	}
	asked.Ticket = n.ticket()
	n.post(&record.Event{Kind: &record.Event_InitiateAsked{InitiateAsked: asked}})
}

// terminate asks for the end of an SA, or of one of its children.
func (n *Node) terminate(sa, child uint64) {
	if n.life == nil {
		return
	}
	n.post(&record.Event{IkeSa: sa, Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{ChildSa: child, Ticket: n.ticket()}}})
}

// rekey asks for another SA in the place of one, or of one of its children.
func (n *Node) rekey(sa, child uint64) {
	if n.life == nil {
		return
	}
	n.post(&record.Event{IkeSa: sa, Kind: &record.Event_RekeyAsked{RekeyAsked: &record.RekeyAsked{ChildSa: child, Ticket: n.ticket()}}})
}

// shutdown asks for the end of this life.
func (n *Node) shutdown(budget time.Duration, keep bool) {
	n.post(&record.Event{Kind: &record.Event_ShutdownAsked{ShutdownAsked: &record.ShutdownAsked{
		Signal: "SIGTERM", Budget: uint64(budget), Keep: keep}}})
}

// reload puts the configuration in force again.
func (n *Node) reload() {
	if n.life == nil {
		return
	}
	n.life.d.Post(&record.Event{Because: root(record.Root_ROOT_CONFIGURATION), Kind: &record.Event_ConfigLoaded{
		ConfigLoaded: &record.ConfigLoaded{Config: proto.CloneOf(n.config)}}})
	n.life.poke()
}
