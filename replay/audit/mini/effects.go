package mini

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

var causes = map[string]record.Cause{"acked": record.Cause_CAUSE_ACKNOWLEDGED, "unack": record.Cause_CAUSE_UNACKNOWLEDGED, "cutoff": record.Cause_CAUSE_CUT_OFF,
	"gave-up": record.Cause_CAUSE_UNANSWERED, "peer": record.Cause_CAUSE_PEER_ASKED, "both": record.Cause_CAUSE_BOTH_AT_ONCE, "replaced": record.Cause_CAUSE_REPLACED,
	"superseded": record.Cause_CAUSE_SUPERSEDED, "refused": record.Cause_CAUSE_REFUSED, "syntax": record.Cause_CAUSE_DAMAGED, "lost": record.Cause_CAUSE_NOT_RECOVERED,
	"none": record.Cause_CAUSE_NONE}

var wishes = map[string]record.Wish{"init": record.Wish_WISH_INIT, "auth": record.Wish_WISH_AUTH, "liveness": record.Wish_WISH_LIVENESS,
	"delete-ike": record.Wish_WISH_DELETE_IKE, "delete-child": record.Wish_WISH_DELETE_CHILD, "refuse-auth": record.Wish_WISH_REFUSE_AUTH}

// orders is an effect that is no message.
func (b *builder) orders(w word) error {
	if w.name == "report" || w.name == "refuse" || w.name == "?" {
		return b.outside(w)
	}
	if b.s == nil {
		return fmt.Errorf("%s without an SA", w.name)
	}
	switch w.name {
	case "!Half":
		b.changed(record.Phase_PHASE_HALF_OPEN, 0)
	case "!Est":
		b.changed(record.Phase_PHASE_ESTABLISHED, 0)
	case "!Del":
		b.changed(record.Phase_PHASE_DELETING, 0)
	case "!Ling":
		return b.lingers(w)
	case "!Gone":
		return b.discards(w)
	case "child":
		return b.childWord(w)
	case "-k":
		return b.kernelRemoves(w)
	case "-key":
		key := b.s.key
		if n, err := strconv.ParseUint(w.arg(0), 10, 64); err == nil {
			key = n
		}
		b.add("destroy", &record.Effect{Kind: &record.Effect_DestroyKeys{DestroyKeys: &record.DestroyKeys{KeyRef: key}}})
	case "ask":
		return b.ask(w.args)
	case "want":
		b.want(wishes[w.arg(0)], w.arg(1) == "behind")
	case "drop":
		i := slices.IndexFunc(b.s.wishes, func(q wish) bool { return q.wish == wishes[w.arg(0)] })
		if i < 0 {
			return fmt.Errorf("no wish %s waits", w.arg(0))
		}
		b.add("dropped", &record.Effect{Because: edge(record.Edge_EDGE_SERVES, b.s.wishes[i].at), Kind: &record.Effect_Dropped{Dropped: &record.Dropped{Cause: "target gone"}}})
		b.s.wishes = slices.Delete(b.s.wishes, i, i+1)
	case "A":
		seconds, err := strconv.ParseFloat(w.arg(1), 64)
		if err != nil {
			return fmt.Errorf("A(%s) wants a timer and seconds", strings.Join(w.args, " "))
		}
		b.arm(timerNames[w.arg(0)], int64(seconds*float64(time.Second)))
	case "disarm":
		kind := timerNames[w.arg(0)]
		if kind == record.Timer_TIMER_RETRANSMIT {
			for _, r := range b.s.open {
				b.cancel(r)
			}
			return nil
		}
		b.disarm(kind)
	default:
		return fmt.Errorf("%q is no word of a mini journal", w.name)
	}
	return nil
}

