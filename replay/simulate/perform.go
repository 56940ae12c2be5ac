package simulate

import (
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// perform puts the statements down in time, and gives when the last of them is over.
func (pl *player) perform() (last time.Duration) {
	w := pl.w
	for i := range pl.f.Statements {
		s := &pl.f.Statements[i]
		last = max(last, s.At, s.From, s.Until)
		at := func(do func()) { w.at(pl.t0+int64(s.At), do) }
		switch s.Verb {
		case scenario.Sends:
			pl.performSends(s, at)
		case scenario.SetUps:
			for k := range s.Count {
				at(func() { pl.order(pl.w.Nodes[0], func() { pl.w.Nodes[0].initiate(connectionName(k)) }) })
			}
		case scenario.Part:
			until := int64(1) << 62
			if s.Until != 0 {
				until = pl.t0 + int64(s.Until)
			}
			w.network.splits = append(w.network.splits, split{pl.node(s.Node), pl.node(s.Other), pl.t0 + int64(s.From), until})
		case scenario.Crash:
			if s.Msg.Sender == "" {
				at(func() { pl.node(s.Node).die(anywhere, false) })
			}
		case scenario.Fail:
			pl.performFail(s)
		case scenario.Command:
			pl.command(s, at)
		case scenario.Raw:
			at(func() { pl.raw(s) })
		case scenario.Slow:
			n := pl.node(s.Node)
			at(func() { n.slow = s.Until })
		}
	}
	return last
}

// performSends has a node's operator ask for what makes the message, or the wrong half say it.
func (pl *player) performSends(s *scenario.Statement, at func(func())) {
	if s.Node == "P" {
		at(func() { pl.say(s) })
		return
	}
	pl.asks(s.Msg, at)
	if s.Second.Sender == "" {
		return
	}
	pl.asks(s.Second, at)
	// They cross: each is on its way when the other is recorded.
	for _, m := range []scenario.Message{s.Msg, s.Second} {
		pl.w.network.rules = append(pl.w.network.rules, &rule{verb: scenario.Hold, left: 1, msg: pl.is(m), wait: 100 * time.Millisecond})
	}
}

func (pl *player) asks(m scenario.Message, at func(func())) {
	n := pl.node(m.Sender)
	switch {
	case m.Response:
	case strings.HasPrefix(m.What, "D(ike)"):
		at(func() { pl.order(n, func() { n.terminateFirst(false) }) })
	case strings.HasPrefix(m.What, "D("), strings.HasPrefix(m.What, "INF D("):
		at(func() { pl.order(n, func() { n.terminateFirst(true) }) })
	case strings.HasPrefix(m.What, "INIT"):
		at(func() { pl.order(n, func() { n.initiate(connectionName(0)) }) })
	}
}

// terminateFirst asks for the end of the oldest SA, or of its child.
func (n *Node) terminateFirst(child bool) {
	all := living(n.state())
	switch {
	case len(all) == 0:
	case !child:
		n.terminate(all[0].Number, 0)
	case len(all[0].Children) > 0:
		n.terminate(all[0].Number, all[0].Children[0].Number)
	}
}

// command is an operator's order.
func (pl *player) command(s *scenario.Statement, at func(func())) {
	n := pl.node(s.Node)
	order := func(do func()) { at(func() { pl.order(n, do) }) }
	switch s.Word {
	case "delete":
		order(func() { n.terminateFirst(s.Rest != "ike") })
	case "shutdown":
		seconds, err := strconv.Atoi(firstWord(s.Rest))
		if err != nil {
			pl.w.fail("line "+strconv.Itoa(s.Line), nil, "a shutdown has a budget in seconds, not %q", s.Rest)
		}
		order(func() { n.shutdown(time.Duration(seconds)*time.Second, strings.Contains(s.Rest, "--keep-sas")) })
	case "initiate":
		order(func() { n.initiate(connectionName(0)) })
	case "load":
		count, err := strconv.Atoi(firstWord(s.Rest))
		if err != nil {
			count = 1
		}
		for k := range count {
			order(func() { n.initiate(connectionName(k)) })
		}
	case "kill":
		at(func() { n.die(anywhere, false) })
	case "reload", "add":
		at(n.reload)
	case "restart":
		n.leaves = false
		order(func() { n.shutdown(30*time.Second, false) })
	}
}

// performFail has the kernel refuse so many requests of a kind.
func (pl *player) performFail(s *scenario.Statement) {
	n, left := pl.node(s.Node), max(s.Count, 1)
	n.kernel.Refuse = func(op string) bool {
		if op != s.Word || left == 0 || pl.t0 == 0 {
			return false
		}
		left--
		return true
	}
}

// say has the wrong half send a request of its own, behind its daemon's back.
func (pl *player) say(s *scenario.Statement) {
	n := pl.node("P")
	sas := living(n.state())
	if pl.crash != nil && (len(sas) == 0 || sas[0].Phase < reducer.Established) {
		return // it died before it could say anything
	}
	if len(sas) == 0 {
		pl.w.fail("line "+strconv.Itoa(s.Line), n, "P has no SA on which it could say anything")
		return
	}
	sa := sas[0]
	bodies, exchange := pl.bodies(s, sa.Children)
	first, payloads := ike.AppendPayloads(nil, bodies...)
	h := ike.Header{SPIi: sa.SPIi, SPIr: sa.SPIr, Major: 2, Exchange: exchange, MessageID: uint32(pl.id(s.Msg))}
	if sa.Initiator {
		h.Flags |= ike.FlagInitiator
	}
	datagram, err := n.life.d.Seal(sa.KeyRef, h, first, payloads)
	if err != nil {
		pl.w.fail("line "+strconv.Itoa(s.Line), n, "P cannot say that: %v", err)
		return
	}
	h, err = ike.ParseHeader(datagram)
	if err != nil {
		pl.w.fail("line "+strconv.Itoa(s.Line), n, "P cannot say that: %v", err)
		return
	}
	m := &message{h: h, bytes: datagram, from: sa.Path.Local, to: sa.Path.Remote, at: pl.w.now}
	pl.w.network.carry(n, m)
}
