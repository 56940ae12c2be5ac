package simulate

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// trace is what a scenario's checks ask about.
type trace struct {
	sends    map[messageKey][]int64
	content  map[messageKey]string
	requests map[*Node]map[uint32]bool // ids, since the scenario began
	gone     map[*Node][]ended
	crashed  map[int]bool // statements
	probed   map[*Node]bool
}

type messageKey struct {
	node     *Node
	response bool
	id       int64
}

// ended is an SA that was discarded.
type ended struct {
	cause string
	at    int64
}

func newTrace() trace {
	return trace{sends: map[messageKey][]int64{}, content: map[messageKey]string{}, requests: map[*Node]map[uint32]bool{},
		gone: map[*Node][]ended{}, crashed: map[int]bool{}, probed: map[*Node]bool{}}
}

// record notes what a node's journal says.
func (t *trace) record(pl *player, n *Node, r *record.Record) {
	for _, e := range r.GetEffects() {
		if m := e.GetRecord(); m != nil {
			t.content[messageKey{n, m.GetResponse(), int64(m.GetMessageId())}] = text.Recorded(m)
		}
		if d := e.GetDiscarded(); d != nil {
			t.gone[n] = append(t.gone[n], ended{text.Cause(d.GetCause()), int64(r.GetTime())})
		}
	}
}

// sent notes a message on its way, and ends a node's asking for signs of life once it has asked.
func (pl *player) sent(from *Node, m *message) {
	if m.refusal() {
		return
	}
	t := &pl.trace
	key := messageKey{from, m.h.Response(), int64(m.h.MessageID)}
	t.sends[key] = append(t.sends[key], m.at)
	if m.h.Response() || pl.t0 == 0 || m.at < pl.t0 {
		return
	}
	if t.requests[from] == nil {
		t.requests[from] = map[uint32]bool{}
	}
	t.requests[from][m.h.MessageID] = true
	if _, probes := pl.probe[pl.name(from)]; probes && m.h.Exchange == ike.INFORMATIONAL && !t.probed[from] {
		t.probed[from] = true
		from.config = proto.CloneOf(from.config)
		for _, c := range from.config.GetConnections() {
			c.DpdDelay = uint64(dpd)
		}
		pl.w.after(time.Millisecond, from.reload)
	}
}

// stage binds the labels to ids, and lays down the rules for messages.
func (pl *player) stage() {
	least := map[string]int64{}
	see := func(m scenario.Message) {
		if m.Sender == "" {
			return
		}
		asker := m.Sender
		if m.Response {
			asker = pl.name(pl.other(pl.node(m.Sender)))
		}
		if old, there := least[asker]; !there || int64(m.ID) < old {
			least[asker] = int64(m.ID)
		}
	}
	for i := range pl.f.Statements {
		see(pl.f.Statements[i].Msg)
		see(pl.f.Statements[i].Second)
	}
	for i := range pl.f.Checks {
		if pl.f.Checks[i].Count != 0 { // what must not be sent does not say where counting begins
			see(pl.f.Checks[i].Msg)
		}
	}
	for name, label := range least {
		n := pl.node(name)
		pl.before[n] = n.state()
		if sas := living(n.state()); len(sas) > 0 {
			pl.labels[name] = int64(sas[0].Window.NextOut) - label
		}
	}
	for i := range pl.f.Statements {
		if r := pl.rule(&pl.f.Statements[i]); r != nil {
			pl.w.network.rules = append(pl.w.network.rules, r)
		}
	}
}

func (pl *player) other(n *Node) *Node {
	if n == pl.w.Nodes[0] {
		return pl.w.Nodes[1]
	}
	return pl.w.Nodes[0]
}

// id is the message id that a label stands for.
func (pl *player) id(m scenario.Message) int64 {
	asker := m.Sender
	if m.Response {
		asker = pl.name(pl.other(pl.node(m.Sender)))
	}
	return int64(m.ID) + pl.labels[asker]
}

// is tells the messages that a label names.
func (pl *player) is(want scenario.Message) func(*Node, *message) bool {
	id, sender := pl.id(want), pl.node(want.Sender)
	return func(from *Node, m *message) bool {
		return from == sender && m.h.Response() == want.Response && int64(m.h.MessageID) == id && !m.refusal()
	}
}

// rule is what a statement says of messages on their way; nil is nothing.
func (pl *player) rule(s *scenario.Statement) *rule {
	switch s.Verb {
	case scenario.Lose:
		r := &rule{verb: s.Verb, left: s.Count, share: s.Share}
		if s.Share > 0 {
			r.left = -1
			return r
		}
		r.msg = pl.is(s.Msg)
		return r
	case scenario.Hold:
		return &rule{verb: s.Verb, left: 1, msg: pl.is(s.Msg), wait: s.Until}
	case scenario.Dup:
		return &rule{verb: s.Verb, left: 1, msg: pl.is(s.Msg)}
	case scenario.Swap, scenario.Batch:
		return &rule{verb: s.Verb, left: -1, msg: pl.is(s.Msg), second: pl.is(s.Second)}
	case scenario.Sends:
		if s.Node == "P" && s.Msg.Response && s.Msg.What != "" {
			return &rule{verb: scenario.Sends, left: -1, msg: pl.is(s.Msg), said: func(m *message) *message { return pl.rewrite(s, m) }}
		}
		if s.Word == "lost" {
			return &rule{verb: scenario.Lose, left: 1, msg: pl.is(s.Msg)}
		}
	}
	return nil
}
