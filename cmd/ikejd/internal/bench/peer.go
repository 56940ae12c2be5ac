package bench

import (
	"slices"

	"github.com/ikejd/ikejd/effects/udp"
	"github.com/ikejd/ikejd/proto/ike"
)

// What the responder asks of us while an SA is up: whether we live, that an SA is deleted, that one is rekeyed (RFC 7296,
// sections 1.4, 1.4.1 and 1.3). It is answered in every phase, else the responder would give the SA up.

// Asked counts the responder's requests.
type Asked struct {
	Answered int // all of them, repeats not counted
	Deleted  int // SAs that the responder deleted before we did
	Children int // Child SAs that it deleted alone
	Refused  int // new SAs, and rekeying: this initiator makes none
}

// asked answers one request, with the same octets when it comes again.
func (g *generator) asked(s *sa, h ike.Header, datagram []byte) {
	again := s.answer != nil && h.MessageID+1 == s.expected
	if s.spir == 0 || h.SPIr != s.spir || !again && h.MessageID != s.expected {
		return
	}
	var payloads ike.Payloads
	if g.open(s, datagram, &payloads) != nil {
		return // not authentic, or not to be read
	}
	if !again {
		bodies, gone := g.answerTo(s, h.Exchange, &payloads)
		answer, err := g.seal(s, ike.FlagResponse, h.Exchange, h.MessageID, bodies...)
		if err != nil {
			return // its keys are destroyed: it was deleted
		}
		s.answer, s.expected = answer, h.MessageID+1
		g.peer.Answered++
		if gone {
			g.deletedByPeer(s)
		}
	}
	g.out = append(g.out, udp.Outgoing{Local: s.local, Remote: s.remote, Bytes: s.answer})
}

// answerTo is what the answer holds, and whether the request ends the IKE SA.
func (g *generator) answerTo(s *sa, exchange ike.ExchangeType, request *ike.Payloads) (bodies []ike.Body, gone bool) {
	if exchange != ike.INFORMATIONAL {
		g.peer.Refused++
		return []ike.Body{ike.NewNotify(ike.NotifyNoAdditionalSAs, nil)}, false
	}
	for _, p := range request.All() {
		if p.Type != ike.PayloadDelete {
			continue
		}
		d, err := ike.ParseDelete(p.Body)
		switch {
		case err != nil:
		case d.Protocol == ike.ProtocolIKE:
			return nil, true
		case d.Protocol == ike.ProtocolESP && s.child != 0 && slices.Contains(d.SPIs, s.child):
			s.child = 0
			g.peer.Children++ // the answer deletes the one of the other direction
			bodies = append(bodies, ike.Delete{Protocol: ike.ProtocolESP, SPIs: []uint32{g.childSPI(s)}})
		}
	}
	return bodies, false
}

// deletedByPeer ends an SA. Its keys stay, for repeats of the Delete. A Delete of ours that crossed it is still answered
// (section 2.25.1 leaves both sides their exchange); any other request is not.
func (g *generator) deletedByPeer(s *sa) {
	if g.phase.name == deleting && s.waiting != nil {
		return
	}
	if s.up {
		g.peer.Deleted++
	}
	s.up = false
	if s.waiting != nil {
		g.ended(s, errDeleted)
	}
}
