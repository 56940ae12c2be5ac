package mini

import (
	"fmt"
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What comes from the peer.

// receives is a datagram, or the repeat of a request that was answered.
func (b *builder) receives(w word, id uint32, response bool) error {
	ev := b.r.Event
	_, isInit := w.has("INIT")
	if b.s == nil && isInit && !response {
		b.newSA(false)
		ev.IkeSa = 0
	} else if b.s == nil {
		return fmt.Errorf("%s without an SA", w.name)
	} else {
		ev.IkeSa = b.s.number
	}
	s := b.s
	_, isNew := w.has("new")
	if short, ok := s.received[id]; ok && !response && !isNew {
		ev.Because = edge(record.Edge_EDGE_SERVES, s.sent[fmt.Sprintf("r%d", id)])
		ev.Kind = &record.Event_RepeatReceived{RepeatReceived: &record.RepeatReceived{Path: b.path(w), MessageId: id, Digest: short}}
		b.in = &inbound{id: id, path: b.path(w)}
		return nil
	}
	c, err := b.content(w, id, response, false)
	if err != nil {
		return err
	}
	fromInitiator := !s.initiator
	if f, ok := w.has("flag"); ok && f.arg(0) == "ours" {
		fromInitiator = !fromInitiator
	}
	d := &record.DatagramReceived{Path: c.path}
	h := s.header(c.exchange, id, response, fromInitiator)
	if f, ok := w.has("spis"); ok && f.arg(0) == "other" {
		h.SPIr ^= 0xff
	}
	first, payloads := ike.AppendPayloads(nil, c.bodies...)
	switch {
	case c.exchange == ike.IKE_SA_INIT:
		if len(c.bodies) == 1 && response { // an error or a cookie: the responder has chosen no SPI
			h.SPIr = 0
		}
		d.Datagram = ike.AppendMessage(nil, h, c.bodies...)
		if !response && ev.IkeSa == 0 {
			d.Fresh = b.fresh(s)
		}
	case c.bare:
		d.Datagram = ike.AppendMessage(nil, h, c.bodies...)
	default:
		salt := "theirs"
		if isNew {
			salt = fmt.Sprint("theirs ", b.step)
		}
		d.Datagram, d.FirstPayload, d.Opened = sealed(h, payloads, salt), uint32(first), payloads
	}
	d.Digest = short(d.Datagram)
	s.octets["<"+w.name[1:]] = d.Datagram
	ev.Because = root(record.Root_ROOT_PEER)
	ev.Kind = &record.Event_DatagramReceived{DatagramReceived: d}
	if response {
		return b.answered(id, c, ev)
	}
	b.in = &inbound{id: id, exchange: uint32(c.exchange), path: c.path}
	if b.less["serve"] {
		return nil
	}
	s.received[id] = d.Digest
	s.nextIn = max(s.nextIn, id+1)
	if c.ike {
		return nil
	}
	for _, k := range c.children {
		if k.phase == record.ChildPhase_CHILD_PHASE_DELETING {
			b.removeHalves(k, false, true)
		} else {
			b.removeHalves(k, true, true)
			b.childTo(k, record.ChildPhase_CHILD_PHASE_REMOVED)
		}
	}
	return nil
}

// answered is a response to a request of ours: its timer goes, and what it deleted.
func (b *builder) answered(id uint32, c *content, ev *record.Event) error {
	s := b.s
	r := s.request(id)
	if at, ok := s.sent[fmt.Sprintf("q%d", id)]; ok {
		ev.Because = edge(record.Edge_EDGE_REPLIES, at)
	}
	stays := c.exchange == ike.IKE_SA_INIT // until keys are agreed
	if r == nil || b.less["serve"] || stays {
		return nil
	}
	b.cancel(r)
	s.open = slices.DeleteFunc(s.open, func(o *request) bool { return o == r })
	for _, k := range r.children {
		b.removeHalves(k, true, true)
		b.childTo(k, record.ChildPhase_CHILD_PHASE_REMOVED)
	}
	return nil
}
