package mini

import (
	"fmt"
	"slices"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What leaves for the peer.

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
	datagram := ike.AppendMessage(nil, h, c.bodies...)
	if !m.Unprotected {
		datagram = sealed(h, payloads, salt)
		if !b.less["datagram"] && !b.less["record"] {
			b.r.Datagrams = append(b.r.Datagrams, datagram)
		}
	}
	s.octets[">"+name] = datagram
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
	if s == nil {
		return fmt.Errorf("%s without an SA", w.name)
	}
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