// outside is an effect that is about no SA, or that says the event changes nothing.
func (b *builder) outside(w word) error {
	switch w.name {
	case "?":
		why := strings.Join(w.args, " ")
		b.add("dropped", &record.Effect{Kind: &record.Effect_Dropped{Dropped: &record.Dropped{Cause: why}}})
	case "refuse":
		b.r.Effects = append(b.r.Effects, &record.Effect{Kind: &record.Effect_Refuse{Refuse: &record.Refuse{Notify: uint32(notifies[w.arg(0)]), Data: made(20, "cookie"),
			Exchange: uint32(ike.IKE_SA_INIT), Path: b.path(w)}}})
	case "report":
		r := &record.Report{Took: uint64(time.Second)}
		counts := map[record.Cause]uint64{}
		for c, n := range b.tally {
			counts[c] = n
		}
		for _, arg := range w.args {
			name, n, _ := strings.Cut(arg, "=")
			counts[causes[name]], _ = strconv.ParseUint(n, 10, 64)
		}
		for c := record.Cause_CAUSE_NONE; c <= record.Cause_CAUSE_NOT_RECOVERED; c++ {
			if counts[c] > 0 {
				r.Counts = append(r.Counts, &record.ReportCount{Cause: c, Count: counts[c]})
			}
		}
		b.add("report", &record.Effect{Kind: &record.Effect_Report{Report: r}})
	}
	return nil
}

// sends is a new message of ours.
func (b *builder) sends(w word, id uint32, response bool) error {
	s := b.s
	if s == nil {
		return fmt.Errorf("%s without an SA", w.name)
	}
	c, err := b.content(w, id, response, true)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%c%d", w.name[1], id)
	salt := "ours"
	if w.name[0] == '~' {
		salt = fmt.Sprint("ours ", b.step)
		c.bodies = append(c.bodies, ike.NewNotify(ike.NotifyType(40000+b.step), nil))
	}
	m := &record.RecordMessage{MessageId: id, Response: response, Exchange: uint32(c.exchange), Path: c.path, FromInitiator: s.initiator}
	if f, ok := w.has("flag"); ok && f.arg(0) == "theirs" {
		m.FromInitiator = !m.FromInitiator
	}
	if _, ok := w.has("iv"); ok {
		salt = fmt.Sprint("iv ", b.step)
	}
	if response && b.in != nil {
		if _, moved := w.has("to"); !moved {
			m.Path = b.in.path
		}
	}
	first, payloads := ike.AppendPayloads(nil, c.bodies...)
	m.FirstPayload, m.Payloads = uint32(first), payloads
	h := s.header(c.exchange, id, response, m.FromInitiator)
	if f, ok := w.has("spis"); ok && f.arg(0) == "other" {
		h.SPIr ^= 0xff
	}
	e := &record.Effect{Because: &record.Because{Edge: record.Edge_EDGE_SERVES, Step: b.step}, Kind: &record.Effect_Record{Record: m}}
	if c.exchange == ike.IKE_SA_INIT || c.bare {
		m.Unprotected, m.SpiI, m.SpiR = true, h.SPIi, h.SPIr
	} else {
		m.KeyRef = s.key
	}
	if !response {
		b.wanted(c, e, id)
	}
	at := b.add("record", e)
	if !m.Unprotected && !b.less["datagram"] && !b.less["record"] {
		b.r.Datagrams = append(b.r.Datagrams, sealed(h, payloads, salt))
	}
	s.sent[name] = at
	if response {
		return nil
	}
	b.requested(id, c, e, at)
	return nil
}

