package reducer

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What comes in, sorted by exchange and by the SA's phase (PROTOCOL.md, section X and rows D-40 to D-45). The door has
// checked form, SPIs and ICV; what depends on the State is checked here again, since the State may have moved since.

func (t *step) datagramReceived(ev *record.DatagramReceived) {
	h, err := ike.ParseHeader(ev.GetDatagram())
	if err != nil {
		t.drop(err.Error())
		return
	}
	var payloads ike.Payloads
	if h.Exchange == ike.IKE_SA_INIT {
		err = ike.ParsePayloads(h.NextPayload, ev.GetDatagram()[ike.HeaderLen:], &payloads)
		if err == nil {
			err = ike.CheckSingles(&payloads)
		}
		t.initReceived(ev, h, &payloads, err)
		return
	}
	sa, ok := t.sa(t.ev.GetIkeSa())
	if !ok || sa.SPIi != h.SPIi || sa.SPIr != h.SPIr {
		t.drop("no such ike sa")
		return
	}
	if h.Initiator() == sa.Initiator {
		t.drop("our own message came back") // PROTOCOL.md, N-38
		return
	}
	err = ike.ParseOpened(ike.PayloadType(ev.GetFirstPayload()), ev.GetOpened(), &payloads)
	if err == nil {
		err = ike.CheckSingles(&payloads)
	}
	if h.Response() {
		t.responseReceived(sa, h, &payloads, err)
	} else {
		t.requestReceived(sa, h, &payloads, err)
	}
}

// errInitHeader: PROTOCOL.md, N-04.
const errInitHeader = ike.Malformed("ids, SPIs or flags are not those of IKE_SA_INIT")

// initReceived takes an IKE_SA_INIT message. A malformed one is dropped: INVALID_SYNTAX is never said in the clear.
func (t *step) initReceived(ev *record.DatagramReceived, h ike.Header, payloads *ike.Payloads, malformed error) {
	if malformed == nil && (h.MessageID != 0 || h.SPIi == 0 || h.Initiator() == h.Response() || !h.Response() && h.SPIr != 0) {
		malformed = errInitHeader
	}
	if !h.Response() {
		if malformed != nil {
			t.drop(malformed.Error())
			t.destroy(ev.GetFresh().GetKeyRef())
			return
		}
		t.serveInit(ev, h, payloads)
		return
	}
	sa, ok := t.sa(t.ev.GetIkeSa())
	switch {
	case !ok || !sa.Initiator || sa.SPIi != h.SPIi:
		t.drop("no such ike sa")
	case malformed != nil:
		t.drop(malformed.Error())
	default:
		t.initAnswered(sa, h, payloads)
	}
}

// responseReceived matches a response by its id to the request that asked (section 2.2).
func (t *step) responseReceived(sa IKESA, h ike.Header, payloads *ike.Payloads, malformed error) {
	request, ok := sa.Window.inFlight(h.MessageID)
	if !ok || request.Exchange != h.Exchange {
		t.drop("nothing asked for this response")
		return
	}
	t.heard(&sa)
	critical := false
	if malformed == nil {
		_, critical = ike.UnknownCritical(payloads)
		windowSaid(&sa.Window, payloads)
	}
	switch request.Wish.Wish {
	case wishAuth:
		if malformed != nil || critical {
			t.authResponseDamaged(sa, malformed)
			return
		}
		t.authAnswered(sa, payloads)
	case wishDeleteIKE:
		t.ikeDeleteAnswered(sa, h.MessageID) // what it carries does not matter, once it is authentic (PROTOCOL.md, D-04)
	case wishRefuseAuth:
		t.requestDone(&sa, h.MessageID)
		t.failSetUp(sa, Refused, sa.Detail)
	case wishCreateChild, wishRekeyChild, wishRekeyIKE:
		t.createChildAnswered(sa, request, payloads, malformed)
	case wishDeleteChild, wishLiveness:
		t.informationalAnswered(sa, request, payloads, malformed)
	default:
		panic("response to a request of " + request.Wish.Wish.String())
	}
}

