package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// The commands of the control socket: strongSwan's vici, so that swanctl and what is built on it drive this daemon.

// handle registers them all.
func (d *Daemon) handle() {
	s := d.server
	s.Log = d.log
	s.Handle(vici.CmdVersion, d.version)
	s.Handle(vici.CmdStats, d.stats)
	s.Handle(vici.CmdListSAs, d.listSAs)
	s.Handle(vici.CmdListConns, d.listConns)
	s.Handle(vici.CmdGetConns, d.getConns)
	s.Handle(vici.CmdInitiate, d.initiateCommand)
	s.Handle(vici.CmdTerminate, d.terminate)
	s.Handle(vici.CmdReload, d.reloadCommand)
	for _, event := range []string{vici.EventListSA, vici.EventListConn, vici.EventControlLog, vici.EventLog, vici.EventIKEUpdown, vici.EventChildUpdown} {
		s.Event(event)
	}
	d.handleLoading()
}

func (d *Daemon) version(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	var m vici.Message
	m.Set("daemon", "ikejd")
	m.Set("version", d.options.Version)
	m.Set("sysname", "Linux")
	m.Set("release", runtime.Version())
	m.Set("machine", runtime.GOARCH)
	return m, nil
}

func (d *Daemon) stats(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	state := d.engine.State()
	var m vici.Message
	uptime := m.Section(vici.KeyUptime)
	uptime.Set("running", time.Since(d.began).Round(time.Second).String())
	uptime.Set("since", d.began.Format("Jan 02 15:04:05 2006"))
	workers := m.Section(vici.KeyWorkers)
	workers.Set("total", strconv.Itoa(runtime.GOMAXPROCS(0)))
	workers.Set("idle", "0")
	active := workers.Section("active")
	queues := m.Section(vici.KeyQueues)
	for _, priority := range []string{"critical", "high", "medium", "low"} {
		active.Set(priority, "0")
		queues.Set(priority, "0")
	}
	m.Set(vici.KeyScheduled, "0")
	sas := m.Section(vici.KeyIKESAs)
	sas.Set("total", strconv.Itoa(state.SAs()))
	sas.Set("half-open", strconv.Itoa(state.HalfOpen()))
	m.List(vici.KeyPlugins)
	return m, nil
}

// success is a response that says yes.
func success() vici.Message {
	var m vici.Message
	m.Set(vici.KeySuccess, vici.Yes)
	return m
}

// timeout is how long a command waits: 0 is until it is done, -1 not at all.
func timeout(ctx context.Context, request vici.Message) (context.Context, context.CancelFunc, bool, error) {
	text := request.Get(vici.KeyTimeout)
	if text == "" || text == "0" {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, true, nil
	}
	ms, err := strconv.Atoi(text)
	if err != nil {
		return nil, nil, false, fmt.Errorf("timeout %q is not a number of milliseconds", text)
	}
	if ms < 0 {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
	return ctx, cancel, true, nil
}

// initiateCommand sets up a connection with one of its children, and waits until it is up.
func (d *Daemon) initiateCommand(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	connection, child, err := d.find(request.Get(vici.KeyIKE), request.Get(vici.KeyChild))
	if err != nil {
		return vici.Message{}, err
	}
	ctx, cancel, waits, err := timeout(ctx, request)
	if err != nil {
		return vici.Message{}, err
	}
	defer cancel()
	ticket := d.tickets.draw()
	defer d.follow(s)()
	d.initiate(&record.InitiateAsked{Connection: connection, Child: child, Ticket: ticket}, operator())
	if !waits {
		return success(), nil
	}
	return d.answered(ctx, ticket)
}

// answered waits for what was asked for under a ticket.
func (d *Daemon) answered(ctx context.Context, ticket uint64) (vici.Message, error) {
	problem, err := d.tickets.wait(ctx, ticket)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return vici.Message{}, errors.New("not done within the timeout; it goes on")
	case err != nil:
		return vici.Message{}, err
	case problem != "":
		return vici.Message{}, errors.New(problem)
	}
	return success(), nil
}

