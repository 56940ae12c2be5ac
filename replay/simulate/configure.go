package simulate

import (
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// configure gives each node two connections with every other.
func (w *World) configure() {
	chance := stream(w.Seed, "configuration")
	settings := &record.Settings{}
	if maybe(chance, 0.3) {
		settings.RetransmitSends = uint32(4 + chance.IntN(8))
	}
	for _, n := range w.Nodes {
		n.config = &record.Config{Settings: settings}
		for _, other := range w.Nodes {
			if other == n {
				continue
			}
			for _, name := range []string{"one", "two"} {
				c := connection(n, other, other.Name+"-"+name)
				c.DpdDelay = uint64(between(chance, 10*time.Second, 2*time.Minute))
				if maybe(chance, 0.2) {
					c.Unique = record.Unique(chance.IntN(4))
				}
				n.config.Connections = append(n.config.Connections, c)
			}
		}
	}
}

// connection is one of a node with another, with one Child SA: AES-GCM and Curve25519, which cost least.
func connection(n, peer *Node, name string) *record.Connection {
	suite := []*record.Proposal{{Ciphers: []*record.Cipher{{Id: uint32(ike.EncrAESGCM16), KeyLength: 128}},
		Prfs: []uint32{uint32(ike.PRFHMACSHA2_256)}, Groups: []uint32{uint32(ike.GroupCurve25519)}, SequenceNumbers: []uint32{0}}}
	return &record.Connection{Name: name, LocalAddrs: []string{n.Address.Addr().String()}, RemoteAddrs: []string{peer.Address.Addr().String()},
		Proposals: suite, LocalId: identity(n), RemoteId: identity(peer),
		Children: []*record.Child{{Name: "net", Proposals: suite, LocalTs: network24(n), RemoteTs: network24(peer)}}}
}

func identity(n *Node) *record.Identity {
	return &record.Identity{Type: uint32(ike.IDFQDN), Data: []byte(n.Name + ".example")}
}

func network24(n *Node) []*record.Selector {
	host := n.Address.Addr().As4()[3]
	return []*record.Selector{{EndPort: 0xffff, Start: []byte{10, 0, host, 0}, End: []byte{10, 0, host, 255}}}
}
