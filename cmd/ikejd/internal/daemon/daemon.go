package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/creds"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/timers"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Options are the flags of `ikejd run`.
type Options struct {
	Config         string
	Journal        string
	Socket         string
	Dataplane      string
	Listen         []netip.Addr
	Port, NATPort  uint16
	ShutdownBudget time.Duration // 0: the configuration's
	KeepSAs        bool
	VaultKey       string
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
	sockets *udp.Sockets
	engine  *engine.Engine
	server  *vici.Server
	secrets *creds.Store
	plane   kernel.Dataplane
	clock   timers.Clock
	tickets tickets
	ikePort uint16
	natPort uint16

	mu         sync.Mutex
	config     *conf.Config // of the file
	fileNames  []string     // its secrets
	loaded     loaded       // what came over the control socket
	ended      chan *reducer.Report
	endedOnce  sync.Once
	shutdown   sync.Once
	eventWatch watchers
}

// Run is `ikejd run`: it returns the exit code when the daemon has ended. stop ends when the operator asks for a
// shutdown (SIGTERM), reload has a value when the configuration is to be read again (SIGHUP).
func Run(stop context.Context, reload <-chan os.Signal, o Options, log *slog.Logger) (int, error) {
	d := &Daemon{options: o, log: log, began: time.Now(), secrets: creds.NewStore(), ended: make(chan *reducer.Report, 1)}
	d.loaded.init()
	d.tickets.init()
	if err := d.open(); err != nil {
		return ExitNoStart, errors.Join(err, d.close())
	}
	code, err := d.run(stop, reload)
	return code, errors.Join(err, d.close())
}

// open reads and opens everything; nothing is sent yet.
func (d *Daemon) open() error {
	config, problems := conf.Load(d.options.Config)
	for _, p := range problems {
		if p.Severity == conf.Warning {
			d.log.Warn(p.String())
		}
	}
	if conf.HasErrors(problems) {
		return configError(problems)
	}
	d.config = config
	plane, err := dataplane(d.options.Dataplane)
	if err != nil {
		return err
	}
	d.plane = plane
	vaultKey, err := keys.LoadOrMakeVaultKey(d.options.VaultKey)
	if err != nil {
		return err
	}
	defer clear(vaultKey)
	d.journal, err = journal.Open(d.options.Journal, journal.Options{SegmentBytes: int64(config.Settings.Journal.SegmentSize),
		SegmentAge: config.Settings.Journal.SegmentLife})
	if err != nil {
		return err
	}
	epochs, err := keys.OpenEpochs(filepath.Join(d.options.Journal, "epochs"), vaultKey)
	if err != nil {
		return err
	}
	d.clock = timers.NewClock(d.journal.Last().Time)
	d.sockets, err = udp.Open(udp.Config{Listen: d.options.Listen, Port: d.options.Port, NATPort: d.options.NATPort, Now: d.clock.Now})
	if err != nil {
		return err
	}
	d.ikePort, d.natPort = d.sockets.Ports()
	d.engine, err = engine.New(engine.Config{Journal: d.journal, Keyring: keys.New(keys.Options{Epochs: epochs}), Epochs: epochs,
		Secrets: d.secrets, Dataplane: plane, Net: d.sockets, Clock: d.clock, Log: d.log, Limits: limits(&config.Settings),
		Answer: d.tickets.answer, Ended: d.reported, Notice: d.notice, Locate: d.locate})
	if err != nil {
		return err
	}
	if err := d.engine.Start(d.options.Version); err != nil {
		return err
	}
	d.server, err = vici.Listen(d.options.Socket, "")
	if err != nil {
		return err
	}
	d.handle()
	return nil
}

