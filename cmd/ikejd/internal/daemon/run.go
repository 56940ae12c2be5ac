package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Run is `ikejd run`: it returns the exit code when the daemon has ended. SIGTERM and SIGINT among signals ask for a
// shutdown, and so does the end of ctx; SIGHUP has the configuration read again.
func Run(ctx context.Context, signals <-chan os.Signal, o Options, log *slog.Logger) (int, error) {
	d := newDaemon(o, log)
	if err := d.open(log); err != nil {
		return ExitNoStart, errors.Join(err, d.close())
	}
	code, err := d.run(ctx, signals)
	return code, errors.Join(err, d.close())
}

// run has everything going until the engine ends.
func (d *Daemon) run(stop context.Context, signals <-chan os.Signal) (int, error) {
	ctx, cancel := context.WithCancel(context.Background())
	before := d.engine.State().Run() // read before the engine runs: from then on it may be ahead of the disk
	engineEnded := make(chan error, 1)
	go func() { engineEnded <- d.engine.Run(ctx) }()
	var others sync.WaitGroup
	others.Go(func() {
		if err := d.sockets.Receive(d.engine.Receive); err != nil {
			d.log.Error("no datagram is received any more; restart ikejd", "error", err)
		}
	})
	others.Go(func() {
		if err := d.server.Serve(ctx); err != nil {
			d.log.Error("the control socket answers no more; restart ikejd to have it back", "error", err)
		}
	})
	if d.page != nil {
		others.Go(func() {
			if err := d.metrics.Serve(ctx, d.page); err != nil {
				d.log.Error("/metrics answers no more; restart ikejd to have it back", "error", err)
			}
		})
	}
	if d.audit != nil {
		judging, stop := context.WithCancel(ctx)
		d.audit.stop = stop
		others.Go(func() { d.audit.run(judging) })
	}
	others.Go(func() { d.applyAll(ctx) })
	others.Go(func() { d.pruneAll(ctx) })
	defer others.Wait()
	defer cancel()
	defer d.sockets.Close()
	d.apply()
	started := make(chan struct{})
	others.Go(func() {
		if d.durable.until(ctx, func(s reducer.State) bool { return s.Run() != before }) == nil {
			close(started)
		}
	})
	for {
		select {
		case <-started:
			started = nil
			d.ready()
		case <-stop.Done():
			stop = ctx // asked once
			d.askShutdown("interrupt")
		case s := <-signals:
			d.signalled(s)
		case report := <-d.ended:
			return d.finish(report, engineEnded)
		case err := <-engineEnded:
			return ExitFailed, fmt.Errorf("the journal cannot be written, so nothing more was sent and ikejd has to stop: %w", err)
		}
	}
}

// ready is the line that a script waits for: all is open, SAs of the run before are taken over, and the journal says so.
func (d *Daemon) ready() {
	state := d.engine.State()
	d.log.Info("ready", "version", d.options.Version, "run", state.Run(), "listen", fmt.Sprint(d.sockets.Addrs()),
		"port", d.ikePort, "nat_port", d.natPort, "socket", d.options.Socket, "ike_sas", state.SAs())
}

func (d *Daemon) signalled(s os.Signal) {
	if s == syscall.SIGHUP {
		if _, err := d.reload(); err != nil {
			for problem := range strings.SplitSeq(err.Error(), "\n") {
				d.log.Error(problem)
			}
			d.log.Error("the configuration was not loaded; the one before stays in force")
		}
		return
	}
	name := "SIGTERM"
	if s == syscall.SIGINT {
		name = "SIGINT"
	}
	d.askShutdown(name)
}

// askShutdown begins the shutdown. Asked twice is asked once: a Delete that is under way is not hurried by a signal.
func (d *Daemon) askShutdown(signal string) {
	state := d.engine.State()
	if d.shutdownBy != "" {
		d.log.Warn("shutting down already; to leave at once, and the SAs to the next start, send SIGKILL", "because", signal, "ike_sas", state.SAs())
		return
	}
	d.shutdownBy = signal
	budget := d.config.settings().Shutdown.Budget
	if d.options.ShutdownBudget != nil {
		budget = *d.options.ShutdownBudget
	}
	d.log.Info("shutting down", "because", signal, "budget", budget, "ike_sas", state.SAs())
	d.engine.Post(&record.Event{Because: operator(), Kind: &record.Event_ShutdownAsked{
		ShutdownAsked: &record.ShutdownAsked{Signal: signal, Budget: uint64(budget), Keep: d.options.KeepSAs}}})
}

// reported is the engine's word that the shutdown is over and its report durable.
func (d *Daemon) reported(r *reducer.Report) {
	select {
	case d.ended <- r:
	default: // a run has one
	}
}

// finish ends the engine. The report is the last thing logged.
func (d *Daemon) finish(report *reducer.Report, engineEnded <-chan error) (int, error) {
	d.engine.Last(&record.Event{Because: operator(), Kind: &record.Event_RunEnded{RunEnded: &record.RunEnded{Reason: "shutdown"}}})
	d.engine.Stop()
	if err := <-engineEnded; err != nil {
		return ExitFailed, fmt.Errorf("the shutdown was over, but the journal could not be ended: %w", err)
	}
	if d.audit != nil {
		d.audit.finish()
	}
	state := d.engine.State()
	if d.options.KeepSAs {
		d.log.Info("the next start takes over", "ike_sas", state.SAs())
	}
	d.log.Info(reportText(state.Run(), d.shutdownBy, report, state.Time()))
	if report.Counts[reducer.CutOff] > 0 {
		return ExitCutOff, nil
	}
	return ExitClean, nil
}
