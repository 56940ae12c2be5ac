package engine_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// TestPoisoned: an event on which the reducer panics costs that event. It is recorded with the stack, copies of its
// datagram are dropped, in the next run too, and everything else goes on.
func TestPoisoned(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.establish()
	poison := newPeer(n, "192.0.2.78:500")
	request := poison.ask().request
	// An IKE_SA_INIT request without a key share of ours is one that no door lets through: the reducer panics on it.
	n.running().engine.Post(&record.Event{Because: &record.Because{Root: record.Root_ROOT_PEER}, Kind: &record.Event_DatagramReceived{
		DatagramReceived: &record.DatagramReceived{Datagram: request, Digest: reducer.Digest(request),
			Path: reducer.PathRecord(reducer.Path{Local: n.address, Remote: poison.address})}}})
	n.settle()
	if got := n.running().engine.Stats().Poisoned; got != 1 {
		t.Fatalf("%d poisoned", got)
	}
	for run := range 2 {
		poison.send(request)
		poison.nothing()
		if got := n.running().engine.Counts()["poisoned"]; got != 1 {
			t.Errorf("run %d: %d copies were dropped", run, got)
		}
		s.alive(uint32(2 + run))
		n.settle()
		found := 0
		for _, r := range records(t, n.running().journal) {
			if broken := r.GetEvent().GetPoisoned(); broken != nil && broken.GetStack() != "" && broken.GetEvent().GetDatagramReceived() != nil {
				found++
			}
		}
		if found != 1 {
			t.Errorf("run %d: %d poisoned events in the journal", run, found)
		}
		n.kill()
		n.start("secret")
	}
	poison.open() // another datagram of the same peer
}

// TestSealFails: a message that cannot be sealed is not sent, now or after a restart; its exchange is given up in time.
func TestSealFails(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	p.establish()
	n.settle()
	n.running().keyring.Destroy(n.sas()[0].KeyRef)
	n.close(5, n.sas()[0].Number, 0)
	n.wait("failed", func() bool { return n.running().engine.Stats().SealFailed == 1 })
	p.stays(reducer.Deleting)
	n.kill()
	n.config.Settings.RetransmitSends = 3
	n.start("secret")
	n.wait("given up", n.are())
	p.nothing()
	p.open()
}

