package reducer

import (
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
)

// Identities (RFC 7296, section 3.5): types and octets. They are compared whole; names of hosts and mail without regard
// to case.

func identityOf(id ike.Identification) Identity { return Identity{id.Type, string(id.Data)} }

func (id Identity) payload(initiator bool) ike.Identification {
	return ike.Identification{Initiator: initiator, Type: id.Type, Data: []byte(id.Data)}
}

// body is the identity as AUTH covers it (section 2.15).
func (id Identity) Body() []byte { return id.payload(false).AppendBody(nil) }

// allows reports whether the configured identity is that of other; type 0 allows any.
func (id Identity) allows(other Identity) bool {
	switch {
	case id.Type == 0:
		return true
	case id.Type != other.Type:
		return false
	case id.Type == ike.IDFQDN, id.Type == ike.IDRFC822Addr:
		return strings.EqualFold(id.Data, other.Data)
	}
	return id.Data == other.Data
}

// ownIdentity is who we are on a connection: the configured identity, else the address we are at.
func (c Connection) ownIdentity(p Path) Identity {
	if c.LocalID.Type != 0 {
		return c.LocalID
	}
	a := p.Local.Addr().Unmap().WithZone("")
	if a.Is4() {
		return Identity{ike.IDIPv4Addr, string(a.AsSlice())}
	}
	return Identity{ike.IDIPv6Addr, string(a.AsSlice())}
}

// identify finds the connection of the peer that is remote and wants to talk to local (type 0: to whoever we are), among
// those for sa's path and suite. One that names the peer goes before one that takes anybody.
func (t *step) identify(sa *IKESA, remote, local Identity) (Connection, bool) {
	best, rank := Connection{}, 0
	for _, c := range t.s.config.Connections {
		if !c.serves(sa.Path) || !c.RemoteID.allows(remote) || local.Type != 0 && !c.ownIdentity(sa.Path).allows(local) || !c.allowsSuite(sa.Suite) {
			continue
		}
		mine := 1
		if c.RemoteID.Type != 0 {
			mine = 2
		}
		if mine > rank {
			best, rank = c, mine
		}
	}
	return best, rank > 0
}

func (c Connection) allowsSuite(s Suite) bool {
	p := choice(s, ike.ProtocolIKE, 1, nil)
	_, _, ok := choose(p, c.Proposals, ike.ProtocolIKE)
	return ok
}