func dataplane(name string) (kernel.Dataplane, error) {
	if name == "none" {
		return kernel.NewModel(kernel.ModelConfig{}), nil
	}
	return nil, fmt.Errorf("dataplane %q is not in this version, which installs no ESP; try: ikejd run --dataplane none", name)
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

// run has everything going until the engine ends.
func (d *Daemon) run(stop context.Context, reload <-chan os.Signal) (int, error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	engineEnded := make(chan error, 1)
	go func() { engineEnded <- d.engine.Run(ctx) }()
	wg.Go(func() {
		if err := d.sockets.Receive(d.engine.Receive); err != nil {
			d.log.Error("receiving has ended", "error", err)
		}
	})
	wg.Go(func() {
		if err := d.server.Serve(ctx); err != nil {
			d.log.Error("the control socket has ended", "error", err)
		}
	})
	defer d.sockets.Close()
	d.load()
	d.log.Info("ready", "version", d.options.Version, "run", d.engine.State().Run(), "listen", fmt.Sprint(d.sockets.Addrs()), "socket", d.options.Socket)
	for {
		select {
		case <-stop.Done():
			stop = ctx
			d.askShutdown("SIGTERM")
		case <-reload:
			if err := d.reload(); err != nil {
				d.log.Error("the configuration was not loaded; the one before stays in force", "error", err)
			}
		case report := <-d.ended:
			d.engine.Post(&record.Event{Because: &record.Because{Root: record.Root_ROOT_OPERATOR},
				Kind: &record.Event_RunEnded{RunEnded: &record.RunEnded{Reason: "shutdown"}}})
			d.engine.Stop()
			if err := <-engineEnded; err != nil {
				return ExitFailed, err
			}
			d.log.Info(reportText(d.engine.State().Run(), report))
			if report.Counts[reducer.CutOff] > 0 {
				return ExitCutOff, nil
			}
			return ExitClean, nil
		case err := <-engineEnded:
			return ExitFailed, fmt.Errorf("the journal cannot be written, so nothing more may be sent: %w", err)
		}
	}
}

// load puts the configuration in force and initiates what it wants up.
func (d *Daemon) load() {
	d.mu.Lock()
	d.fileNames = putSecrets(d.secrets, d.config, d.fileNames)
	config := recordConfig(d.allConfig(), d.natPort)
	d.mu.Unlock()
	root := &record.Because{Root: record.Root_ROOT_CONFIGURATION}
	d.engine.Post(&record.Event{Because: root, Kind: &record.Event_ConfigLoaded{ConfigLoaded: &record.ConfigLoaded{Config: config}}})
	for _, asked := range wanted(config) {
		go d.initiate(asked, root)
	}
}

// reload reads the file again; a bad file changes nothing.
func (d *Daemon) reload() error {
	config, problems := conf.Load(d.options.Config)
	if conf.HasErrors(problems) {
		return configError(problems)
	}
	d.mu.Lock()
	d.config = config
	d.mu.Unlock()
	d.load()
	d.log.Info("configuration loaded", "connections", len(config.Connections))
	return nil
}

// initiate finds the addresses and asks for the SA.
func (d *Daemon) initiate(asked *record.InitiateAsked, because *record.Because) {
	path, err := d.locate(&reducer.Connection{Name: asked.GetConnection()})
	if asked.Path = reducer.PathRecord(path); err != nil {
		asked.Failure = err.Error()
	}
	d.engine.Post(&record.Event{Because: because, Kind: &record.Event_InitiateAsked{InitiateAsked: asked}})
}

func (d *Daemon) askShutdown(signal string) {
	d.shutdown.Do(func() {
		budget := d.options.ShutdownBudget
		if budget == 0 {
			budget = d.config.Settings.Shutdown.Budget
		}
		d.log.Info("shutting down", "because", signal, "budget", budget, "ike_sas", d.engine.State().SAs())
		d.engine.Post(&record.Event{Because: &record.Because{Root: record.Root_ROOT_OPERATOR}, Kind: &record.Event_ShutdownAsked{
			ShutdownAsked: &record.ShutdownAsked{Signal: signal, Budget: uint64(budget), Keep: d.options.KeepSAs}}})
	})
}

func (d *Daemon) reported(r *reducer.Report) { d.endedOnce.Do(func() { d.ended <- r }) }

func (d *Daemon) close() error {
	var failed []error
	if d.sockets != nil {
		failed = append(failed, d.sockets.Close())
	}
	if d.plane != nil {
		failed = append(failed, d.plane.Close())
	}
	if d.journal != nil {
		failed = append(failed, d.journal.Close())
	}
	return errors.Join(failed...)
}
