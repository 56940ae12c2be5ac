package mini

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record"
)

// word is one word of the line: an event, or an effect.
func (b *builder) word(w word) error {
	if isMessage(w.name) {
		id, err := strconv.ParseUint(w.name[2:], 10, 32)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		switch w.name[:1] {
		case "<":
			return b.receives(w, uint32(id), w.name[1] == 'r')
		case ">", "~":
			return b.sends(w, uint32(id), w.name[1] == 'r')
		}
		return b.sendsAgain(w, uint32(id), w.name[1] == 'r')
	}
	if isEvent(w.name) {
		return b.happens(w)
	}
	return b.orders(w)
}

func (b *builder) happens(w word) error {
	ev := b.r.Event
	switch w.name {
	case "start":
		b.run++
		ev.Because = root(record.Root_ROOT_START)
		ev.Kind = &record.Event_Started{Started: &record.Started{Schema: record.Schema, Version: "mini", Run: b.runOf(w), BootId: "boot"}}
	case "config":
		ev.Because = root(record.Root_ROOT_CONFIGURATION)
		ev.Kind = &record.Event_ConfigLoaded{ConfigLoaded: &record.ConfigLoaded{Config: &record.Config{Settings: settings(w.args)}}}
	case "recover":
		b.recovers(w)
	case "end":
		ev.Because = root(record.Root_ROOT_START)
		ev.Kind = &record.Event_RunEnded{RunEnded: &record.RunEnded{Reason: "shutdown"}}
	case "door":
		ev.Because = root(record.Root_ROOT_PEER)
		ev.Kind = &record.Event_DoorCounted{DoorCounted: &record.DoorCounted{Counts: []*record.DoorCount{{Cause: "icv", Count: 4000}}}}
	case "poison":
		ev.Because = root(record.Root_ROOT_PEER)
		ev.Kind = &record.Event_Poisoned{Poisoned: &record.Poisoned{Panic: "a broken invariant"}}
	case "cmd":
		return b.command(w)
	case "+k":
		return b.done(word{name: "done", args: append([]string{"install"}, w.args...)})
	case "done":
		return b.done(w)
	case "T":
		return b.fires(w)
	}
	return nil
}

func (b *builder) runOf(w word) uint64 {
	if w.arg(0) == "run" {
		if n, err := strconv.ParseUint(w.arg(1), 10, 64); err == nil {
			return n
		}
	}
	return b.run
}

func settings(args []string) *record.Settings {
	s := &record.Settings{}
	for _, a := range args {
		key, value, _ := strings.Cut(a, "=")
		n, _ := strconv.ParseUint(value, 10, 64)
		switch key {
		case "sends":
			s.RetransmitSends = uint32(n)
		case "rate":
			s.ShutdownRate = uint32(n)
		case "linger":
			s.LingerLeast = n * uint64(time.Second)
		}
	}
	return s
}

// recovers arms the timers again, sends what is open again, and asks again.
func (b *builder) recovers(w word) {
	b.run++
	ev := b.r.Event
	ev.Because = root(record.Root_ROOT_START)
	r := &record.Recovered{Schema: record.Schema, Version: "mini", Run: b.runOf(w), BootId: "boot"}
	if w.arg(0) == "lost" && b.s != nil {
		r.WithoutKeys = []uint64{b.s.number}
	}
	ev.Kind = &record.Event_Recovered{Recovered: r}
	for _, s := range b.order {
		b.s = s
		for _, kind := range sortedTimers(s.timers) {
			b.arm(kind, max(s.timers[kind].deadline-b.now, 0))
		}
		for _, r := range s.open {
			b.resend(r)
		}
		for _, name := range sortedKeys(s.asks) {
			b.ask(strings.Fields(name))
		}
	}
	b.s = b.sas[b.current]
}

func sortedTimers(m map[record.Timer]timer) []record.Timer {
	var all []record.Timer
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func sortedKeys(m map[string]ref) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func (b *builder) command(w word) error {
	ev := b.r.Event
	ev.Because = root(record.Root_ROOT_OPERATOR)
	switch w.arg(0) {
	case "up":
		ev.Kind = &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{Connection: "gw", Child: "c1", Path: b.path(w)}}
		b.newSA(true)
	case "close":
		k := &record.CloseAsked{}
		if b.s != nil {
			ev.IkeSa = b.s.number
			if c := b.s.child(w.arg(1)); c != nil {
				k.ChildSa = c.number
			}
		}
		ev.Kind = &record.Event_CloseAsked{CloseAsked: k}
	case "shutdown":
		budget, err := strconv.ParseUint(w.arg(1), 10, 32)
		if err != nil {
			return fmt.Errorf("shutdown wants a budget in seconds: %w", err)
		}
		keep := w.arg(2) == "keep"
		ev.Kind = &record.Event_ShutdownAsked{ShutdownAsked: &record.ShutdownAsked{Signal: "SIGTERM", Budget: budget * uint64(time.Second), Keep: keep}}
		b.tally = map[record.Cause]uint64{}
		if !keep {
			b.timerAt = b.now + int64(budget)*int64(time.Second)
			b.timer = b.add("shutdown", &record.Effect{Kind: &record.Effect_SetTimer{SetTimer: &record.SetTimer{Timer: record.Timer_TIMER_SHUTDOWN, Deadline: uint64(b.timerAt)}}})
		}
	default:
		return fmt.Errorf("cmd(%s) is no command", w.arg(0))
	}
	return nil
}

var timerNames = map[string]record.Timer{"": record.Timer_TIMER_RETRANSMIT, "rtx": record.Timer_TIMER_RETRANSMIT, "half": record.Timer_TIMER_HALF_OPEN, "live": record.Timer_TIMER_LIVENESS,
	"discard": record.Timer_TIMER_DISCARD, "linger": record.Timer_TIMER_LINGER, "refusal": record.Timer_TIMER_REFUSAL, "shutdown": record.Timer_TIMER_SHUTDOWN}

// fires is a timer at its deadline, or at the time the line says.
func (b *builder) fires(w word) error {
	kind, ok := timerNames[w.arg(0)]
	if !ok {
		return fmt.Errorf("T(%s) is no timer", w.arg(0))
	}
	ev, s := b.r.Event, b.s
	f := &record.TimerFired{Timer: kind}
	ev.Kind = &record.Event_TimerFired{TimerFired: f}
	var t timer
	switch {
	case kind == record.Timer_TIMER_SHUTDOWN:
		t = timer{b.timer, b.timerAt}
	case s == nil:
		return fmt.Errorf("a timer fired without an SA")
	case kind == record.Timer_TIMER_RETRANSMIT:
		ev.IkeSa = s.number
		if len(s.open) == 0 {
			return fmt.Errorf("a timer fired, and no request is open")
		}
		t, f.MessageId = s.open[0].timer, s.open[0].id
		s.open[0].timer = timer{}
	default:
		ev.IkeSa = s.number
		t = s.timers[kind]
		delete(s.timers, kind)
	}
	ev.Because = edge(record.Edge_EDGE_FIRES, t.at)
	if !b.less["at"] {
		b.now = max(b.now, t.deadline)
		b.r.Time = uint64(b.now)
	}
	return nil
}
