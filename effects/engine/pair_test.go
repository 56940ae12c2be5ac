package engine_test

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// node is one daemon of a test: the whole engine with a journal on disk, on a wire in memory.
type node struct {
	t       *testing.T
	name    string
	dir     string
	address netip.AddrPort
	wire    *wire

	engine  *engine.Engine
	journal *journal.Journal
	plane   *kernel.Model
	cancel  context.CancelFunc
	done    chan error

	mu      sync.Mutex
	answers map[uint64]string
	report  *reducer.Report
}

// wire carries datagrams between nodes; lose decides which are lost.
type wire struct {
	mu    sync.Mutex
	nodes map[netip.AddrPort]*node
	lose  func(from, to netip.AddrPort, h ike.Header) bool
	seen  []ike.Header
}

func newWire() *wire { return &wire{nodes: map[netip.AddrPort]*node{}} }

// port is a node's end of the wire.
type port struct{ n *node }

func (p port) Send(out []udp.Outgoing) {
	w := p.n.wire
	for _, o := range out {
		h, err := ike.ParseHeader(o.Bytes)
		if err != nil {
			panic(err)
		}
		w.mu.Lock()
		w.seen = append(w.seen, h)
		to := w.nodes[o.Remote]
		lost := w.lose != nil && w.lose(p.n.address, o.Remote, h)
		w.mu.Unlock()
		if to == nil || lost {
			continue
		}
		datagram := udp.Datagram{Local: o.Remote, Remote: p.n.address, Bytes: append([]byte(nil), o.Bytes...)}
		go to.receive(datagram)
	}
}

func (n *node) receive(d udp.Datagram) {
	n.mu.Lock()
	e := n.engine
	n.mu.Unlock()
	if e != nil {
		e.Receive([]udp.Datagram{d})
	}
}

func newNode(t *testing.T, w *wire, name, address string) *node {
	n := &node{t: t, name: name, dir: t.TempDir(), address: netip.MustParseAddrPort(address), wire: w, answers: map[uint64]string{},
		plane: kernel.NewModel(kernel.ModelConfig{})}
	w.mu.Lock()
	w.nodes[n.address] = n
	w.mu.Unlock()
	return n
}

func fqdn(name string) reducer.Identity {
	return reducer.Identity{Type: ike.IDFQDN, Data: name}
}

// connection is the configuration of n for its tunnel to peer.
func (n *node) connection(peer *node, change func(*record.Connection)) *record.Config {
	c := &record.Connection{Name: "gw", LocalAddrs: []string{n.address.Addr().String()}, RemoteAddrs: []string{peer.address.Addr().String()},
		LocalId: &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte(n.name)}, RemoteId: &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte(peer.name)},
		Proposals: []*record.Proposal{{Ciphers: []*record.Cipher{{Id: uint32(ike.EncrAESGCM16), KeyLength: 128}},
			Prfs: []uint32{uint32(ike.PRFHMACSHA2_256)}, Groups: []uint32{uint32(ike.GroupCurve25519)}}},
		Children: []*record.Child{{Name: "net", Proposals: []*record.Proposal{{Ciphers: []*record.Cipher{{Id: uint32(ike.EncrAESGCM16), KeyLength: 128}}}}}}}
	if change != nil {
		change(c)
	}
	return &record.Config{Connections: []*record.Connection{c}}
}

// start begins a run of the daemon, with that configuration and secret.
func (n *node) start(config *record.Config, secret string) {
	n.t.Helper()
	j, err := journal.Open(n.dir, journal.Options{SegmentBytes: 1 << 20, NoPrewrite: true})
	if err != nil {
		n.t.Fatal(err)
	}
	epochs, err := keys.OpenEpochs(n.dir, make([]byte, 32))
	if err != nil {
		n.t.Fatal(err)
	}
	secrets := creds.NewStore()
	secrets.Put("all", nil, []byte(secret))
	level := slog.LevelWarn
	if os.Getenv("VERBOSE") != "" {
		level = slog.LevelDebug
	}
	c := engine.Config{Journal: j, Epochs: epochs, Keyring: keys.New(keys.Options{Epochs: epochs}), Secrets: secrets, Dataplane: n.plane,
		Net: port{n}, Clock: timers.NewClock(j.Last().Time), Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
		Answer: func(ticket uint64, problem string) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.answers[ticket] = problem
		},
		Ended: func(r *reducer.Report) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.report = r
		},
		Locate: func(c *reducer.Connection) (reducer.Path, error) { return n.path(c.RemoteAddrs[0]), nil },
	}
	e, err := engine.New(c)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := e.Start("test"); err != nil {
		n.t.Fatal(err)
	}
	e.Post(&record.Event{Because: &record.Because{Root: record.Root_ROOT_CONFIGURATION}, Kind: &record.Event_ConfigLoaded{ConfigLoaded: &record.ConfigLoaded{Config: config}}})
	ctx, cancel := context.WithCancel(context.Background())
	n.mu.Lock()
	n.engine, n.journal, n.cancel, n.done = e, j, cancel, make(chan error, 1)
	n.mu.Unlock()
	go func() { n.done <- e.Run(ctx) }()
	n.t.Cleanup(n.end)
}

