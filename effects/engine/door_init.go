package engine

import (
	"errors"
	"net/netip"

	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// IKE_SA_INIT at the door: anybody may send one, so little is done for it before its sender has shown that it receives
// what we send (RFC 7296, section 2.6).

func (d *door) init(in *udp.Datagram, h ike.Header) {
	if h.MessageID != 0 || h.Initiator() == h.Response() {
		d.drop("init-header", in) // the initiator asks, the responder answers (N-04)
		return
	}
	if h.Response() {
		d.initResponse(in, h)
		return
	}
	if h.SPIr != 0 {
		d.drop("init-header", in)
		return
	}
	digest := reducer.Digest(in.Bytes)
	if number, ok := d.e.core.index.answered(digest); ok {
		d.initAgain(in, number, digest)
		return
	}
	var payloads ike.Payloads
	if err := ike.ParsePayloads(h.NextPayload, in.Bytes[ike.HeaderLen:], &payloads); err != nil || ike.CheckSingles(&payloads) != nil {
		d.drop("malformed", in)
		return
	}
	share, nonce, ok := askedFor(&payloads)
	switch {
	case !ok:
		d.drop("malformed", in)
	case d.isPoisonous(digest):
		d.drop("poisoned", in)
	case d.e.State().Ending() != nil:
		d.drop("shutting-down", in)
	case errors.Is(keys.CheckPublic(uint16(share.Group), share.Data), keys.ErrBadPublic):
		d.drop("key-exchange", in) // X-55; a group that we do not have is for the reducer to refuse
	case !d.admit(in, h, &payloads, nonce):
		// counted, and answered where that is due
	case !d.inHand.take(digest, source(in.Remote.Addr())):
		d.drop("in-hand", in)
	default:
		d.makeFresh(in, h, share.Group, digest)
	}
}

// askedFor are the key exchange value and the nonce of an IKE_SA_INIT request whose payloads are all well formed.
func askedFor(payloads *ike.Payloads) (ike.KeyExchange, []byte, bool) {
	sa, ok1 := payloads.First(ike.PayloadSA)
	ke, ok2 := payloads.First(ike.PayloadKE)
	ni, ok3 := payloads.First(ike.PayloadNonce)
	if !ok1 || !ok2 || !ok3 {
		return ike.KeyExchange{}, nil, false
	}
	offer, err1 := ike.ParseSA(sa.Body)
	share, err2 := ike.ParseKeyExchange(ke.Body)
	nonce, err3 := ike.ParseNonce(ni.Body)
	if err1 != nil || err2 != nil || err3 != nil || offer.CheckOffer(0) != nil {
		return ike.KeyExchange{}, nil, false
	}
	return share, nonce.Data, true
}

// initAgain is a request we answered before: the same answer, as long as nothing came after it (PROTOCOL.md, W-19).
func (d *door) initAgain(in *udp.Datagram, number, digest uint64) {
	sa := d.e.State().SA(number)
	if sa == nil || sa.Phase != reducer.HalfOpen {
		d.drop("init-repeated", in)
		return
	}
	if answered, ok := sa.Window.Recorded(0); ok && answered.Request == digest && sa.Window.Answering == nil {
		d.repeat(in, sa, answered)
		return
	}
	d.drop("init-repeated", in)
}

// admit keeps the half-open SAs few: from K-05 on only who returns a cookie, above K-06 nobody.
func (d *door) admit(in *udp.Datagram, h ike.Header, payloads *ike.Payloads, nonce []byte) bool {
	limits := &d.e.c.Limits
	from := source(in.Remote.Addr())
	all, mine := d.e.core.index.crowd(from)
	more, moreMine := d.inHand.crowd(from)
	all, mine = all+more, mine+moreMine
	if all >= limits.HalfOpenMost || mine >= limits.HalfOpenSource {
		d.drop("half-open-limit", in)
		return false
	}
	if all < limits.CookiesAll && mine < limits.CookiesSource {
		return true
	}
	if first := payloads.All()[0]; first.Type == ike.PayloadNotify {
		if n, err := ike.ParseNotify(first.Body); err == nil && n.Type == ike.NotifyCookie &&
			d.cookies.good(n.Data, nonce, h.SPIi, in.Remote.Addr()) {
			return true
		}
	}
	d.drop("cookie-demanded", in)
	d.refuse(in, h, ike.NotifyCookie, d.cookies.make(nonce, h.SPIi, in.Remote.Addr())...)
	return false
}

// makeFresh has the keyring draw what an answer needs, on another core; then the request is an event. A group
// that we do not have is not worth that: the reducer answers it without.
func (d *door) makeFresh(in *udp.Datagram, h ike.Header, group ike.Group, digest uint64) {
	ev, received := event(in, d.e.core.index.bySPI(h.SPIi), digest)
	away := func(cause string) {
		d.inHand.drop(digest)
		d.counts.addCause(cause)
	}
	if group == ike.GroupNone || !keys.Supported(ike.TransformKE, uint16(group), 0) {
		if !d.e.queue.offer(ev) {
			away("busy")
		}
		return
	}
	ok := d.e.outside.Stranger(func() {
		fresh, err := d.e.work.fresh(group)
		if err != nil {
			d.e.c.Log.Error("no key exchange value could be made", "error", err)
			away("keyring")
			return
		}
		received.Fresh = fresh
		if !d.e.queue.offer(ev) {
			d.e.c.Keyring.Destroy(fresh.KeyRef)
			away("busy")
		}
	})
	if !ok {
		away("busy")
	}
}

// initResponse answers a request of ours, as far as anybody can tell.
func (d *door) initResponse(in *udp.Datagram, h ike.Header) {
	number, ok := d.e.core.index.find(h)
	if !ok {
		d.drop("unknown-spi", in)
		return
	}
	sa := d.e.State().SA(number)
	switch {
	case sa == nil || !sa.TakesInit(h.SPIr):
		d.drop("init-answered", in) // W-21
		return
	case in.Remote.Addr().Unmap() != sa.Path.Remote.Addr().Unmap():
		d.drop("init-address", in) // nobody there was asked
		return
	}
	var payloads ike.Payloads
	if err := ike.ParsePayloads(h.NextPayload, in.Bytes[ike.HeaderLen:], &payloads); err != nil || ike.CheckSingles(&payloads) != nil {
		d.drop("malformed", in)
		return
	}
	digest := reducer.Digest(in.Bytes)
	ev, _ := event(in, number, digest)
	if request, ok := sa.Window.Open(0); ok {
		ev.Because = replies(request)
	}
	switch {
	case d.isPoisonous(digest):
		d.drop("poisoned", in)
	case !d.inHand.take(digest, netip.Addr{}):
		d.drop("in-hand", in)
	case !d.paces.init(number) || !d.e.queue.offer(ev):
		d.inHand.drop(digest)
		d.drop("busy", in)
	}
}
