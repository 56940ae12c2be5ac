package simulate

import (
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// perform puts the statements down in time, and gives when the last of them is over.
func (pl *player) perform() (last time.Duration) {
	w := pl.w
	from := time.Duration(0) // the end of the last quiet
	for i := range pl.f.Statements {
		s := &pl.f.Statements[i]
		last = max(last, from+s.At, s.From, s.Until)
		when := pl.t0 + int64(from+s.At)
		at := func(do func()) { w.at(when, do) }
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
			switch {
			case s.Msg.Sender == "":
				at(func() { pl.crashAt(pl.node(s.Node)) })
			case s.Word != "":
				pl.tear(s)
			}
		case scenario.Fail:
			pl.performFail(s)
		case scenario.Command:
			pl.command(s, at)
		case scenario.Raw:
			at(func() { pl.raw(s) })
		case scenario.Slow:
			if s.Word != forKE && s.Word != forAuth && s.Word != forKernel {
				pl.w.fail("line "+strconv.Itoa(s.Line), nil, "nothing asks for %s; try: ask(%s), ask(%s), ask(%s)", s.Word, forKE, forAuth, forKernel)
			}
			at(func() {
				for _, n := range pl.nodes(s.Node) {
					n.slow[s.Word] = s.Until
				}
			})
		case scenario.Recover:
			if s.Timed {
				at(pl.recover)
			}
		case scenario.Quiet:
			from += s.At + quietFor
			w.at(pl.t0+int64(from), pl.rests)
			last = max(last, from)
		case scenario.Creds:
			if s.At > 0 {
				at(func() { pl.creds(s) })
			}
		}
	}
	return last
}

// crashAt is a death; the node comes back where the scenario says so, or by itself.
func (pl *player) crashAt(n *Node) {
	n.back = pl.backAfter()
	n.die(anywhere, false)
}

// tear has the node die inside the write of the record that makes the message.
func (pl *player) tear(s *scenario.Statement) {
	n := pl.node(s.Node)
	m, inMemory := n.disk.(*memory)
	if !inMemory {
		return
	}
	m.tear = func(r *record.Record) bool {
		if !pl.records(n, r, s.Msg) {
			return false
		}
		m.tear, n.back = nil, pl.backAfter()
		return true
	}
}

// backAfter is how long who dies now stays down: until the scenario says recover, or half a second.
func (pl *player) backAfter() time.Duration {
	for i := range pl.f.Statements {
		s := &pl.f.Statements[i]
		if wait := time.Duration(pl.t0 + int64(s.At) - pl.w.now); s.Verb == scenario.Recover && s.Timed && wait > 0 {
			return wait
		}
	}
	return backSoon
}

// recover starts whoever is down.
func (pl *player) recover() {
	for _, n := range pl.w.Nodes {
		n.start()
	}
}

// rests looks whether all timers have run out: no request is open, and nothing is on its way up or down.
func (pl *player) rests() {
	for _, n := range pl.w.Nodes {
		if what := restless(n); n.up() && what != "" && !n.left {
			pl.w.fail("RTX-03", n, "%s when all timers should have run out", what)
		}
	}
}

// creds gives a node the secret that the scenario says.
func (pl *player) creds(s *scenario.Statement) {
	n := pl.node(s.Node)
	switch s.Word {
	case "none":
		n.secret = ""
	case "other":
		n.secret = "another secret"
	default:
		n.secret = shared
	}
	if n.life != nil {
		n.life.d.Share(n.secret)
	}
}

// performSends has a node's operator ask for what makes the message, or the wrong half say it.
func (pl *player) performSends(s *scenario.Statement, at func(func())) {
	if s.Node == "P" && s.Msg.Response {
		return // its daemon says it, and the network makes of it what it should be: rewrite
	}
	if speaks(s) {
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
