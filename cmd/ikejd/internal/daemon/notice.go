package daemon

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/reducer"

	"github.com/ikejd/ikejd/effects/engine"
)

// What happened, for the log and for who follows it over the control socket: one line a phase that changed.

// watchers are clients that wait in a command and want to read what happens meanwhile.
type watchers struct {
	mu       sync.Mutex
	sessions map[*vici.Session]int
}

// follow gives a session the control log until the returned function is called.
func (d *Daemon) follow(s *vici.Session) (stop func()) {
	w := &d.eventWatch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sessions == nil {
		w.sessions = map[*vici.Session]int{}
	}
	w.sessions[s]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.sessions[s]--; w.sessions[s] == 0 {
			delete(w.sessions, s)
		}
	}
}

// notice is called with each durable batch.
func (d *Daemon) notice(state reducer.State, notes []engine.Note) {
	for i := range notes {
		e := &notes[i].Effect
		line := noteText(e)
		if line == "" {
			continue
		}
		d.log.Info(line, "step", notes[i].Step)
		d.tell(e, line)
		d.updown(state, e)
	}
}

// noteText is one line, the same words as the journal's; "" is nothing worth one.
func noteText(e *reducer.Effect) string {
	switch {
	case e.Kind == reducer.EffectDiscarded || e.Kind == reducer.EffectReport:
		return ""
	case e.Child != 0:
		c := e.Change
		text := fmt.Sprintf("ike%d child%d %s %v -> %v", e.SA, e.Child, c.Connection, c.ChildFrom, c.ChildTo)
		if c.ChildTo == reducer.Installed {
			text += fmt.Sprintf(", SPIs %08x in %08x out", c.InboundSPI, c.OutboundSPI)
		}
		return withDetail(text, c.Detail)
	}
	c := e.Change
	text := fmt.Sprintf("ike%d %v -> %v", e.SA, c.From, c.To)
	if c.Connection != "" {
		text += " " + c.Connection
	}
	if c.To == reducer.Established {
		text += fmt.Sprintf(" with %s at %v", identityText(c.RemoteID), e.Path.Remote)
	}
	if c.Cause != reducer.NoCause {
		text += ", " + c.Cause.String()
	}
	return withDetail(text, c.Detail)
}

func withDetail(text, detail string) string {
	if detail != "" {
		return text + ": " + detail
	}
	return text
}

// tell gives the line to who waits in a command, and to who registered for the log.
func (d *Daemon) tell(e *reducer.Effect, line string) {
	var m vici.Message
	m.Set("group", "IKE")
	m.Set("level", "1")
	m.Set("ikesa-name", e.Change.Connection)
	m.Set("ikesa-uniqueid", fmt.Sprint(e.SA))
	m.Set("msg", line)
	d.server.Broadcast(vici.EventLog, m)
	d.eventWatch.mu.Lock()
	defer d.eventWatch.mu.Unlock()
	for s := range d.eventWatch.sessions {
		s.Offer(vici.EventControlLog, m)
	}
}

// updown raises ike-updown and child-updown.
func (d *Daemon) updown(state reducer.State, e *reducer.Effect) {
	c := e.Change
	event, up := vici.EventIKEUpdown, c.To == reducer.Established
	if e.Child != 0 {
		event, up = vici.EventChildUpdown, c.ChildTo == reducer.Installed
		if !up && c.ChildTo != reducer.Removed {
			return
		}
	} else if !up && c.To != reducer.Lingering && c.To != reducer.Discarded {
		return
	}
	sa := state.SA(e.SA)
	if sa == nil || !d.server.Listens(event) {
		return
	}
	var m vici.Message
	if up {
		m.Set(vici.KeyUp, vici.Yes)
	}
	var children []reducer.ChildSA
	for _, child := range sa.Children {
		if child.Number == e.Child {
			children = append(children, child)
		}
	}
	d.describeSA(m.Section(sa.Connection), sa, state.Time(), children)
	d.server.Broadcast(event, m)
}

// reportText is the last line of a run (REPLAY-UX.md, `why shutdown`).
func reportText(run uint64, r *reducer.Report) string {
	total := uint64(0)
	var parts []string
	for cause, n := range r.Counts {
		if total += n; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %v", n, reducer.Cause(cause)))
		}
	}
	text := fmt.Sprintf("run %d ended %.1fs after SIGTERM. %d IKE SAs", run, time.Duration(r.Took).Seconds(), total)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	for i, line := range r.Lines {
		if i == 0 {
			text += " ("
		} else {
			text += "; "
		}
		text += fmt.Sprintf("ike%d %s %v", line.SA, line.Connection, line.Cause)
		if line.Sends > 0 {
			text += fmt.Sprintf(", %d sends", line.Sends)
		}
		if line.Detail != "" {
			text += ", " + line.Detail
		}
	}
	if len(r.Lines) > 0 {
		text += ")"
	}
	return text
}
