package daemon

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Putting a configuration in force is an event that holds all of it. swanctl --load-all brings connections one by one,
// so those that come close together become one event.
const (
	applyQuiet = 20 * time.Millisecond // so long nothing more came
	applyMost  = 2 * time.Second       // ... but not longer than this after the first
)

// applyAll puts in force what is loaded, until ctx ends.
func (d *Daemon) applyAll(ctx context.Context) {
	for {
		select {
		case <-d.config.changed:
		case <-ctx.Done():
			return
		}
		for limit, quiet := time.After(applyMost), time.After(applyQuiet); quiet != nil; {
			select {
			case <-d.config.changed:
				quiet = time.After(applyQuiet)
				continue
			case <-limit:
			case <-quiet:
			case <-ctx.Done():
				return
			}
			quiet = nil
		}
		d.apply()
	}
}

// difference counts what putting a configuration in force changed.
type difference struct {
	connections, fresh, changed, removed int
	replaced                             *reducer.Config // what was in force; nil: it still is
}

// apply puts the configuration in force, unless it is, and initiates what is new or changed in it and wanted up. SAs stay
// as they are.
func (d *Daemon) apply() difference {
	c := &d.config
	c.mu.Lock()
	defer c.mu.Unlock() // held while the event is posted, so that the last of two is the one in force
	if !c.dirty {
		return difference{connections: len(c.given.GetConnections())}
	}
	c.dirty = false
	before, next := c.given, recordConfig(&c.file.Settings, c.together(), d.natPort)
	diff, wanted := compare(before, next)
	if before != nil && proto.Equal(before, next) {
		return diff
	}
	c.given, diff.replaced = next, d.engine.State().Config()
	because := &record.Because{Root: record.Root_ROOT_CONFIGURATION}
	d.engine.Post(&record.Event{Because: because, Kind: &record.Event_ConfigLoaded{ConfigLoaded: &record.ConfigLoaded{Config: next}}})
	if len(wanted) == 0 {
		return diff
	}
	up := d.connectionsUp()
	for _, asked := range wanted {
		if !up[asked.GetConnection()] {
			go d.initiate(asked, because)
		}
	}
	return diff
}

// connectionsUp are the connections that have an IKE SA, or are getting one.
func (d *Daemon) connectionsUp() map[string]bool {
	up := map[string]bool{}
	d.engine.State().EachSA(0, func(sa *reducer.IKESA) bool {
		if sa.Phase <= reducer.Established {
			up[sa.Connection] = true
		}
		return true
	})
	return up
}

// compare says how next differs from before (nil: nothing was), and which children are to be initiated: of connections
// that were not there as they are, those with start_action = start.
func compare(before, next *record.Config) (diff difference, wanted []*record.InitiateAsked) {
	had := map[string]*record.Connection{}
	for _, connection := range before.GetConnections() {
		had[connection.GetName()] = connection
	}
	diff.connections = len(next.GetConnections())
	for _, connection := range next.GetConnections() {
		old, there := had[connection.GetName()]
		delete(had, connection.GetName())
		switch {
		case !there:
			diff.fresh++
		case !proto.Equal(old, connection):
			diff.changed++
		default:
			continue
		}
		for _, child := range connection.GetChildren() {
			if child.GetStartAction() == record.StartAction_START_ACTION_START {
				wanted = append(wanted, &record.InitiateAsked{Connection: connection.GetName(), Child: child.GetName()})
				break // an IKE SA is set up with one child
			}
		}
	}
	diff.removed = len(had)
	return diff, wanted
}

// reload reads the file again; a bad file changes nothing.
func (d *Daemon) reload() (difference, error) {
	config, problems := conf.Load(d.options.Config)
	d.warn(problems)
	if conf.HasErrors(problems) {
		return difference{}, configError(problems)
	}
	before := *d.config.settings()
	d.putFileSecrets(config)
	d.config.setFile(config)
	diff := d.apply()
	if limits(&before) != limits(&config.Settings) || before.Journal.SegmentSize != config.Settings.Journal.SegmentSize ||
		before.Journal.SegmentLife != config.Settings.Journal.SegmentLife {
		d.log.Warn("limits and segment sizes were changed; they count from the next start on")
	}
	d.log.Info("the configuration was loaded", "connections", diff.connections, "new", diff.fresh, "changed", diff.changed, "removed", diff.removed)
	return diff, nil
}
