package simulate

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay/simulate/scenario"
)

// What a node that plays the wrong half says: requests with any payloads, and datagrams in the clear.

// bodies are the payloads of a request as a scenario names them: `INF D(c1) D(ike) N(x)`, `CCSA(rekey ike)`.
func (pl *player) bodies(s *scenario.Statement, children []reducer.ChildSA) (bodies []ike.Body, exchange ike.ExchangeType) {
	exchange = ike.INFORMATIONAL
	what := s.Msg.What
	if inside, rest, is := cutExchange(what); is {
		exchange, what = ike.CREATE_CHILD_SA, rest
		bodies = pl.create(inside, children)
	}
	for word := range strings.FieldsSeq(what) {
		switch {
		case word == "D(ike)":
			bodies = append(bodies, ike.Delete{Protocol: ike.ProtocolIKE})
		case strings.HasPrefix(word, "D("):
			for _, c := range children {
				bodies = append(bodies, ike.Delete{Protocol: c.Protocol, SPIs: []uint32{c.InboundSPI}})
				break
			}
		case strings.HasPrefix(word, "N("):
			bodies = append(bodies, ike.Notify{Type: 40000}) // of private use: nobody knows it
		}
	}
	return bodies, exchange
}

// cutExchange takes `CCSA(rekey ike)` from the front.
func cutExchange(what string) (inside, rest string, is bool) {
	if inside, is = strings.CutPrefix(what, "CCSA("); !is {
		return "", what, false
	}
	inside, rest, _ = strings.Cut(inside, ")")
	return inside, rest, true
}

// create are the payloads of a CREATE_CHILD_SA request (sections 1.3.1 to 1.3.3): of a new child, of a rekey of the IKE SA,
// of the first child, or of one whose REKEY_SA is wrong.
func (pl *player) create(what string, children []reducer.ChildSA) []ike.Body {
	nonce := ike.Nonce{Data: make([]byte, 32)}
	if what == "rekey ike" {
		return []ike.Body{ike.SA{Proposals: []ike.Proposal{rekeyProposal}}, nonce, ike.KeyExchange{Group: ike.GroupCurve25519, Data: publicValue(1)}}
	}
	var bodies []ike.Body
	switch what {
	case "rekey bad": // an SPI of a child cannot be so long
		bodies = append(bodies, ike.Notify{Protocol: ike.ProtocolESP, Type: ike.NotifyRekeySA, SPI: []byte{1, 2, 3, 4, 5, 6, 7, 8}})
	case "rekey zero": // a protocol that there is not
		bodies = append(bodies, ike.Notify{Type: ike.NotifyRekeySA, SPI: []byte{1, 2, 3, 4}})
	case "rekey c1":
		for _, c := range children {
			bodies = append(bodies, ike.Notify{Protocol: c.Protocol, Type: ike.NotifyRekeySA, SPI: binary.BigEndian.AppendUint32(nil, c.InboundSPI)})
			break
		}
	}
	everything := []ike.Selector{{Type: ike.TSIPv4AddrRange, EndPort: 0xffff, Start: netip.AddrFrom4([4]byte{}), End: netip.AddrFrom4([4]byte{255, 255, 255, 255})}}
	return append(bodies, ike.SA{Proposals: []ike.Proposal{childProposal}}, nonce, ike.TrafficSelectors{Initiator: true, Selectors: everything},
		ike.TrafficSelectors{Selectors: everything})
}

// childProposal is what a Child SA would be made with.
var childProposal = ike.Proposal{Number: 1, Protocol: ike.ProtocolESP, SPI: []byte{1, 2, 3, 4}, Transforms: []ike.Transform{
	{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 128}, {Type: ike.TransformSN, ID: 0}}}

// rekeyProposal is what an IKE SA would be rekeyed with.
var rekeyProposal = ike.Proposal{Number: 1, Protocol: ike.ProtocolIKE, SPI: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Transforms: []ike.Transform{
	{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 128}, {Type: ike.TransformPRF, ID: ike.PRFHMACSHA2_256},
	{Type: ike.TransformKE, ID: uint16(ike.GroupCurve25519)}}}

// publicValue is a public value of Curve25519 that nobody has the private half of.
func publicValue(i uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{9}, make([]byte, 23)...), i)
}

// stranger is somebody who is not a node; connections of scenarios are open to him.
var stranger = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, 7}), 500)

// raw has somebody who is not a node send datagrams in the clear.
func (pl *player) raw(s *scenario.Statement) {
	to := pl.w.Nodes[0]
	if s.Rest == "to B" {
		to = pl.w.Nodes[1]
	}
	for i := range max(s.Count, 1) {
		m := &message{bytes: pl.rawMessage(s, to, uint64(i)), from: stranger, to: to.Address, at: pl.w.now}
		pl.w.network.deliver(to, time.Duration(1+i)*time.Millisecond, m)
	}
}

// rawMessage is one of them: an IKE_SA_INIT request as it should be, with a message id it may not have, or with the SPIs
// of an SA that is up.
func (pl *player) rawMessage(s *scenario.Statement, to *Node, i uint64) []byte {
	h := ike.Header{SPIi: 0x5eed000000000001 + i, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagInitiator}
	proposal := rekeyProposal
	proposal.SPI = nil
	nonce := binary.BigEndian.AppendUint64(make([]byte, 24), i)
	bodies := []ike.Body{ike.SA{Proposals: []ike.Proposal{proposal}}, ike.KeyExchange{Group: ike.GroupCurve25519, Data: publicValue(2 + i)}, ike.Nonce{Data: nonce}}
	sas := living(to.state())
	if len(sas) > 0 && strings.HasPrefix(s.Word, "bare-") || s.Word == "forged-request" && len(sas) > 0 {
		return rawHeader(s.Word, sas[0])
	}
	switch s.Word {
	case "init-id-7":
		h.MessageID = 7
	case "copied-init", "copied-init-id-7":
		if len(sas) > 0 {
			h.SPIi, h.SPIr = sas[0].SPIi, sas[0].SPIr
		}
		if s.Word == "copied-init-id-7" {
			h.MessageID = 7
		}
	}
	return ike.AppendMessage(nil, h, bodies...)
}

// rawHeader is a header with the SPIs of an SA and the id that its next message has, from one who has no keys: without any
// payload, or with one that is protected by nothing.
func rawHeader(word string, sa *reducer.IKESA) []byte {
	h := ike.Header{SPIi: sa.SPIi, SPIr: sa.SPIr, Major: 2, Exchange: ike.INFORMATIONAL, MessageID: sa.Window.NextIn, Length: ike.HeaderLen}
	if !sa.Initiator {
		h.Flags |= ike.FlagInitiator
	}
	switch word {
	case "bare-response": // to the request that is open
		h.Flags |= ike.FlagResponse
		h.MessageID = sa.Window.NextOut - 1
	case "forged-request":
		h.NextPayload, h.Length = ike.PayloadSK, ike.HeaderLen+36
		return append(append(h.Append(nil), 0, 0, 0, 36), make([]byte, 32)...)
	}
	return h.Append(nil)
}
