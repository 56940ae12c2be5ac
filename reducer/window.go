package reducer

import (
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
)

// The window of an IKE SA (RFC 7296, sections 2.2 and 2.3) owns the wire: this file and window_in.go alone make Record
// and Resend effects. Other rules queue wishes; a wish becomes a message when its turn comes, built from the state of
// that moment, so nothing overtakes what is still unanswered.

// ourWindow is how many requests of the peer we take at a time: 1, since we announce no other (PROTOCOL.md, W-07).
const ourWindow = 1

// Window is both halves of one IKE SA's window.
type Window struct {
	NextOut  uint32    // id of our next request
	PeerSize uint8     // how many of ours the peer takes at a time; 1 until it says otherwise
	InFlight []Request // unanswered, oldest first. Invariant: ids within PeerSize of the oldest
	Waiting  []Waiting // wishes, first come first served

	NextIn    uint32     // lowest id of the peer's requests we have not answered
	Answered  []Response // recorded responses of the last ourWindow ids
	Answering *Answering // a request whose response waits for the keyring or the kernel
}

// Waiting is a wish in the queue.
type Waiting struct {
	Wish    Wish
	Child   uint64 // the Child SA it is about, if any
	Decided Because
	Wanted  Ref // the Wanted effect
	Ticket  uint64
}

// Request is one of ours that the peer has not answered.
type Request struct {
	ID                  uint32
	Exchange            ike.ExchangeType
	Wish                Waiting
	Recorded            Ref // its Record
	Sends               uint32
	FirstSent, LastSent int64
	Timer               ArmedTimer
}

// Response is one of ours that the peer may ask for again.
type Response struct {
	ID       uint32
	Request  uint64 // digest of the request datagram
	Recorded Ref
	LastCopy int64 // when a copy of the request came last
	Sends    uint32
}

// Answering is a request whose response is not recorded yet: repeats of it are dropped (PROTOCOL.md, W-09).
type Answering struct {
	ID       uint32
	Exchange ike.ExchangeType
	Request  uint64
	Path     Path
}

// message is the content of one message before it has a header.
type message struct {
	exchange ike.ExchangeType
	bodies   []ike.Body
}

func informational(bodies ...ike.Body) message { return message{ike.INFORMATIONAL, bodies} }

// want queues a wish and sends what may go. A wish that already waits or is in flight is not doubled: asked twice is
// asked once.
func (t *step) want(sa *IKESA, w Waiting) {
	if sa.Window.Wants(w.Wish, w.Child) {
		return
	}
	note := Effect{Kind: EffectWanted, SA: sa.Number, Child: w.Child, Wish: w.Wish, Decided: w.Decided}
	if open := sa.Window.InFlight; !sa.Window.open() {
		note.Because = Because{Edge: EdgeBehind, Step: open[0].Recorded.Step, Index: open[0].Recorded.Index}
	}
	w.Wanted = t.order(note)
	sa.Window.Waiting = with(sa.Window.Waiting, w)
	t.pump(sa)
}

// dropWish notes that a wish will never have its turn, by the effect that noted it.
func (t *step) dropWish(sa *IKESA, w Waiting, why string) {
	t.order(Effect{Kind: EffectDropped, SA: sa.Number, Child: w.Child, Text: why,
		Because: Because{Edge: EdgeDecided, Step: w.Wanted.Step, Index: w.Wanted.Index}})
}

// Wants reports whether that wish waits or is in flight.
func (w *Window) Wants(wish Wish, child uint64) bool {
	for _, waiting := range w.Waiting {
		if waiting.Wish == wish && waiting.Child == child {
			return true
		}
	}
	for _, open := range w.InFlight {
		if open.Wish.Wish == wish && open.Wish.Child == child {
			return true
		}
	}
	return false
}

// open reports whether another request may go: id X only when all up to X-N are answered (PROTOCOL.md, W-06).
func (w *Window) open() bool {
	return len(w.InFlight) == 0 || w.NextOut < w.InFlight[0].ID+uint32(w.PeerSize)
}

// pump builds and records the wishes whose turn has come.
func (t *step) pump(sa *IKESA) {
	for sa.Window.open() && len(sa.Window.Waiting) > 0 && !sa.rekeyAlone() {
		w := sa.Window.Waiting[0]
		sa.Window.Waiting = without(sa.Window.Waiting, 0)
		if m, ok := t.build(sa, w); ok {
			t.recordRequest(sa, w, m)
			t.idsEnd(sa)
		}
	}
}

// rekeyAlone keeps the rekeying of the IKE SA, ours or the peer's, and what we ask for apart: it would collide with it, and a
// Delete would overtake it (PROTOCOL.md, D-16).
func (sa *IKESA) rekeyAlone() bool {
	return sa.rekeying() || sa.Serving != nil && sa.Serving.Kind == RekeyedIKE ||
		sa.Window.Waiting[0].Wish == wishRekeyIKE && (len(sa.Window.InFlight) > 0 || sa.childrenMoving())
}

