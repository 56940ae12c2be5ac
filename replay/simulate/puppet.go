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
	for _, word := range strings.Fields(s.Msg.What) {
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
		case strings.HasPrefix(word, "CCSA("):
			exchange = ike.CREATE_CHILD_SA
			bodies = append(bodies, ike.SA{Proposals: []ike.Proposal{rekeyProposal}}, ike.Nonce{Data: make([]byte, 32)},
				ike.KeyExchange{Group: ike.GroupCurve25519, Data: publicValue(1)})
		}
	}
	return bodies, exchange
}

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
