package daemon

import (
	"fmt"
	"strconv"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
)

// What happened, for the log and for who follows it over the control socket: one line a phase that changed.

// notice is called with each durable batch. What is gone by its end is described as it was before it.
func (d *Daemon) notice(state reducer.State, notes []engine.Note) {
	before, _ := d.durable.get()
	defer d.durable.set(state) // who waits for it has read by then what happened
	d.count(notes)
	for i := range notes {
		e := &notes[i].Effect
		if e.Kind != reducer.EffectChanged {
			continue
		}
		sa := state.SA(e.SA)
		if sa == nil {
			sa = before.SA(e.SA)
		}
		line := noteText(e)
		d.log.Info(line, "step", notes[i].Step)
		d.tell(e, sa, line)
		d.updown(e, sa, before.SA(e.SA))
	}
	d.tickets.deliver()
}

// noteText is a phase that changed in one line, in the words of the journal.
func noteText(e *reducer.Effect) string {
	c := e.Change
	if e.Child != 0 {
		said := fmt.Sprintf("%s %s %s %v -> %v", text.SA(e.SA), text.Child(e.Child), c.Connection, c.ChildFrom, c.ChildTo)
		if c.ChildTo == reducer.Installed {
			said += fmt.Sprintf(", SPIs %08x in %08x out", c.InboundSPI, c.OutboundSPI)
		}
		return withDetail(said, c.Detail)
	}
	said := fmt.Sprintf("%s %v -> %v", text.SA(e.SA), c.From, c.To)
	if c.Connection != "" {
		said += " " + c.Connection
	}
	if c.To == reducer.Established {
		peer := &record.Identity{Type: uint32(c.RemoteID.Type), Data: []byte(c.RemoteID.Data)}
		said += fmt.Sprintf(" with %s at %v", text.Identity(peer), e.Path.Remote)
	}
	if c.Cause != reducer.NoCause {
		said += ", " + c.Cause.String()
	}
	return withDetail(said, c.Detail)
}

func withDetail(said, detail string) string {
	if detail != "" {
		return said + ": " + detail
	}
	return said
}

// tell gives the line to who waits in a command about that SA, and to who registered for the log.
func (d *Daemon) tell(e *reducer.Effect, sa *reducer.IKESA, line string) {
	connection := e.Change.Connection
	if sa != nil {
		connection = sa.Connection
	}
	var m vici.Message
	m.Set("group", "IKE")
	m.Set("level", "1")
	m.Set("ikesa-name", connection)
	m.Set("ikesa-uniqueid", strconv.FormatUint(e.SA, 10))
	m.Set("msg", line)
	d.server.Broadcast(vici.EventLog, m)
	d.watchers.tell(e.SA, connection, m)
}

// updown raises ike-updown and child-updown: an IKE SA is up when it is established, and down once when that ends.
func (d *Daemon) updown(e *reducer.Effect, sa, before *reducer.IKESA) {
	c := e.Change
	event, up, down := vici.EventIKEUpdown, c.To == reducer.Established, c.To >= reducer.Lingering && (c.From == reducer.Established || c.From == reducer.Deleting)
	if e.Child != 0 {
		event, up, down = vici.EventChildUpdown, c.ChildTo == reducer.Installed, c.ChildTo == reducer.Removed && c.ChildFrom >= reducer.Installed
	}
	if sa == nil || !up && !down || !d.server.Listens(event) {
		return
	}
	var m vici.Message
	yes(&m, vici.KeyUp, up)
	d.describeSA(m.Section(sa.Connection), sa, d.clock.Now(), childOf(e.Child, sa, before))
	d.server.Broadcast(event, m)
}

// childOf is the Child SA of that number as the first of the SAs that still has it shows it.
func childOf(number uint64, views ...*reducer.IKESA) []reducer.ChildSA {
	for _, sa := range views {
		if sa == nil || number == 0 {
			continue
		}
		for _, child := range sa.Children {
			if child.Number == number {
				return []reducer.ChildSA{child}
			}
		}
	}
	return nil
}
