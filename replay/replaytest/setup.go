package replaytest

import (
	"encoding/binary"
	"net/netip"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Us are the addresses of the scripted daemon.
var (
	Us  = netip.MustParseAddrPort("192.0.2.1:500")
	Us6 = netip.MustParseAddrPort("[2001:db8::1]:500")
)

// path is the way to the connection's peer.
func (s *Script) path(c *reducer.Connection) *record.Path {
	p := reducer.Path{Local: Us, Remote: netip.AddrPortFrom(netip.MustParseAddr(c.RemoteAddrs[0]), 500)}
	if p.Remote.Addr().Is6() {
		p.Local = Us6
	}
	return reducer.PathRecord(p)
}

// Connection is one with a peer at that address, named name.example, with one Child SA.
func Connection(name, peer string) *record.Connection {
	suite := []*record.Proposal{{Ciphers: []*record.Cipher{{Id: uint32(ike.EncrAESGCM16), KeyLength: 256}},
		Prfs: []uint32{uint32(ike.PRFHMACSHA2_256)}, Groups: []uint32{uint32(ike.GroupCurve25519)}, SequenceNumbers: []uint32{0}}}
	return &record.Connection{Name: name, RemoteAddrs: []string{peer}, Proposals: suite,
		LocalId:  &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte("us.example")},
		RemoteId: &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte(name + ".example")},
		Children: []*record.Child{{Name: "net", Proposals: suite,
			LocalTs:  []*record.Selector{{EndPort: 0xffff, Start: []byte{10, 1, 0, 0}, End: []byte{10, 1, 255, 255}}},
			RemoteTs: []*record.Selector{{EndPort: 0xffff, Start: []byte{10, 2, 0, 0}, End: []byte{10, 2, 255, 255}}}}}}
}

func (s *Script) connection(name string) *reducer.Connection {
	s.t.Helper()
	for i, c := range s.state.Config().Connections {
		if c.Name == name {
			return &s.state.Config().Connections[i]
		}
	}
	s.t.Fatalf("no connection %q", name)
	return nil
}

// make counts up and gives octets that nobody else got.
func (s *Script) make(n int) []byte {
	s.fresh++
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.fresh*31 + uint64(i)*7)
	}
	return b
}

func (s *Script) freshShare() *record.Fresh {
	s.fresh++
	return &record.Fresh{KeyRef: s.fresh, Spi: 0x5f3a91c200000000 + s.fresh, Nonce: s.make(32), Group: uint32(ike.GroupCurve25519), Public: s.make(32)}
}

// Initiate asks for an IKE SA of the connection, on the configuration's word, and gives its number. The IKE_SA_INIT
// request is on its way then.
func (s *Script) Initiate(name string) uint64 {
	s.t.Helper()
	s.Event(&record.Event{Because: root(record.Root_ROOT_CONFIGURATION), Kind: &record.Event_InitiateAsked{InitiateAsked: &record.InitiateAsked{
		Connection: name, Path: s.path(s.connection(name))}}})
	number := s.effects[0].SA
	s.peers[number] = &peer{}
	s.Event(&record.Event{IkeSa: number, Because: s.because(record.Edge_EDGE_ANSWERS, reducer.EffectMakeKeyShare, number),
		Kind: &record.Event_KeyShareMade{KeyShareMade: &record.KeyShareMade{Fresh: s.freshShare()}}})
	return number
}

// Up sets up an IKE SA of the connection with its Child SA, us asking.
func (s *Script) Up(name string) uint64 {
	s.t.Helper()
	number := s.Initiate(name)
	s.AnswerInit(number)
	s.AnswerAuth(number)
	s.Authenticated(number, "")
	s.Installed(number, "")
	return number
}

// Installed is the kernel's answer to the order to install the SA's first child: it has it where refusal is empty.
func (s *Script) Installed(number uint64, refusal string) {
	s.t.Helper()
	child := s.state.SA(number).Children[0].Number
	s.Event(&record.Event{IkeSa: number, Because: s.because(record.Edge_EDGE_ANSWERS, reducer.EffectInstallChild, number),
		Kind: &record.Event_ChildInstalled{ChildInstalled: &record.ChildInstalled{ChildSa: child, InboundSpi: 0xc1f20000 + uint32(child), Refusal: refusal}}})
}

