package engine

import (
	"io"
	"iter"
	"log/slog"
	"net/netip"
	"time"

	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/reducer"
)

// Config is what an Engine is made of. All of it outlives the Engine; Close of each is the caller's.
type Config struct {
	Journal   Journal
	Keyring   *keys.Keyring
	Epochs    *keys.Epochs // nil: the vault's entries are never sealed again
	Secrets   *creds.Store
	Dataplane kernel.Dataplane
	Net       Net
	Sockets   []Socket // what Net sends from, for IKE SAs of a run that had others; none: it sends from anywhere
	Clock     timers.Clock
	Random    io.Reader // jitter; nil is the operating system
	Log       *slog.Logger

	CookieRandom io.Reader // the secrets of cookies; nil is the operating system
	BootID       string    // tells one start of the machine from another; "": as the kernel says

	// Answer is called, in step order, with what an operator waits for under the ticket of an event that was posted in
	// this run: "" is done, else why not. A ticket is answered once at most.
	Answer func(ticket uint64, problem string)
	// Ended is called once the shutdown's report is durable.
	Ended func(*reducer.Report)
	// Notice is called after each durable batch with its State and what changed in it, for logs and event streams. The
	// notes are good only during the call.
	Notice func(reducer.State, []Note)
	// Locate finds the addresses for a connection: a path, or why there is none. Run waits for it at its end.
	Locate func(*reducer.Connection) (reducer.Path, error)

	Limits  Limits
	Workers int // goroutines for key exchanges; 0: one a core
}

// Journal is where batches become durable, and what a start reads: a *journal.Journal, or a simulated disk.
type Journal interface {
	Append(*journal.Batch) error
	NeedsRoll() bool
	Roll(snapshot []byte, vault []journal.VaultChange) error
	Snapshot() (step uint64, snapshot []byte, err error)
	Read(from uint64) iter.Seq2[journal.Entry, error]
	Vault() (map[uint64][]byte, error)
}

// Socket is an address and port that Net listens on; an unspecified address is any of its family.
type Socket struct {
	Bound   netip.AddrPort
	NATPort bool
}

// Net is where datagrams go.
type Net interface {
	Send([]udp.Outgoing)
}

// Note is something of a step that people want to read about at once: a phase that changed, an SA that ended, a shutdown
// that is over.
type Note struct {
	Step   uint64
	Time   int64
	Effect reducer.Effect
}

// Limits are those of PROTOCOL.md, section K. The zero value means its defaults, a negative one none at all.
type Limits struct {
	HalfOpenMost   int // K-06: refused outright, in all
	HalfOpenSource int // K-06: of one source (IPv4 /32, IPv6 /64)
	CookiesAll     int // K-05: cookies demanded from so many half-open SAs in all
	CookiesSource  int
	RefusalsSource int // K-11: unprotected answers a second
	RefusalsAll    int
	RepeatsSA      int           // D-21, N-64: recorded responses sent again, a second, an SA
	BadICV         int           // K-14: on one half-open SA
	CookieLife     time.Duration // K-07: of a cookie secret; the one before is still good
	Samples        int           // K-16: headers that the record of a second keeps
	Queue          int           // events that wait; strangers are turned away first
}

func (l Limits) withDefaults() Limits {
	or := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	or(&l.HalfOpenMost, 20_000)
	or(&l.HalfOpenSource, 50)
	or(&l.CookiesAll, 100)
	or(&l.CookiesSource, 3)
	or(&l.RefusalsSource, 10)
	or(&l.RefusalsAll, 1000)
	or(&l.RepeatsSA, 3)
	or(&l.BadICV, 16)
	or(&l.Queue, 16_384)
	or(&l.Samples, 16)
	if l.CookieLife == 0 {
		l.CookieLife = time.Minute
	}
	return l
}

// source is whom K-05, K-06 and K-11 count: an IPv4 address, or the /64 of an IPv6 one.
func source(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return prefix.Addr()
}
