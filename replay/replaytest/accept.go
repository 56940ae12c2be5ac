package replaytest

import (
	"encoding/binary"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// The peer asks: sets up an IKE SA with us.

// Asked is the peer's IKE_SA_INIT request for a connection; the SA is half-open then.
func (s *Script) Asked(name string) uint64 {
	s.t.Helper()
	c := s.connection(name)
	number := s.next()
	s.fresh++
	h := ike.Header{SPIi: 0xa11ce00000000000 + s.fresh, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagInitiator}
	datagram := ike.AppendMessage(nil, h, offer(c.Proposals[0], ike.ProtocolIKE, nil),
		ike.KeyExchange{Group: ike.GroupCurve25519, Data: s.make(32)}, ike.Nonce{Data: s.make(32)})
	s.Event(&record.Event{Because: root(record.Root_ROOT_PEER), Kind: &record.Event_DatagramReceived{DatagramReceived: &record.DatagramReceived{
		Path: s.path(c), Datagram: datagram, Digest: reducer.Digest(datagram),
		Fresh: s.freshShare()}}})
	if s.state.SA(number) == nil {
		s.t.Fatalf("the IKE_SA_INIT request was not served: %+v", s.effects)
	}
	s.peers[number] = &peer{next: 1}
	return number
}

// next is the number that the next IKE SA gets.
func (s *Script) next() uint64 { return s.state.Snapshot().GetNextIke() }

// Accept sets up an IKE SA with its Child SA, the peer asking; firstContact adds INITIAL_CONTACT.
func (s *Script) Accept(name string, firstContact bool) uint64 {
	s.t.Helper()
	number := s.Asked(name)
	s.AuthAsked(number, name+".example", firstContact)
	s.Authenticated(number, "")
	s.Installed(number, "")
	return number
}

// AuthAsked is the peer's IKE_AUTH request under that name.
func (s *Script) AuthAsked(number uint64, identity string, firstContact bool) {
	s.t.Helper()
	sa := s.state.SA(number)
	c := s.connection(sa.Connection)
	bodies := []ike.Body{ike.Identification{Initiator: true, Type: ike.IDFQDN, Data: []byte(identity)}}
	if firstContact {
		bodies = append(bodies, ike.Notify{Type: ike.NotifyInitialContact})
	}
	bodies = append(bodies, ike.Auth{Method: ike.AuthSharedKey, Data: s.make(32)},
		offer(c.Children[0].Proposals[0], ike.ProtocolESP, binary.BigEndian.AppendUint32(nil, 0xd0000000+uint32(number))),
		ike.TrafficSelectors{Initiator: true, Selectors: c.Children[0].RemoteTS}, ike.TrafficSelectors{Selectors: c.Children[0].LocalTS})
	s.PeerAsks(number, ike.IKE_AUTH, bodies...)
}

// offer is a proposal with the first transform of each kind.
func offer(p reducer.Proposal, protocol ike.ProtocolID, spi []byte) ike.SA {
	transforms := []ike.Transform{{Type: ike.TransformENCR, ID: p.Ciphers[0].ID, KeyLength: p.Ciphers[0].KeyLength}}
	if protocol == ike.ProtocolIKE {
		transforms = append(transforms, ike.Transform{Type: ike.TransformPRF, ID: p.PRFs[0]},
			ike.Transform{Type: ike.TransformKE, ID: uint16(p.Groups[0])})
	} else {
		transforms = append(transforms, ike.Transform{Type: ike.TransformSN})
	}
	return ike.SA{Proposals: []ike.Proposal{{Number: 1, Protocol: protocol, SPI: spi, Transforms: transforms}}}
}