// AnswerInit is the peer's IKE_SA_INIT response, and all up to our IKE_AUTH request.
func (s *Script) AnswerInit(number uint64) {
	s.t.Helper()
	sa := s.state.SA(number)
	var asked ike.Payloads
	if err := ike.ParsePayloads(ike.PayloadType(sa.SetUp.Request[16]), sa.SetUp.Request[ike.HeaderLen:], &asked); err != nil {
		s.t.Fatal(err)
	}
	offer, _ := asked.First(ike.PayloadSA)
	s.fresh++
	h := ike.Header{SPIi: sa.SPIi, SPIr: 0x0b77e41000000000 + s.fresh, Major: 2, Exchange: ike.IKE_SA_INIT, Flags: ike.FlagResponse}
	s.received(number, ike.AppendMessage(nil, h, offer, ike.KeyExchange{Group: ike.GroupCurve25519, Data: s.make(32)}, ike.Nonce{Data: s.make(32)}), nil, 0)
	s.Event(&record.Event{IkeSa: number, Because: s.because(record.Edge_EDGE_ANSWERS, reducer.EffectAgree, number), Kind: &record.Event_Agreed{Agreed: &record.Agreed{}}})
	made := s.because(record.Edge_EDGE_ANSWERS, reducer.EffectMakeAuth, number)
	child := s.state.SA(number).Children[0].Number
	s.Event(&record.Event{IkeSa: number, Because: s.because(record.Edge_EDGE_ANSWERS, reducer.EffectAllocateSPI, number),
		Kind: &record.Event_SpiAllocated{SpiAllocated: &record.SPIAllocated{ChildSa: child, Spi: 0xc1f20000 + uint32(child)}}})
	s.Event(&record.Event{IkeSa: number, Because: made, Kind: &record.Event_AuthMade{AuthMade: &record.AuthMade{
		Method: uint32(ike.AuthSharedKey), Auth: s.make(32)}}})
}

// AnswerAuth is the peer's IKE_AUTH response: it takes what we offered.
func (s *Script) AnswerAuth(number uint64) {
	s.t.Helper()
	sa := s.state.SA(number)
	var asked ike.Payloads
	for _, e := range s.effects {
		if e.Kind == reducer.EffectRecord {
			if err := ike.ParsePayloads(e.First, e.Payloads, &asked); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	offer, _ := asked.First(ike.PayloadSA)
	chosen, err := ike.ParseSA(offer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	chosen.Proposals[0].SPI = binary.BigEndian.AppendUint32(nil, 0xd0000000+uint32(number))
	tsi, _ := asked.First(ike.PayloadTSi)
	tsr, _ := asked.First(ike.PayloadTSr)
	s.Answer(number, ike.Identification{Type: sa.RemoteID.Type, Data: []byte(sa.RemoteID.Data)},
		ike.Auth{Method: ike.AuthSharedKey, Data: s.make(32)}, chosen, tsi, tsr)
}

// Authenticated is the keyring's verdict on the peer's AUTH: good where problem is empty.
func (s *Script) Authenticated(number uint64, problem string) {
	s.t.Helper()
	s.Event(&record.Event{IkeSa: number, Because: s.because(record.Edge_EDGE_ANSWERS, reducer.EffectCheckAuth, number),
		Kind: &record.Event_Authenticated{Authenticated: &record.Authenticated{Good: problem == "", Reason: problem,
			Method: uint32(ike.AuthSharedKey), Auth: s.make(32), Others: s.others(number)}}})
}

// others are the SAs between the same identities.
func (s *Script) others(number uint64) []uint64 {
	var all []uint64
	sa := s.state.SA(number)
	s.state.EachSA(0, func(other *reducer.IKESA) bool {
		if other.Number != number && other.LocalID == sa.LocalID && other.RemoteID == sa.RemoteID && other.Phase == reducer.Established {
			all = append(all, other.Number)
		}
		return true
	})
	return all
}