// find is the connection and child that names mean: a child alone is looked for in all connections.
func (d *Daemon) find(connection, child string) (string, string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.allConfig().Connections {
		if connection != "" && c.Name != connection {
			continue
		}
		if child == "" && connection != "" {
			return c.Name, "", nil
		}
		for _, candidate := range c.Children {
			if candidate.Name == child {
				return c.Name, child, nil
			}
		}
	}
	if child == "" {
		return "", "", fmt.Errorf("no connection %q in the configuration", connection)
	}
	return "", "", fmt.Errorf("no child %q in the configuration", child)
}

func operator() *record.Because { return &record.Because{Root: record.Root_ROOT_OPERATOR} }

// terminate closes the IKE SAs or Child SAs that the request selects, and waits until they are gone.
func (d *Daemon) terminate(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	chosen, err := d.selected(request)
	if err != nil {
		return vici.Message{}, err
	}
	if len(chosen) == 0 {
		return vici.Message{}, errors.New("no matching SAs to terminate found")
	}
	ctx, cancel, waits, err := timeout(ctx, request)
	if err != nil {
		return vici.Message{}, err
	}
	defer cancel()
	defer d.follow(s)()
	var asked []uint64
	for _, c := range chosen {
		ticket := d.tickets.draw()
		asked = append(asked, ticket)
		d.engine.Post(&record.Event{IkeSa: c.sa, Because: operator(), Kind: &record.Event_CloseAsked{
			CloseAsked: &record.CloseAsked{ChildSa: c.child, Ticket: ticket}}})
	}
	var m vici.Message
	terminated, problem := 0, ""
	for _, ticket := range asked {
		if !waits {
			break
		}
		if _, err := d.answered(ctx, ticket); err != nil {
			problem = err.Error()
			continue
		}
		terminated++
	}
	m.Set(vici.KeySuccess, vici.Yes)
	if problem != "" {
		m.Set(vici.KeySuccess, vici.No)
		m.Set(vici.KeyErrmsg, problem)
	}
	m.Set(vici.KeyMatches, strconv.Itoa(len(chosen)))
	m.Set(vici.KeyTerminated, strconv.Itoa(terminated))
	return m, nil
}

// choice is an IKE SA, or one of its children.
type choice struct{ sa, child uint64 }

// selected are the SAs that ike, ike-id, child and child-id of a request name.
func (d *Daemon) selected(request vici.Message) ([]choice, error) {
	ikeID, err1 := number(request, vici.KeyIKEID)
	childID, err2 := number(request, vici.KeyChildID)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	connection, child := request.Get(vici.KeyIKE), request.Get(vici.KeyChild)
	if connection == "" && child == "" && ikeID == 0 && childID == 0 {
		return nil, errors.New("name what to terminate: ike, ike-id, child or child-id")
	}
	var chosen []choice
	d.engine.State().EachSA(0, func(sa *reducer.IKESA) bool {
		if sa.Phase >= reducer.Lingering || connection != "" && sa.Connection != connection || ikeID != 0 && sa.Number != ikeID {
			return true
		}
		if child == "" && childID == 0 {
			chosen = append(chosen, choice{sa.Number, 0})
			return true
		}
		for _, c := range sa.Children {
			if (child == "" || c.Name == child) && (childID == 0 || c.Number == childID) {
				chosen = append(chosen, choice{sa.Number, c.Number})
			}
		}
		return true
	})
	return chosen, nil
}

func number(request vici.Message, key string) (uint64, error) {
	text := request.Get(key)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a number", key, text)
	}
	return n, nil
}

func (d *Daemon) reloadCommand(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	if err := d.reload(); err != nil {
		return vici.Message{}, err
	}
	return success(), nil
}