// wanted adds what goes before a request: the wish, and the phases that change when it is built.
func (b *builder) wanted(c *content, e *record.Effect, id uint32) {
	s := b.s
	if s.request(id) != nil && c.exchange == ike.IKE_SA_INIT {
		e.Because = edge(record.Edge_EDGE_SERVES, s.sent["wish"])
		return
	}
	kind := wishOf(c)
	i := slices.IndexFunc(s.wishes, func(q wish) bool { return q.wish == kind })
	if i < 0 {
		if c.ike && s.phase == record.Phase_PHASE_ESTABLISHED {
			if _, armed := s.timers[record.Timer_TIMER_DISCARD]; !armed && !b.less["discard"] {
				b.arm(record.Timer_TIMER_DISCARD, int64(20*time.Minute))
			}
		}
		b.want(kind, false)
		i = len(s.wishes) - 1
	}
	if i >= 0 && len(s.wishes) > 0 {
		e.Because = edge(record.Edge_EDGE_SERVES, s.wishes[i].at)
		s.sent["wish"] = s.wishes[i].at
		s.wishes = slices.Delete(s.wishes, i, i+1)
	}
	if c.ike && s.phase == record.Phase_PHASE_ESTABLISHED {
		b.changed(record.Phase_PHASE_DELETING, 0)
	}
	for _, k := range c.children {
		if k.phase != record.ChildPhase_CHILD_PHASE_DELETING && k.phase != record.ChildPhase_CHILD_PHASE_REMOVED {
			b.childTo(k, record.ChildPhase_CHILD_PHASE_DELETING)
		}
	}
}

func wishOf(c *content) record.Wish {
	switch {
	case c.exchange == ike.IKE_SA_INIT:
		return record.Wish_WISH_INIT
	case c.exchange == ike.IKE_AUTH:
		return record.Wish_WISH_AUTH
	case c.ike:
		return record.Wish_WISH_DELETE_IKE
	case len(c.bodies) == 0:
		return record.Wish_WISH_LIVENESS
	}
	if n, ok := c.bodies[0].(ike.Notify); ok && n.Type.IsError() {
		return record.Wish_WISH_REFUSE_AUTH
	}
	return record.Wish_WISH_DELETE_CHILD
}

func (b *builder) want(kind record.Wish, behind bool) {
	e := &record.Effect{Kind: &record.Effect_Wanted{Wanted: &record.Wanted{Wish: kind, Decided: b.decided()}}}
	if behind && len(b.s.open) > 0 {
		e.Because = edge(record.Edge_EDGE_BEHIND, b.s.open[0].at)
	}
	if at := b.add("wanted", e); at.step != 0 {
		b.s.wishes = append(b.s.wishes, wish{kind, at})
	}
}

// requested adds what follows a request: the timer that sends it again.
func (b *builder) requested(id uint32, c *content, e *record.Effect, at ref) {
	s := b.s
	if old := s.request(id); old != nil {
		s.open = slices.DeleteFunc(s.open, func(o *request) bool { return o == old })
	}
	r := &request{id: id, at: at, sends: 1, wait: int64(2 * time.Second), wish: wishOf(c), exchange: uint32(c.exchange), children: c.children}
	s.open = append(s.open, r)
	s.nextOut = max(s.nextOut, id+1)
	b.armRequest(r)
}

func (b *builder) armRequest(r *request) {
	deadline := b.now + r.wait
	at := b.add("timer", &record.Effect{Kind: &record.Effect_SetTimer{SetTimer: &record.SetTimer{Timer: record.Timer_TIMER_RETRANSMIT, MessageId: r.id, Deadline: uint64(deadline)}}})
	r.timer = timer{at, deadline}
	r.wait = r.wait * 3 / 2
}

// sendsAgain is a copy.
func (b *builder) sendsAgain(w word, id uint32, response bool) error {
	s := b.s
	name := fmt.Sprintf("%c%d", w.name[1], id)
	at := s.sent[name]
	if of, ok := w.has("of"); ok {
		at = s.sent[of.arg(0)]
	}
	path := b.path(w)
	if response && b.in != nil {
		if _, moved := w.has("to"); !moved {
			path = b.in.path
		}
	}
	m := &record.Resend{MessageId: id, Response: response, Sends: 2, Path: path}
	r := s.request(id)
	if r != nil && !response {
		r.sends++
		m.Sends = r.sends
	}
	b.add("resend", &record.Effect{Because: edge(record.Edge_EDGE_SERVES, at), Kind: &record.Effect_Resend{Resend: m}})
	if r != nil && !response {
		b.armRequest(r)
	}
	return nil
}

