package engine

import (
	"errors"
	"net/netip"

	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Protected messages at the door: SPIs, then the id, then the exchange, then the ICV; nothing is computed for a message
// that fails an earlier check, and nothing is answered on an SA before the last is good (PROTOCOL.md, section X).

func (d *door) protected(in *udp.Datagram, h ike.Header) {
	number, ok := d.e.core.index.find(h)
	var sa *reducer.IKESA
	if ok {
		sa = d.e.State().SA(number)
	}
	if !ok && (d.e.core.index.bySPI(h.SPIi) != 0 || d.e.core.index.bySPI(h.SPIr) != 0) {
		d.drop("reflected", in) // our SPI on the peer's side: our own message with other flags (N-38)
		return
	}
	if sa == nil && (d.e.core.index.comes(h.SPIi) || d.e.core.index.comes(h.SPIr)) {
		d.drop("too-early", in) // the peer was faster to have the new SA; it asks again
		return
	}
	if sa == nil || sa.SPIi != h.SPIi || sa.SPIr != h.SPIr {
		d.drop("unknown-spi", in)
		if !h.Response() {
			d.refuse(in, h, ike.NotifyInvalidIKESPI)
		}
		return
	}
	if h.Response() && h.NextPayload == ike.PayloadNotify {
		d.hint(in, h, sa)
	}
	if sa.Initiator == h.Initiator() {
		d.drop("reflected", in) // N-38
		return
	}
	if h.Response() {
		d.response(in, h, sa)
		return
	}
	d.request(in, h, sa)
}

// hint is an unprotected notify on an SA, which anybody could have sent; it is turned away like all that has no ICV. Where it
// says, from where the peer is, that the peer does not know the SA, we may ask (PROTOCOL.md, W-18, X-91).
func (d *door) hint(in *udp.Datagram, h ike.Header, sa *reducer.IKESA) {
	var payloads ike.Payloads
	if in.Remote != sa.Path.Remote || !sa.Hintable(d.e.c.Clock.Now()) ||
		ike.ParsePayloads(h.NextPayload, in.Bytes[ike.HeaderLen:], &payloads) != nil {
		return
	}
	for _, p := range payloads.All() {
		n, err := ike.ParseNotify(p.Body)
		if p.Type != ike.PayloadNotify || err != nil || n.Type != ike.NotifyInvalidIKESPI && n.Type != ike.NotifyInvalidSPI {
			continue
		}
		if d.paces.hint(sa.Number) {
			d.e.queue.push(&record.Event{IkeSa: sa.Number, Because: &record.Because{Root: record.Root_ROOT_PEER}, Kind: &record.Event_HintReceived{
				HintReceived: &record.HintReceived{Path: path(in), What: n.Type.String()}}})
		}
		return
	}
}

// response opens what answers a request in flight.
func (d *door) response(in *udp.Datagram, h ike.Header, sa *reducer.IKESA) {
	request, ok := sa.Window.Open(h.MessageID)
	if !ok || request.Exchange != h.Exchange {
		d.drop("unasked", in)
		return
	}
	d.open(in, sa, replies(request))
}

// replies is the edge of an event that answers a request of ours.
func replies(to reducer.Request) *record.Because {
	return &record.Because{Edge: record.Edge_EDGE_REPLIES, Step: to.Recorded.Step, Index: to.Recorded.Index, Root: record.Root_ROOT_PEER}
}

// request tells repeats from what is new.
func (d *door) request(in *udp.Datagram, h ike.Header, sa *reducer.IKESA) {
	if answered, ok := sa.Window.Recorded(h.MessageID); ok {
		if reducer.Digest(in.Bytes) == answered.Request {
			d.repeat(in, sa, answered)
		} else {
			d.drop("repeat-differs", in)
		}
		return
	}
	switch {
	case sa.Window.Answering != nil && sa.Window.Answering.ID == h.MessageID:
		d.drop("being-answered", in)
	case !sa.Window.Takes(h.MessageID):
		d.drop("message-id", in) // W-10, W-11
	case sa.Phase == reducer.Lingering:
		d.drop("lingering", in)
	case sa.Phase == reducer.HalfOpen && sa.Initiator:
		d.drop("too-early", in)
	case sa.Phase == reducer.HalfOpen && h.Exchange != ike.IKE_AUTH:
		d.drop("early-exchange", in) // before any key agreement
	case sa.Phase == reducer.HalfOpen:
		d.openFirst(in, sa)
	default:
		d.open(in, sa, &record.Because{Root: record.Root_ROOT_PEER})
	}
}

// open checks the ICV; what passes is an event. It reports whether the sender of the message holds the SA's keys.
func (d *door) open(in *udp.Datagram, sa *reducer.IKESA, because *record.Because) bool {
	first, opened, err := d.e.c.Keyring.Open(sa.KeyRef, in.Bytes)
	switch {
	case err == nil:
	case errors.Is(err, keys.ErrMalformed):
		opened = badPadding // the sender holds the keys: its own mistake, which the reducer answers (N-41, X-32)
	case errors.Is(err, keys.ErrICV):
		d.drop("icv", in)
		return false
	case errors.Is(err, keys.ErrUnknown), errors.Is(err, keys.ErrNotAgreed):
		d.drop("no-keys", in)
		return false
	default:
		d.drop("malformed", in)
		return false
	}
	digest := reducer.Digest(in.Bytes)
	switch {
	case d.isPoisonous(digest):
		d.drop("poisoned", in)
	case !d.inHand.take(digest, netip.Addr{}):
		d.drop("in-hand", in)
	default:
		ev, received := event(in, sa.Number, digest)
		ev.Because, received.FirstPayload, received.Opened = because, uint32(first), opened
		d.e.queue.push(ev)
	}
	return true
}

// badPadding stands for payloads that cannot be told from their padding: it parses as none.
var badPadding = []byte{0}

// opening is the first protected request of a half-open SA while the keyring computes what its ICV is checked with. One
// a time, and a limit on wrong ones (PROTOCOL.md, K-13, K-14).
type opening struct {
	busy   bool
	badICV int
}

// openFirst agrees the keys of a half-open SA behind the door, so that a stranger's IKE_AUTH costs a record only when it
// is whole. The keys stay when the ICV is bad.
func (d *door) openFirst(in *udp.Datagram, sa *reducer.IKESA) {
	d.mu.Lock()
	o := d.opening[sa.Number]
	if o == nil {
		o = &opening{}
		d.opening[sa.Number] = o
	}
	if o.busy || o.badICV >= d.e.c.Limits.BadICV {
		d.mu.Unlock()
		d.drop("auth-attempts", in)
		return
	}
	o.busy = true
	d.mu.Unlock()
	copied := *in
	copied.Bytes = append([]byte(nil), in.Bytes...)
	ok := d.e.outside.Stranger(func() {
		agreed := d.agree(&copied, sa)
		good := agreed && d.open(&copied, sa, &record.Because{Root: record.Root_ROOT_PEER})
		d.mu.Lock()
		defer d.mu.Unlock()
		o.busy = false
		switch {
		case !agreed:
			o.badICV = d.e.c.Limits.BadICV // no second key exchange: it would fail again
		case !good:
			o.badICV++
		}
	})
	if !ok {
		d.drop("busy", in)
		d.mu.Lock()
		o.busy = false
		d.mu.Unlock()
	}
}

func (d *door) agree(in *udp.Datagram, sa *reducer.IKESA) bool {
	s := sa.SetUp
	err := d.e.work.agree(sa.KeyRef, false, sa.SPIi, sa.SPIr, &reducer.KeyWork{Suite: sa.Suite, Ni: s.Ni, Nr: s.Nr, PeerPublic: s.PeerPublic})
	if err != nil {
		d.drop("key-exchange", in) // drop, and let the half-open SA run out
	}
	return err == nil
}
