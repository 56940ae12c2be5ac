package daemon

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/live"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// The commands of the control socket: strongSwan's vici, so that swanctl and what is built on it drive this daemon, and
// four of our own for the journal.

// handle registers them all.
func (d *Daemon) handle() {
	s := d.server
	s.Handle(vici.CmdVersion, d.version)
	s.Handle(vici.CmdStats, d.stats)
	s.Handle(vici.CmdListSAs, d.listSAs)
	s.Handle(vici.CmdListConns, d.listConns)
	s.Handle(vici.CmdInitiate, d.initiateCommand)
	s.Handle(vici.CmdTerminate, d.terminate)
	s.Handle(vici.CmdRekey, d.rekey)
	s.Handle(vici.CmdReload, d.reloadCommand)
	for _, event := range []string{vici.EventListSA, vici.EventListConn, vici.EventControlLog, vici.EventLog, vici.EventIKEUpdown, vici.EventChildUpdown} {
		s.Event(event)
	}
	d.handleLoading()
	live.Handle(s, d.journal, d.options.Journal)
	live.HandlePrune(s, d.prune)
}

func (d *Daemon) version(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	var host unix.Utsname
	if err := unix.Uname(&host); err != nil {
		return vici.Message{}, err
	}
	var m vici.Message
	m.Set("daemon", "ikejd")
	m.Set("version", d.options.Version)
	m.Set("sysname", unix.ByteSliceToString(host.Sysname[:]))
	m.Set("release", unix.ByteSliceToString(host.Release[:]))
	m.Set("machine", unix.ByteSliceToString(host.Machine[:]))
	return m, nil
}

// stats has what is true of this daemon. charon's worker threads, job queues and plugins have no counterpart here.
func (d *Daemon) stats(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	state := d.engine.State()
	timers := 0
	state.EachSA(0, func(sa *reducer.IKESA) bool {
		timers += len(sa.Timers)
		return true
	})
	var m vici.Message
	uptime := m.Section(vici.KeyUptime)
	uptime.Set("running", time.Since(d.began).Round(time.Second).String())
	uptime.Set("since", d.began.Format("Jan 02 15:04:05 2006"))
	m.Set(vici.KeyScheduled, strconv.Itoa(timers))
	sas := m.Section(vici.KeyIKESAs)
	sas.Set("total", strconv.Itoa(state.SAs()))
	sas.Set("half-open", strconv.Itoa(state.HalfOpen()))
	m.List(vici.KeyPlugins)
	return m, nil
}

// reloadCommand answers once the configuration is in force and the journal says so.
func (d *Daemon) reloadCommand(ctx context.Context, _ *vici.Session, _ vici.Message) (vici.Message, error) {
	diff, err := d.reload()
	if err == nil && diff.replaced != nil {
		err = d.durable.until(ctx, func(s reducer.State) bool { return s.Config() != diff.replaced })
	}
	if err != nil {
		return vici.Message{}, err
	}
	m := success()
	m.Set("connections", strconv.Itoa(diff.connections))
	m.Set("new", strconv.Itoa(diff.fresh))
	m.Set("changed", strconv.Itoa(diff.changed))
	m.Set("removed", strconv.Itoa(diff.removed))
	return m, nil
}

// success is a response that says yes.
func success() vici.Message {
	var m vici.Message
	m.Set(vici.KeySuccess, vici.Yes)
	return m
}

func operator() *record.Because { return &record.Because{Root: record.Root_ROOT_OPERATOR} }