func (b *builder) resend(r *request) {
	if b.less["resend"] {
		return
	}
	r.sends++
	b.add("resend", &record.Effect{Because: edge(record.Edge_EDGE_SERVES, r.at), Kind: &record.Effect_Resend{Resend: &record.Resend{MessageId: r.id, Sends: r.sends, Path: b.path(word{})}}})
	r.wait = int64(2 * time.Second)
	b.armRequest(r)
}

func (b *builder) cancel(r *request) {
	if r.timer.at.step != 0 {
		b.add("cancel", &record.Effect{Kind: &record.Effect_CancelTimer{CancelTimer: &record.CancelTimer{Timer: record.Timer_TIMER_RETRANSMIT, MessageId: r.id}}})
		r.timer = timer{}
	}
}

func (b *builder) arm(kind record.Timer, wait int64) {
	deadline := b.now + wait
	at := b.add("timer", &record.Effect{Kind: &record.Effect_SetTimer{SetTimer: &record.SetTimer{Timer: kind, Deadline: uint64(deadline)}}})
	if at.step != 0 {
		b.s.timers[kind] = timer{at, deadline}
	}
}

func (b *builder) disarm(kind record.Timer) {
	if _, armed := b.s.timers[kind]; armed {
		b.add("cancel", &record.Effect{Kind: &record.Effect_CancelTimer{CancelTimer: &record.CancelTimer{Timer: kind}}})
		delete(b.s.timers, kind)
	}
}

func (b *builder) ask(args []string) error {
	s := b.s
	e := &record.Effect{}
	if c := s.child(at(args, 1)); c != nil {
		e.ChildSa = c.number
	}
	id := &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte("peer.example")}
	key := s.key
	if n, err := strconv.ParseUint(at(args, 2), 10, 64); err == nil {
		key = n
	}
	switch at(args, 0) {
	case "ke":
		e.Kind = &record.Effect_MakeKeyShare{MakeKeyShare: &record.MakeKeyShare{Group: uint32(ike.GroupCurve25519)}}
	case "agree":
		e.Kind = &record.Effect_Agree{Agree: &record.Agree{KeyRef: key, Initiator: true, SpiI: s.spiI, SpiR: s.spiR, Suite: &record.Suite{Encr: uint32(ike.EncrAESGCM16), KeyLength: 256}}}
	case "make":
		e.Kind = &record.Effect_MakeAuth{MakeAuth: &record.MakeAuth{KeyRef: key, Initiator: true, LocalId: id, RemoteId: id}}
	case "check":
		e.Kind = &record.Effect_CheckAuth{CheckAuth: &record.CheckAuth{KeyRef: key, Initiator: s.initiator, LocalId: id, RemoteId: id}}
	case "spi":
		e.Kind = &record.Effect_AllocateSpi{AllocateSpi: &record.AllocateSPI{Protocol: uint32(ike.ProtocolESP)}}
	case "install":
		c := s.child(at(args, 1))
		if c == nil {
			return fmt.Errorf("there is no child %s", at(args, 1))
		}
		c.out = 0xd1000000 + uint32(c.number)
		e.Kind = &record.Effect_InstallChild{InstallChild: &record.InstallChild{Name: c.name, KeyRef: key, Initiator: s.initiator, Protocol: uint32(ike.ProtocolESP),
			InboundSpi: c.in, OutboundSpi: c.out, Path: b.path(word{}), Ni: made(32, "ni"), Nr: made(32, "nr")}}
	case "remove":
		c := s.child(at(args, 1))
		if c == nil {
			return fmt.Errorf("there is no child %s", at(args, 1))
		}
		c.halves = [2]bool{true, true}
		b.removeHalves(c, true, true)
		return nil
	default:
		return fmt.Errorf("ask(%s) asks for nothing", strings.Join(args, " "))
	}
	if where := b.add("ask", e); where.step != 0 {
		s.asks[askName(args)] = where
	}
	return nil
}

func at(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

// askName is what ask and done have in common: ke, check, install c1.
func askName(args []string) string {
	switch at(args, 0) {
	case "spi", "install", "remove":
		return at(args, 0) + " " + at(args, 1)
	}
	return at(args, 0)
}
