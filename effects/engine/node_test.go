package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
	"google.golang.org/protobuf/proto"
)

// node is one daemon of a test: the whole engine with a journal on disk, on a wire in memory. It may be killed and started
// again; each life is a run.
type node struct {
	t       testing.TB
	name    string
	address netip.AddrPort
	wire    *wire

	// what the next start takes
	dir     string
	config  *record.Config
	limits  engine.Limits
	segment int64
	plane   *kernel.Model // one that outlived the run before; nil: each run has its own
	disk    *disk         // nil: the journal as it is

	mu      sync.Mutex
	now     *run
	answers map[uint64][]string
	reports []*reducer.Report
}

// run is one life of a node.
type run struct {
	n       *node
	engine  *engine.Engine
	journal *journal.Journal
	keyring *keys.Keyring
	plane   *kernel.Model
	done    chan error
	over    bool        // end was called
	dead    atomic.Bool // killed: nothing it does is seen any more

	durable sync.Mutex
	read    uint64          // step up to which its journal was read
	held    map[string]bool // datagrams the journal holds
}

func newNode(t testing.TB, w *wire, name, address string) *node {
	n := &node{t: t, name: name, dir: t.TempDir(), address: netip.MustParseAddrPort(address), wire: w,
		answers: map[uint64][]string{}, segment: 1 << 20}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[n.address] = n
	return n
}

func (n *node) receive(d udp.Datagram) {
	if r := n.running(); r != nil {
		r.engine.Receive([]udp.Datagram{d})
	}
}

func (n *node) running() *run {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

// start begins a run of the daemon, with that secret for everybody; "" is none for anybody.
func (n *node) start(secret string) *run {
	n.t.Helper()
	r := &run{n: n, plane: n.plane, done: make(chan error, 1), held: map[string]bool{}}
	if r.plane == nil {
		r.plane = kernel.NewModel(kernel.ModelConfig{})
	}
	var err error
	if r.journal, err = journal.Open(n.dir, journal.Options{SegmentBytes: n.segment, NoPrewrite: true}); err != nil {
		n.t.Fatal(err)
	}
	epochs, err := keys.OpenEpochs(filepath.Join(n.dir, "epochs"), make([]byte, 32))
	if err != nil {
		n.t.Fatal(err)
	}
	r.keyring = keys.New(keys.Options{Epochs: epochs})
	secrets := creds.NewStore()
	if secret != "" {
		secrets.Put("all", nil, []byte(secret))
	}
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("VERBOSE") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", n.name)
	}
	var written engine.Journal = r.journal
	if n.disk != nil {
		n.disk.Journal = r.journal
		written = n.disk
	}
	r.engine, err = engine.New(engine.Config{Journal: written, Epochs: epochs, Keyring: r.keyring, Secrets: secrets,
		Dataplane: r.plane, Net: port{r}, Clock: timers.NewClock(r.journal.Last().Time), Log: log, Limits: n.limits, Answer: r.answer, Ended: r.ended,
		Locate: func(c *reducer.Connection) (reducer.Path, error) { return n.path(c.RemoteAddrs[0]) }})
	if err == nil {
		err = r.engine.Start("test")
	}
	if err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	n.now = r
	n.mu.Unlock()
	r.engine.Post(&record.Event{Because: &record.Because{Root: record.Root_ROOT_CONFIGURATION},
		Kind: &record.Event_ConfigLoaded{ConfigLoaded: &record.ConfigLoaded{Config: n.config}}})
	go func() { r.done <- r.engine.Run(context.Background()) }()
	n.t.Cleanup(func() { r.end(n.dir) })
	n.wait("configured", func() bool { return len(r.engine.State().Config().Connections) == len(n.config.GetConnections()) })
	return r
}

func (r *run) answer(ticket uint64, problem string) {
	if r.dead.Load() {
		return
	}
	r.n.mu.Lock()
	defer r.n.mu.Unlock()
	r.n.answers[ticket] = append(r.n.answers[ticket], problem)
}

func (r *run) ended(report *reducer.Report) {
	r.n.mu.Lock()
	defer r.n.mu.Unlock()
	r.n.reports = append(r.n.reports, report)
}

// end stops the run in order, once, and replays its journal: this binary must decide everything again as it did.
func (r *run) end(dir string) {
	r.n.mu.Lock()
	if r.n.now == r {
		r.n.now = nil
	}
	over := r.over
	r.over = true
	r.n.mu.Unlock()
	if over {
		return
	}
	r.engine.Stop()
	select {
	case err := <-r.done:
		if err != nil {
			r.n.t.Errorf("%s: %v", r.n.name, err)
		}
	case <-time.After(20 * time.Second):
		r.n.t.Fatalf("%s does not stop", r.n.name)
	}
	if err := r.journal.Close(); err != nil {
		r.n.t.Error(err)
	}
	if !r.dead.Load() {
		verify(r.n.t, dir)
	}
}

func (n *node) stop() { n.running().end(n.dir) }

// verify replays a journal.
func verify(t testing.TB, dir string) {
	t.Helper()
	src, err := replay.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	result, err := replay.Verify(context.Background(), src, replay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range result.Divergences {
		t.Errorf("the journal does not replay: %+v", d)
	}
}

// kill ends the run as kill -9 does, at whatever it is doing: the next start finds a copy of its files of this moment.
func (n *node) kill() {
	n.t.Helper()
	r := n.running()
	r.dead.Store(true)
	n.mu.Lock()
	n.now = nil
	n.mu.Unlock()
	image := n.t.TempDir()
	for copied := false; !copied; {
		before := r.journal.Last()
		if err := os.CopyFS(image, os.DirFS(n.dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
			n.t.Fatal(err)
		}
		// A copy takes longer than a crash. While it was made at most one commit was under way, or it is made again.
		if copied = r.journal.Last() == before; !copied {
			image = n.t.TempDir()
		}
	}
	r.end(n.dir)
	n.dir = image
}

// isDurable reports whether the journal holds a datagram.
func (r *run) isDurable(datagram []byte) bool {
	r.durable.Lock()
	defer r.durable.Unlock()
	if r.held[string(datagram)] {
		return true
	}
	for entry, err := range r.journal.Read(r.read + 1) {
		if err != nil {
			r.n.t.Error(err)
			return false
		}
		var rec record.Record
		if err := proto.Unmarshal(entry.Data, &rec); err != nil {
			r.n.t.Error(err)
		}
		r.read = entry.Step
		for _, sent := range replay.Datagrams(&rec) {
			r.held[string(sent)] = true
		}
	}
	return r.held[string(datagram)]
}

// path is from n to the node at that address.
func (n *node) path(remote string) (reducer.Path, error) {
	n.wire.mu.Lock()
	defer n.wire.mu.Unlock()
	for address := range n.wire.nodes {
		if address.Addr().String() == remote && address.Port() == 500 {
			return reducer.Path{Local: n.address, Remote: address}, nil
		}
	}
	return reducer.Path{}, errors.New("no node there")
}
