package daemon

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/metrics"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/reducer"
)

// Options are the flags of `ikejd run`.
type Options struct {
	Config         string
	Journal        string
	Socket         string
	Dataplane      string
	Listen         []netip.Addr
	Port, NATPort  uint16         // 0: a free one
	ShutdownBudget *time.Duration // nil: the configuration's
	KeepSAs        bool
	VaultKey       keys.VaultKey
	Metrics        string // where /metrics is answered; empty: nowhere
	Audit          bool   // judge the journal while it is written
	Version        string
}

// Exit codes of `ikejd run` (DESIGN.md).
const (
	ExitClean   = 0 // every SA ended within the budget
	ExitFailed  = 1 // the daemon had to stop
	ExitNoStart = 2 // it could not start
	ExitCutOff  = 3 // an SA ended as cut off
)

// Daemon is a running ikejd.
type Daemon struct {
	options Options
	log     *slog.Logger
	began   time.Time

	journal *journal.Journal
	clock   timers.Clock
	sockets *udp.Sockets
	engine  *engine.Engine
	server  *vici.Server
	page    net.Listener // of /metrics; nil: none
	audit   *auditing    // nil: none
	metrics *metrics.Metrics
	secrets *creds.Store
	plane   kernel.Dataplane
	ikePort uint16
	natPort uint16

	config   configuration
	tickets  tickets
	durable  durable
	watchers watchers
	ended    chan *reducer.Report // of the shutdown, once

	shutdownBy string // the signal that asked for it; of the goroutine of run
}

func newDaemon(o Options, log *slog.Logger) *Daemon {
	return &Daemon{options: o, log: log.With("subsystem", "daemon"), began: time.Now(), secrets: creds.NewStore(),
		metrics: metrics.New(), ended: make(chan *reducer.Report, 1), tickets: newTickets(), config: newConfiguration()}
}

// open reads and opens everything; nothing is sent yet.
func (d *Daemon) open(log *slog.Logger) error {
	config, problems := conf.Load(d.options.Config)
	d.warn(problems)
	if conf.HasErrors(problems) {
		return configError(problems)
	}
	d.putFileSecrets(config)
	d.config.setFile(config)
	var err error
	if d.plane, err = dataplane(d.options.Dataplane); err != nil {
		return err
	}
	// The journal comes first of what is written: another daemon may have it, and its vault's key with it.
	settings := &config.Settings
	d.journal, err = journal.Open(d.options.Journal, journal.Options{SegmentBytes: int64(settings.Journal.SegmentSize), SegmentAge: settings.Journal.SegmentLife})
	if err != nil {
		return err
	}
	epochs, err := d.openEpochs()
	if err != nil {
		return err
	}
	clock := timers.NewClock(d.journal.Last().Time)
	d.clock = clock
	if d.sockets, err = udp.Open(d.udpConfig(clock.Now)); err != nil {
		return err
	}
	d.ikePort, d.natPort = d.sockets.Ports()
	d.engine, err = engine.New(engine.Config{Journal: d.journal, Keyring: keys.New(keys.Options{Epochs: epochs}), Epochs: epochs,
		Secrets: d.secrets, Dataplane: d.plane, Net: d.sockets, Sockets: d.listening(), Clock: clock, Log: log.With("subsystem", "engine"), Limits: limits(settings),
		Answer: d.tickets.answer, Ended: d.reported, Notice: d.notice, Locate: d.locate})
	if err != nil {
		return err
	}
	if err := d.engine.Start(d.options.Version); err != nil {
		return err
	}
	d.durable.set(d.engine.State())
	if d.server, err = vici.Listen(d.options.Socket, ""); err != nil {
		return err
	}
	d.server.Log = log.With("subsystem", "control")
	d.handle()
	d.register()
	if d.options.Audit {
		d.audit = newAuditing(d.journal, d.metrics, log.With("subsystem", "audit"))
	}
	if d.options.Metrics != "" {
		d.page, err = metrics.Listen(d.options.Metrics)
	}
	return err
}

// listening are the sockets, for the engine.
func (d *Daemon) listening() []engine.Socket {
	var sockets []engine.Socket
	for _, bound := range d.sockets.Addrs() {
		sockets = append(sockets, engine.Socket{Bound: bound, NATPort: bound.Port() == d.natPort})
	}
	return sockets
}

// openEpochs gives the keys that the vault's entries are sealed under.
func (d *Daemon) openEpochs() (*keys.Epochs, error) {
	folder := filepath.Join(d.options.Journal, "epochs")
	vaultKey, err := d.options.VaultKey.LoadOrMake(folder)
	if err != nil {
		return nil, err
	}
	defer clear(vaultKey)
	return keys.OpenEpochs(folder, vaultKey)
}

func (d *Daemon) warn(problems []conf.Problem) {
	for _, p := range problems {
		if p.Severity == conf.Warning {
			d.log.Warn(p.String())
		}
	}
}

func configError(problems []conf.Problem) error {
	var all []error
	for _, p := range problems {
		if p.Severity == conf.Error {
			all = append(all, errors.New(p.String()))
		}
	}
	return errors.Join(all...)
}

// close ends what open opened, also where it stopped half way.
func (d *Daemon) close() error {
	var failed []error
	if d.sockets != nil {
		failed = append(failed, d.sockets.Close())
	}
	if d.page != nil {
		if err := d.page.Close(); !errors.Is(err, net.ErrClosed) {
			failed = append(failed, err)
		}
	}
	if d.plane != nil {
		failed = append(failed, d.plane.Close())
	}
	if d.journal != nil {
		failed = append(failed, d.journal.Close())
	}
	return errors.Join(failed...)
}