// build makes the message of a wish, from the state of this moment; false when there is nothing left to wish for.
func (t *step) build(sa *IKESA, w Waiting) (message, bool) {
	switch w.Wish {
	case wishInit:
		return t.buildInit(sa), true
	case wishAuth:
		return t.buildAuth(sa), true
	case wishLiveness:
		return informational(), true
	case wishDeleteIKE:
		return t.buildDeleteIKE(sa, w), true
	case wishDeleteChild:
		return t.buildDeleteChild(sa, w)
	case wishRefuseAuth:
		return t.buildRefuseAuth(sa), true
	case wishCreateChild, wishRekeyChild, wishRekeyIKE:
		return t.buildCreateChild(sa, w)
	}
	panic("wish without a message: " + w.Wish.String())
}

// recordRequest gives m the next id, records it and arms its retransmission.
func (t *step) recordRequest(sa *IKESA, w Waiting, m message) {
	id := sa.Window.NextOut
	sa.Window.NextOut++
	sa.Window.InFlight = with(sa.Window.InFlight, Request{ID: id, Exchange: m.exchange, Wish: w})
	t.recordAgain(sa, len(sa.Window.InFlight)-1, m)
}

// recordAgain records m under the id of the i-th request in flight: a new request, or IKE_SA_INIT again with a cookie
// or another group, which keeps id 0 (PROTOCOL.md, W-02).
func (t *step) recordAgain(sa *IKESA, i int, m message) {
	open := slices.Clone(sa.Window.InFlight)
	request := open[i]
	if request.Timer.Kind != noTimer {
		t.order(Effect{Kind: EffectCancelTimer, SA: sa.Number, Timer: retransmitTimer, MessageID: request.ID})
	}
	because := Because{Edge: EdgeServes, Step: request.Wish.Wanted.Step, Index: request.Wish.Wanted.Index}
	request.Recorded = t.record(sa, request.ID, false, m, because, sa.Path)
	request.Sends, request.FirstSent, request.LastSent = 1, t.now, t.now
	request.Timer = t.setRetransmit(sa, request)
	open[i] = request
	sa.Window.InFlight = open
}

// record is the one place where a message of an IKE SA is made.
func (t *step) record(sa *IKESA, id uint32, response bool, m message, because Because, path Path) Ref {
	e := Effect{Kind: EffectRecord, SA: sa.Number, Because: because, MessageID: id, Response: response,
		Exchange: m.exchange, FromInitiator: sa.Initiator, SPIi: sa.SPIi, SPIr: sa.SPIr, Path: path,
		Unprotected: m.exchange == ike.IKE_SA_INIT}
	if !e.Unprotected {
		e.KeyRef = sa.KeyRef
	}
	e.First, e.Payloads = ike.AppendPayloads(nil, m.bodies...)
	if e.Unprotected {
		if response {
			sa.SetUp.Response = e.Message(nil)
		} else {
			sa.SetUp.Request = e.Message(nil)
		}
	}
	return t.order(e)
}

// resend sends a request in flight again: the same bytes, counted.
func (t *step) resend(sa *IKESA, request *Request) {
	request.Sends++
	request.LastSent = t.now
	t.order(Effect{Kind: EffectResend, SA: sa.Number, MessageID: request.ID, Sends: request.Sends, Path: sa.Path,
		Because: Because{Edge: EdgeServes, Step: request.Recorded.Step, Index: request.Recorded.Index}})
}

// requestDone takes request id out of the window: its response is here. The caller has checked what the response says.
func (t *step) requestDone(sa *IKESA, id uint32) (Request, bool) {
	for i, request := range sa.Window.InFlight {
		if request.ID == id {
			t.order(Effect{Kind: EffectCancelTimer, SA: sa.Number, Timer: retransmitTimer, MessageID: id})
			if request.Sends == 1 {
				sa.RTT = smoothed(sa.RTT, t.now-request.FirstSent)
			}
			sa.Window.InFlight = without(sa.Window.InFlight, i)
			return request, true
		}
	}
	return Request{}, false
}

// inFlight is our unanswered request id.
func (w *Window) inFlight(id uint32) (Request, bool) {
	for _, request := range w.InFlight {
		if request.ID == id {
			return request, true
		}
	}
	return Request{}, false
}

// forgetRequests takes every request and every wish of ours out of the window, when an SA ends otherwise than by them.
func (t *step) forgetRequests(sa *IKESA) {
	for _, request := range sa.Window.InFlight {
		if request.Timer.Kind != noTimer {
			t.order(Effect{Kind: EffectCancelTimer, SA: sa.Number, Timer: retransmitTimer, MessageID: request.ID})
		}
	}
	sa.Window.InFlight, sa.Window.Waiting = nil, nil
}

// Message is an unprotected message whole, behind dst: header and payloads.
func (e *Effect) Message(dst []byte) []byte {
	h := e.Header()
	h.NextPayload, h.Length = e.First, uint32(ike.HeaderLen+len(e.Payloads))
	return append(h.Append(dst), e.Payloads...)
}

// Header is the IKE header of a message, but for what sealing decides: next payload and length.
func (e *Effect) Header() ike.Header {
	h := ike.Header{SPIi: e.SPIi, SPIr: e.SPIr, Major: 2, Exchange: e.Exchange, MessageID: e.MessageID}
	if e.FromInitiator {
		h.Flags |= ike.FlagInitiator
	}
	if e.Response {
		h.Flags |= ike.FlagResponse
	}
	return h
}
