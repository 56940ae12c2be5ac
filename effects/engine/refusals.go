package engine

import (
	"net/netip"
	"sync"

	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// Unprotected answers outside any SA (RFC 7296, section 1.5). They prove nothing to whoever gets them, so they are few,
// never larger than what they answer, and never repeated (PROTOCOL.md, K-11, W-31).

// refuse answers a request at the door with one notify.
func (d *door) refuse(in *udp.Datagram, h ike.Header, notify ike.NotifyType, data ...byte) {
	answer := refusalMessage(h.SPIi, h.SPIr, h.Exchange, h.MessageID, !h.Initiator(), notify, data)
	if len(answer) > len(in.Bytes) || !d.paces.refusal(source(in.Remote.Addr())) {
		return
	}
	d.e.c.Net.Send([]udp.Outgoing{{Local: in.Local, Remote: in.Remote, Bytes: answer}})
}

// refusal is one that the reducer ordered, if its pace allows.
func (d *door) refusal(e *reducer.Effect) (udp.Outgoing, bool) {
	if !d.paces.refusal(source(e.Path.Remote.Addr())) {
		return udp.Outgoing{}, false
	}
	answer := refusalMessage(e.SPIi, e.SPIr, e.Exchange, e.MessageID, false, e.Notify, e.Data)
	return udp.Outgoing{Local: e.Path.Local, Remote: e.Path.Remote, Bytes: answer}, true
}

func refusalMessage(spii, spir uint64, x ike.ExchangeType, id uint32, initiator bool, notify ike.NotifyType, data []byte) []byte {
	h := ike.Header{SPIi: spii, SPIr: spir, Major: 2, Exchange: x, MessageID: id, Flags: ike.FlagResponse}
	if initiator {
		h.Flags |= ike.FlagInitiator
	}
	return ike.AppendMessage(nil, h, ike.NewNotify(notify, data))
}

// paces are the limits that are counted by the second.
type paces struct {
	limits    Limits
	mu        sync.Mutex
	refusals  map[netip.Addr]int
	allOfThem int
	repeats   map[uint64]int
	inits     map[uint64]int
	hints     map[uint64]int
}

// initResponsesSA is how many answers to an IKE_SA_INIT request become events a second: anybody can send them.
const initResponsesSA = 10

func newPaces(l Limits) *paces {
	return &paces{limits: l, refusals: map[netip.Addr]int{}, repeats: map[uint64]int{}, inits: map[uint64]int{},
		hints: map[uint64]int{}}
}

func (p *paces) refusal(source netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.allOfThem >= p.limits.RefusalsAll || p.refusals[source] >= p.limits.RefusalsSource {
		return false
	}
	p.allOfThem++
	p.refusals[source]++
	return true
}

func (p *paces) repeat(sa uint64) bool { return p.one(p.repeats, sa, p.limits.RepeatsSA) }
func (p *paces) init(sa uint64) bool   { return p.one(p.inits, sa, initResponsesSA) }

// hint is one a second until the State shows it, and from then on one in ten (PROTOCOL.md, W-18).
func (p *paces) hint(sa uint64) bool { return p.one(p.hints, sa, 1) }

func (p *paces) one(of map[uint64]int, sa uint64, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if of[sa] >= most {
		return false
	}
	of[sa]++
	return true
}

// forget begins a new second.
func (p *paces) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allOfThem = 0
	clear(p.refusals)
	clear(p.repeats)
	clear(p.inits)
	clear(p.hints)
}
