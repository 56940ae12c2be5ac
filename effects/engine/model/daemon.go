package model

import (
	"io"

	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// Datagram and Outgoing are what the network delivers and gets.
type (
	Datagram = udp.Datagram
	Outgoing = udp.Outgoing
)

// Options are what one life of a daemon is made of.
type Options struct {
	Journal engine.Journal
	Outside engine.Outside
	Kernel  *Kernel
	Epochs  *Epochs
	Secret  string // shared with everybody; "": there is none
	Now     func() int64
	Random  io.Reader // everything that is drawn comes from it
	Limits  engine.Limits
	BootID  string

	Send   func([]Outgoing)
	Answer func(ticket uint64, problem string)
	Ended  func(*reducer.Report)
	Locate func(*reducer.Connection) (reducer.Path, error)
}

// Daemon is one life of a daemon.
type Daemon struct {
	*engine.Loop
	o       Options
	keyring *keys.Keyring
	secrets *creds.Store
}

// Epochs are the keys that the vault's entries are sealed under; they outlive a life.
type Epochs struct{ epochs *keys.Epochs }

// NewEpochs draws the first epoch.
func NewEpochs(random io.Reader) *Epochs { return &Epochs{keys.NewMemoryEpochs(random)} }

// protectors is how many directions of IKE SAs are kept ready to seal: a simulated node has few.
const protectors = 64

// Open makes a daemon; Start takes over the State of the journal.
func Open(o Options) (*Daemon, error) {
	d := &Daemon{o: o, keyring: keys.New(keys.Options{Rand: o.Random, Epochs: o.Epochs.epochs, Protectors: protectors}), secrets: creds.NewStore()}
	d.Share(o.Secret)
	var err error
	d.Loop, err = engine.NewLoop(engine.Config{Journal: o.Journal, Keyring: d.keyring, Epochs: o.Epochs.epochs, Secrets: d.secrets,
		Dataplane: o.Kernel.dataplane(), Net: sender(o.Send), Clock: clock(o.Now), Random: o.Random, CookieRandom: o.Random, BootID: o.BootID,
		Answer: o.Answer, Ended: o.Ended, Locate: o.Locate, Limits: o.Limits}, o.Outside)
	return d, err
}

// Share makes secret the one shared with everybody; "" takes it away.
func (d *Daemon) Share(secret string) {
	d.secrets.Clear()
	if secret != "" {
		d.secrets.Put("all", nil, []byte(secret))
	}
}

// Secrets is how many secrets the keyring holds.
func (d *Daemon) Secrets() int { return d.keyring.Len() }

// Seal makes a protected message of one of the daemon's SAs behind its back, with a keyring of its own: for a peer that
// plays the wrong half. The daemon may still seal its own message under that id.
func (d *Daemon) Seal(ref uint64, h ike.Header, first ike.PayloadType, payloads []byte) ([]byte, error) {
	secret, err := d.keyring.Export(ref)
	if err != nil {
		return nil, err
	}
	other := keys.New(keys.Options{Rand: d.o.Random, Epochs: d.o.Epochs.epochs, Protectors: 1})
	if err := other.Import(ref, secret); err != nil {
		return nil, err
	}
	return other.Seal(nil, ref, h, first, payloads)
}

// Unseal opens one.
func (d *Daemon) Unseal(ref uint64, datagram []byte) (ike.PayloadType, []byte, error) {
	return d.keyring.Open(ref, datagram)
}

type sender func([]Outgoing)

func (s sender) Send(out []Outgoing) { s(out) }

type clock func() int64

func (c clock) Now() int64 { return c() }