// authResponseDamaged: the peer holds an SA by now, so it is told what was wrong (PROTOCOL.md, X-35).
func (t *step) authResponseDamaged(sa IKESA, malformed error) {
	t.requestDone(&sa, sa.Window.NextOut-1)
	if malformed != nil {
		t.refuseAuth(sa, ike.NotifyInvalidSyntax, "malformed IKE_AUTH response")
		return
	}
	t.refuseAuth(sa, ike.NotifyUnsupportedCriticalPayload, "unknown critical payload in the IKE_AUTH response")
}

// requestReceived takes a protected request of the peer.
func (t *step) requestReceived(sa IKESA, h ike.Header, payloads *ike.Payloads, malformed error) {
	ev := t.ev.GetDatagramReceived()
	to := Answering{ID: h.MessageID, Exchange: h.Exchange, Request: ev.GetDigest(), Path: pathOf(ev.GetPath())}
	switch {
	case !sa.Window.Takes(h.MessageID):
		t.drop("message id outside the window")
		return
	case sa.Phase == Lingering:
		t.drop("lingering") // PROTOCOL.md, D-44
		return
	case sa.Phase == HalfOpen && sa.Initiator:
		t.drop("the peer may not ask before it knows us")
		return
	case sa.Phase == HalfOpen && h.Exchange != ike.IKE_AUTH:
		t.drop("early-exchange")
		return
	case sa.Phase == HalfOpen && (sa.SetUp.Stage != InitAnswered || t.s.ending != nil):
		t.drop("ike_auth at a wrong time") // X-09, D-23
		return
	case sa.Phase >= Established && h.Exchange == ike.IKE_AUTH:
		t.drop("ike_auth is over")
		return
	case h.Exchange != ike.IKE_AUTH && h.Exchange != ike.INFORMATIONAL && h.Exchange != ike.CREATE_CHILD_SA:
		t.drop("unknown exchange")
		return
	}
	t.heard(&sa)
	t.followPath(&sa, to.Path)
	if malformed != nil {
		t.closeWith(sa, to, ike.NotifyInvalidSyntax, nil, malformed.Error())
		return
	}
	if critical, ok := ike.UnknownCritical(payloads); ok {
		t.criticalUnknown(sa, to, critical)
		return
	}
	windowSaid(&sa.Window, payloads)
	switch h.Exchange {
	case ike.IKE_AUTH:
		t.serveAuth(sa, to, payloads)
	case ike.INFORMATIONAL:
		t.serveInformational(sa, to, payloads)
	case ike.CREATE_CHILD_SA:
		t.serveCreateChild(sa, to, payloads)
	}
}

// criticalUnknown refuses a payload we do not know and must (section 2.5): before authentication that ends the SA,
// later it does not.
func (t *step) criticalUnknown(sa IKESA, to Answering, critical ike.PayloadType) {
	if sa.Phase < Established {
		t.closeWith(sa, to, ike.NotifyUnsupportedCriticalPayload, []byte{byte(critical)}, "unknown critical payload")
		return
	}
	t.respond(&sa, to, ike.Notify{Type: ike.NotifyUnsupportedCriticalPayload, Data: []byte{byte(critical)}})
	t.put(sa)
}

// heard notes that the peer is alive: a fresh authentic message of it came.
func (t *step) heard(sa *IKESA) { sa.LastHeard = t.now }

// followPath moves the address of a peer behind a NAT to where its newest request came from (section 2.23; PROTOCOL.md,
// W-22). A repeat does not come here, and what is older than the window was dropped.
func (t *step) followPath(sa *IKESA, p Path) {
	if sa.RemoteNAT && !sa.LocalNAT && sa.Phase >= Established {
		sa.Path = p
	}
}