// end stops the run as a kill would, but for what is reduced already.
func (n *node) end() {
	n.mu.Lock()
	e := n.engine
	n.engine = nil
	n.mu.Unlock()
	if e == nil {
		return
	}
	e.Stop()
	if err := <-n.done; err != nil {
		n.t.Errorf("%s: %v", n.name, err)
	}
	n.cancel()
	if err := n.journal.Close(); err != nil {
		n.t.Error(err)
	}
}

func (n *node) path(remote string) reducer.Path {
	for address := range n.wire.nodes {
		if address.Addr().String() == remote {
			return reducer.Path{Local: n.address, Remote: address}
		}
	}
	n.t.Fatalf("no node at %s", remote)
	return reducer.Path{}
}

func (n *node) initiate(ticket uint64, peer *node) {
	n.engine.Post(&record.Event{Because: &record.Because{Root: record.Root_ROOT_OPERATOR}, Kind: &record.Event_InitiateAsked{
		InitiateAsked: &record.InitiateAsked{Connection: "gw", Child: "net", Ticket: ticket, Path: reducer.PathRecord(n.path(peer.address.Addr().String()))}}})
}

func (n *node) close(ticket, sa, child uint64) {
	n.engine.Post(&record.Event{IkeSa: sa, Because: &record.Because{Root: record.Root_ROOT_OPERATOR}, Kind: &record.Event_CloseAsked{
		CloseAsked: &record.CloseAsked{Ticket: ticket, ChildSa: child}}})
}

func (n *node) shutdown(budget time.Duration) {
	n.engine.Post(&record.Event{Because: &record.Because{Root: record.Root_ROOT_OPERATOR}, Kind: &record.Event_ShutdownAsked{
		ShutdownAsked: &record.ShutdownAsked{Signal: "SIGTERM", Budget: uint64(budget)}}})
}

// wait waits until holds is true; the time limit only ends a test that hangs.
func (n *node) wait(what string, holds func() bool) {
	n.t.Helper()
	for range 3000 {
		n.mu.Lock()
		ok := holds()
		n.mu.Unlock()
		if ok {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	n.t.Fatalf("%s: never %s", n.name, what)
}

func (n *node) answered(ticket uint64) string {
	n.t.Helper()
	n.wait("answered", func() bool { _, ok := n.answers[ticket]; return ok })
	return n.answers[ticket]
}

// phases are the phases of the node's SAs.
func (n *node) phases() []reducer.Phase {
	var all []reducer.Phase
	n.engine.State().EachSA(0, func(sa *reducer.IKESA) bool {
		all = append(all, sa.Phase)
		return true
	})
	return all
}

func (n *node) sa() *reducer.IKESA {
	var only *reducer.IKESA
	n.engine.State().EachSA(0, func(sa *reducer.IKESA) bool {
		only = sa
		return true
	})
	return only
}

// TestTunnel sets up an SA with its child, asks for liveness, closes it, and finds nothing left on either side.
func TestTunnel(t *testing.T) {
	w := newWire()
	a, b := newNode(t, w, "a.example", "192.0.2.1:500"), newNode(t, w, "b.example", "192.0.2.2:500")
	a.start(a.connection(b, nil), "secret")
	b.start(b.connection(a, nil), "secret")
	time.Sleep(50 * time.Millisecond)
	a.initiate(7, b)
	if problem := a.answered(7); problem != "" {
		t.Fatal(problem)
	}
	b.wait("established", func() bool { p := b.phases(); return len(p) == 1 && p[0] == reducer.Established })
	for _, n := range []*node{a, b} {
		if list, _ := n.plane.List(); len(list) != 1 {
			t.Errorf("%s has %d children in the kernel", n.name, len(list))
		}
	}
	a.close(8, a.sa().Number, 0)
	if problem := a.answered(8); problem != "" {
		t.Fatal(problem)
	}
	a.wait("empty", func() bool { return len(a.phases()) == 0 })
	b.wait("lingering", func() bool { p := b.phases(); return len(p) == 1 && p[0] == reducer.Lingering })
	for _, n := range []*node{a, b} {
		n.wait("clean", func() bool { list, _ := n.plane.List(); return len(list) == 0 })
	}
}
