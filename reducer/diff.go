package reducer

import (
	"strings"

	"github.com/ikejd/ikejd/proto/record"
)

// What a step changed, for people: the journal's printer, the stepper and the tests show it (REPLAY-UX.md). Clocks and
// counters are left out, and timers, sends and keys too, since the step's effects say those.

// Diff is how an IKE SA differs between two States, one path a line; nil stands for one that is not there. What an SA
// that is gone had of its own goes without saying.
func Diff(before, after *IKESA) []record.Change {
	switch {
	case before == after:
		return nil
	case after == nil:
		return []record.Change{{Path: ikeName(before.Number) + ".state", From: before.Phase.String(), To: Discarded.String()}}
	case before == nil:
		before = &IKESA{Number: after.Number}
	}
	d := differences{name: ikeName(after.Number)}
	d.add("state", before.Phase.String(), after.Phase.String())
	d.add("connection", orDash(before.Connection), orDash(after.Connection))
	d.add("spis", spis(before), spis(after))
	d.add("path", before.Path.String(), after.Path.String())
	d.add("nat", before.nat(), after.nat())
	d.add("suite", before.Suite.String(), after.Suite.String())
	d.add("us", before.LocalID.String(), after.LocalID.String())
	d.add("peer", before.RemoteID.String(), after.RemoteID.String())
	d.add("set-up", before.SetUp.String(), after.SetUp.String())
	d.add("candidates", before.SetUp.candidates(), after.SetUp.candidates())
	d.add("making", creationsString(before.Making), creationsString(after.Making))
	d.add("serving", before.Serving.String(), after.Serving.String())
	d.add("successor", successorString(before.Successor), successorString(after.Successor))
	d.window(&before.Window, &after.Window)
	for i := range before.Children {
		old := &before.Children[i]
		if now := after.childOf(old.Number); now == nil {
			d.name = childName(old.Number)
			d.add("state", old.Phase.String(), Removed.String())
		}
	}
	for i := range after.Children {
		now := &after.Children[i]
		old := before.childOf(now.Number)
		if old == nil {
			old = &ChildSA{}
		}
		d.child(old, now)
	}
	return d.changes
}

// differences are those found so far, of the thing called name.
type differences struct {
	name    string
	changes []record.Change
}

func (d *differences) add(what, from, to string) {
	if from != to {
		d.changes = append(d.changes, record.Change{Path: d.name + "." + what, From: from, To: to})
	}
}

func (d *differences) child(old, now *ChildSA) {
	d.name = childName(now.Number)
	d.add("state", old.Phase.String(), now.Phase.String())
	d.add("spis", childSPIs(old), childSPIs(now))
	d.add("suite", old.Suite.String(), now.Suite.String())
	d.add("local", selectorsString(old.LocalTS), selectorsString(now.LocalTS))
	d.add("remote", selectorsString(old.RemoteTS), selectorsString(now.RemoteTS))
	d.add("mode", mode(old), mode(now))
}

// window shows what is in flight where that changed, else what waits and behind what.
func (d *differences) window(old, now *Window) {
	from, to := "in flight: "+inFlightString(old.InFlight), "in flight: "+inFlightString(now.InFlight)
	waitedFrom, waitsTo := waitingString(old.Waiting), waitingString(now.Waiting)
	switch {
	case from != to && waitedFrom != waitsTo:
		d.add("window", from+", waiting: "+waitedFrom, strings.TrimPrefix(to, "in flight: ")+", waiting: "+waitsTo)
	case from != to:
		d.add("window", from, strings.TrimPrefix(to, "in flight: "))
	case waitedFrom != waitsTo && len(now.InFlight) > 0:
		d.add("window", "waiting: "+waitedFrom, waitsTo+"  ("+to+", "+decimal(now.InFlight[0].Sends)+" sends)")
	case waitedFrom != waitsTo:
		d.add("window", "waiting: "+waitedFrom, waitsTo)
	}
	d.add("answering", old.Answering.String(), now.Answering.String())
	d.add("peer-window", decimal(uint32(max(old.PeerSize, 1))), decimal(uint32(max(now.PeerSize, 1))))
	d.add("next-in", decimal(old.NextIn), decimal(now.NextIn))
}
