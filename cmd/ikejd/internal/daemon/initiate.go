package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// initiate finds the addresses of a connection and asks for an IKE SA with the child named.
func (d *Daemon) initiate(asked *record.InitiateAsked, because *record.Because) {
	path, err := d.locate(&reducer.Connection{Name: asked.GetConnection()})
	if asked.Path = reducer.PathRecord(path); err != nil {
		asked.Failure = err.Error()
	}
	d.engine.Post(&record.Event{Because: because, Kind: &record.Event_InitiateAsked{InitiateAsked: asked}})
}

// initiateCommand sets up a connection with one of its children, and waits until it is up. What is up already is done.
func (d *Daemon) initiateCommand(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	connection, child, err := d.find(request.Get(vici.KeyIKE), request.Get(vici.KeyChild))
	if err != nil {
		return vici.Message{}, err
	}
	wait, err := readPatience(request)
	if err != nil {
		return vici.Message{}, err
	}
	what := "IKE_SA '" + connection + "'"
	if child != "" {
		what = "CHILD_SA '" + child + "'"
	}
	d.apply() // what was loaded a moment ago
	ctx, cancel := wait.context(ctx)
	defer cancel()
	defer d.watchers.add(s, request, func(_ uint64, of string) bool { return of == connection })()
	ticket := d.tickets.draw()
	defer d.tickets.forget(ticket)
	d.initiate(&record.InitiateAsked{Connection: connection, Child: child, Ticket: ticket}, operator())
	if wait.none() {
		return success(), nil
	}
	problem, err := d.tickets.wait(ctx, ticket)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return vici.Message{}, fmt.Errorf("%s not established after %dms; it goes on", what, wait.limit.Milliseconds())
	case err != nil:
		return vici.Message{}, fmt.Errorf("establishing %s was not waited for: %w", what, err)
	case problem != "":
		return vici.Message{}, fmt.Errorf("establishing %s failed: %s", what, problem)
	}
	return success(), nil
}

// find is the connection and child that names mean: a child alone is looked for in all connections.
func (d *Daemon) find(connection, child string) (string, string, error) {
	if connection == "" && child == "" {
		return "", "", errors.New("name what to initiate: child, or ike")
	}
	candidates := d.config.connections()
	if connection != "" {
		c := d.config.connection(connection)
		if c == nil {
			return "", "", fmt.Errorf("IKE_SA config '%s' not found", connection)
		}
		if child == "" {
			return connection, "", nil
		}
		candidates = []conf.Connection{*c}
	}
	for i := range candidates {
		for _, candidate := range candidates[i].Children {
			if candidate.Name == child {
				return candidates[i].Name, child, nil
			}
		}
	}
	return "", "", fmt.Errorf("CHILD_SA config '%s' not found", child)
}