// TestEpochEnds: minutes after a secret was destroyed, be the daemon as quiet as it may, what bbolt has left of it opens
// no more; the living go on in the next run.
func TestEpochEnds(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.establish()
	other := newPeer(n, "192.0.2.78:500").establish()
	n.settle()
	before, err := n.running().journal.Vault()
	if err != nil || len(before) != 2 {
		t.Fatal(len(before), err)
	}
	doomed := n.sas()[1].KeyRef
	other.p.send(other.informational(2, ike.Delete{Protocol: ike.ProtocolIKE}))
	other.read(other.p.next())
	epochs := func() []string {
		names, err := filepath.Glob(filepath.Join(n.dir, "epochs", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	n.wait("in the next epoch", func() bool { e := epochs(); return len(e) == 1 && filepath.Base(e[0]) == "epoch-2.key" })
	if n.vault() != 1 {
		t.Errorf("%d secrets in the vault", n.vault())
	}
	n.kill()
	r := n.start("secret")
	if err := r.keyring.Import(doomed, before[doomed]); err == nil {
		t.Error("the destroyed secret was opened")
	}
	s.alive(2)
}

// TestStopInFlight stops while much is under way, and nothing of the engine goes on running.
func TestStopInFlight(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		n := target(t)
		n.limits = engine.Limits{CookiesAll: 1 << 20, CookiesSource: 1 << 20, HalfOpenSource: 1 << 20}
		r := n.start("secret")
		p := newPeer(n, peerAddress)
		var flood sync.WaitGroup
		for range 2 {
			flood.Go(func() {
				for range 200 {
					r.engine.Receive([]udp.Datagram{{Local: n.address, Remote: p.address, Bytes: p.ask().request}})
				}
			})
		}
		for i := range uint64(50) {
			r.engine.Post(&record.Event{Because: operator(), Kind: &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{
				Connection: "gw", Child: "net", Ticket: 100 + i, Path: reducer.PathRecord(reducer.Path{Local: n.address, Remote: p.address})}}})
		}
		r.end(n.dir)
		flood.Wait()
	}
	for range 500 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
}

// disk is a journal whose writes can be held up or fail.
type disk struct {
	*journal.Journal
	mu     sync.Mutex
	fail   error
	hold   sync.Mutex // held: Append waits
	sizes  []int      // of the batches, in records
	octets int        // of the largest
}

func (d *disk) Append(b *journal.Batch) error {
	d.hold.Lock()
	defer d.hold.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	size := 0
	for _, r := range b.Records {
		size += len(r)
	}
	d.sizes, d.octets = append(d.sizes, len(b.Records)), max(d.octets, size)
	return d.Journal.Append(b)
}

// TestJournalFails: Run ends with the error, and nothing that is not durable is sent.
func TestJournalFails(t *testing.T) {
	t.Parallel()
	n := target(t)
	d := &disk{}
	n.disk = d
	r := n.start("secret")
	p := newPeer(n, peerAddress)
	s := p.establish()
	full := errors.New("no space left")
	d.mu.Lock()
	d.fail = full
	d.mu.Unlock()
	p.send(s.informational(2, ike.Delete{Protocol: ike.ProtocolIKE}))
	if err := <-r.done; !errors.Is(err, full) {
		t.Errorf("ended with %v", err)
	}
	if len(p.inbox) != 0 {
		t.Error("what is not durable was sent")
	}
	r.over = true
	r.journal.Close()
}

// TestFullBatch: while the disk does not answer, one batch is filled and no more; strangers are turned away, timers wait
// and fire once, and what was taken is all there in the end.
func TestFullBatch(t *testing.T) {
	t.Parallel()
	n := target(t)
	d := &disk{}
	n.disk, n.limits = d, engine.Limits{Queue: 2000, CookiesAll: 1 << 20}
	n.config.Settings.HalfOpen, n.config.Settings.HalfOpenLeast = 50*millisecond, 50*millisecond
	r := n.start("secret")
	p := newPeer(n, peerAddress)
	p.open() // its timer comes due meanwhile
	d.hold.Lock()
	const asked = 20_000
	for ticket := range uint64(asked) {
		n.close(ticket+1, 1<<60, 0)
	}
	n.wait("full", func() bool {
		before := r.engine.Stats().Events
		time.Sleep(20 * time.Millisecond)
		return r.engine.Stats().Events == before
	})
	if got := r.engine.Stats().Events; got > 3*4096 {
		t.Errorf("%d events were taken", got)
	}
	stranger := newPeer(n, "192.0.2.99:500")
	stranger.send(stranger.ask().request)
	n.wait("turned away", func() bool { return r.engine.Counts()["busy"] > 0 })
	time.Sleep(60 * time.Millisecond)
	d.hold.Unlock()
	n.answered(asked)
	n.wait("half-open over", n.are())
	n.settle()
	fired := 0
	for _, rec := range records(t, r.journal) {
		if rec.GetEvent().GetTimerFired() != nil {
			fired++
		}
	}
	n.mu.Lock()
	if fired != 1 || len(n.answers) != asked {
		t.Errorf("%d timers fired, %d tickets answered", fired, len(n.answers))
	}
	n.mu.Unlock()
	for _, size := range d.sizes {
		if size > 4096 {
			t.Errorf("a batch of %d records", size)
		}
	}
}

// TestFullOfOctets: a batch is full at 8 MiB too.
func TestFullOfOctets(t *testing.T) {
	t.Parallel()
	n := target(t)
	d := &disk{}
	n.disk = d
	r := n.start("secret")
	d.hold.Lock()
	large := make([]byte, 60_000)
	for i := range 300 {
		h := ike.Header{SPIi: uint64(i + 1), SPIr: 1, Major: 2, Exchange: ike.INFORMATIONAL, Length: uint32(len(large))}
		datagram := append(h.Append(nil), large[ike.HeaderLen:]...)
		r.engine.Post(&record.Event{Kind: &record.Event_DatagramReceived{DatagramReceived: &record.DatagramReceived{Datagram: datagram, Digest: uint64(i + 1)}}})
	}
	d.hold.Unlock()
	n.settle()
	if d.octets > 8<<20+100_000 {
		t.Errorf("a batch of %d octets", d.octets)
	}
}

// TestNothingBeside: when the SAs are gone, no timer, datagram or order is left beside the State.
func TestNothingBeside(t *testing.T) {
	t.Parallel()
	a, b := pair(newWire(t), func(c *record.Config) {
		c.Connections[0].DpdDelay = 50 * millisecond
		c.Settings.LingerLeast, c.Settings.LingerMost = 50*millisecond, 50*millisecond
	})
	up(a, b)
	a.close(1, a.sas()[0].Number, 0)
	for _, n := range []*node{a, b} {
		n.wait("empty", n.are())
		n.settle()
		r := n.running()
		n.stop()
		if held := r.engine.Held(); held != (engine.Held{}) {
			t.Errorf("%s holds %+v", n.name, held)
		}
		if left := r.keyring.Len(); left != 0 {
			t.Errorf("%s has %d secrets", n.name, left)
		}
	}
}

// TestOrphans: a kernel that outlived the daemon has a child that no SA has any more, and one that is known.
func TestOrphans(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	s := p.establish()
	n.settle()
	plane := n.running().plane
	orphan := kernel.ChildKey{Protocol: kernel.ESP, Local: n.address.Addr(), Remote: p.address.Addr(), InboundSPI: 0x1001, OutboundSPI: 0x1002}
	if err := plane.Adopt(orphan); err != nil {
		t.Fatal(err)
	}
	n.kill()
	n.plane = plane
	n.start("secret")
	list, err := plane.List()
	if err != nil || len(list) != 1 || list[0].Key.OutboundSPI != 0x1234 {
		t.Errorf("%v %v", list, err)
	}
	p.send(s.informational(2, ike.Delete{Protocol: ike.ProtocolIKE}))
	s.read(p.next())
	n.settle()
	n.wait("clean", func() bool { return n.children() == 0 })
}

// TestNotUTF8: what the journal cannot hold is refused to the operator.
func TestNotUTF8(t *testing.T) {
	t.Parallel()
	n, p := server(t)
	n.running().engine.Post(&record.Event{Kind: &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{Connection: "\xff", Ticket: 3}}})
	if n.answered(3) == "" {
		t.Error("it was taken")
	}
	p.open()
}
