package engine

import (
	"net/netip"
	"sync"

	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// door looks at a datagram before it is an event: its form, whether its SPIs name an SA, whether its id is in the window,
// its ICV. Not every datagram deserves a record: what is turned away is counted by cause and sampled, and the counts
// become one event a second while they change. It decides nothing else.
type door struct {
	e       *Loop
	counts  *counts
	paces   *paces
	cookies *cookies
	inHand  *inHand

	mu       sync.Mutex
	opening  map[uint64]*opening // half-open SAs whose first protected request is being looked at
	poisoned map[uint64]struct{} // digests of datagrams the reducer failed on
}

// mostPoisoned bounds that set; beyond it a poisonous datagram costs an event again.
const mostPoisoned = 1024

func newDoor(e *Loop) *door {
	return &door{e: e, counts: newCounts(e.c.Limits.Samples), paces: newPaces(e.c.Limits), cookies: newCookies(e.c),
		inHand: newInHand(), opening: map[uint64]*opening{}, poisoned: map[uint64]struct{}{}}
}

// Receive takes a batch of datagrams; their bytes are good only during the call. It may be called from several
// goroutines.
func (e *Loop) Receive(batch []udp.Datagram) {
	for i := range batch {
		if e.closed.Load() {
			return
		}
		e.door.receive(&batch[i])
	}
}

// Counts is how many datagrams were turned away so far, by cause.
func (e *Loop) Counts() map[string]uint64 { return e.door.counts.all() }

// receive goes through the checks in the order of PROTOCOL.md, section X; the first that fails decides.
func (d *door) receive(in *udp.Datagram) {
	h, err := ike.ParseHeader(in.Bytes)
	switch {
	case err != nil:
		d.drop("short", in)
		return
	case h.CheckLength(len(in.Bytes)) != nil:
		d.drop("length", in)
		return
	case h.Major < 2:
		d.drop("version-1", in)
		return
	case h.Major > 2:
		d.drop("version", in)
		if !h.Response() && answerable(in) {
			d.refuse(in, h, ike.NotifyInvalidMajorVersion)
		}
		return
	case h.SPIi == 0:
		d.drop("no-initiator-spi", in)
		return
	case !answerable(in):
		d.drop("source", in)
		return
	}
	switch h.Exchange {
	case ike.IKE_SA_INIT:
		d.init(in, h)
	case ike.IKE_AUTH, ike.CREATE_CHILD_SA, ike.INFORMATIONAL, ike.IKE_INTERMEDIATE, ike.IKE_FOLLOWUP_KE:
		d.protected(in, h)
	default:
		d.drop("exchange", in) // X-65; IKE_SESSION_RESUME is not offered, so nobody has a ticket of ours
	}
}

// answerable reports whether a datagram comes from where an answer may go: one host, and not ourselves (PROTOCOL.md, K-11).
func answerable(in *udp.Datagram) bool {
	from := in.Remote.Addr().Unmap()
	return from.IsValid() && in.Remote.Port() != 0 && !from.IsUnspecified() && !from.IsMulticast() && from != broadcast &&
		in.Remote != in.Local
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// EverySecond makes the door's counts an event if they changed, and has it forget what is over. It is to be called once a
// second.
func (e *Loop) EverySecond() {
	d := e.door
	if counted := d.counts.take(); counted != nil && !e.closed.Load() {
		e.queue.push(&record.Event{Because: &record.Because{Root: record.Root_ROOT_PEER}, Kind: &record.Event_DoorCounted{DoorCounted: counted}})
	}
	d.paces.forget()
	d.inHand.newSecond()
	d.cookies.age()
	state := d.e.State()
	d.mu.Lock()
	defer d.mu.Unlock()
	for number := range d.opening {
		if sa := state.SA(number); sa == nil || sa.Phase != reducer.HalfOpen {
			delete(d.opening, number)
		}
	}
}

func (d *door) drop(cause string, in *udp.Datagram) { d.counts.add(cause, in) }

// settled is told of datagrams whose outcome the published State shows.
func (d *door) settled(digests []uint64) {
	d.inHand.seen(digests, func(digest uint64) bool {
		_, made := d.e.core.index.answered(digest)
		return made
	})
}

// refuseDigest has copies of a datagram dropped on which the reducer failed.
func (d *door) refuseDigest(digest uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.poisoned) < mostPoisoned {
		d.poisoned[digest] = struct{}{}
	}
}

func (d *door) isPoisonous(digest uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, yes := d.poisoned[digest]
	return yes
}

// repeat makes a request that was answered before an event of a few bytes. Copies of it need not be authentic, so the
// answers to them are paced (PROTOCOL.md, W-09, D-21, N-64).
func (d *door) repeat(in *udp.Datagram, sa *reducer.IKESA, answered reducer.Response) {
	if !d.paces.repeat(sa.Number) {
		d.drop("repeats", in)
		return
	}
	d.e.queue.push(&record.Event{IkeSa: sa.Number,
		Because: &record.Because{Edge: record.Edge_EDGE_SERVES, Step: answered.Recorded.Step, Index: answered.Recorded.Index, Root: record.Root_ROOT_PEER},
		Kind: &record.Event_RepeatReceived{RepeatReceived: &record.RepeatReceived{
			Path: path(in), MessageId: answered.ID, Digest: answered.Request}}})
}

// event is a datagram that passed. Its bytes are copied: those of in are the socket's.
func event(in *udp.Datagram, sa uint64, digest uint64) (*record.Event, *record.DatagramReceived) {
	received := &record.DatagramReceived{Path: path(in), Datagram: append([]byte(nil), in.Bytes...), Digest: digest}
	return &record.Event{IkeSa: sa, Because: &record.Because{Root: record.Root_ROOT_PEER},
		Kind: &record.Event_DatagramReceived{DatagramReceived: received}}, received
}

func path(in *udp.Datagram) *record.Path {
	return reducer.PathRecord(reducer.Path{Local: in.Local, Remote: in.Remote})
}
