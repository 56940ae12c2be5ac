package creds

import (
	"bytes"
	"cmp"

	"github.com/ikejd/ikejd/proto/ike"
)

// How well an identity of a secret fits one in an exchange. From not at all to exactly; among wildcards the longer
// text wins.
const (
	noMatch  = 0
	anyMatch = 1
	exact    = 1 << 16
)

// matches compares an owner, which may be a wildcard, with the identity of an exchange. Names are compared without
// regard to case, as those of the DNS are.
func (owner ID) matches(id ID) int {
	switch {
	case owner.Type == anyType:
		return anyMatch
	case owner.Type != id.Type:
		return noMatch
	case owner.Type == uint8(ike.IDDERASN1DN):
		if sameDN(owner.Data, id.Data) {
			return exact
		}
		return noMatch
	case owner.Type != uint8(ike.IDFQDN) && owner.Type != uint8(ike.IDRFC822Addr):
		if bytes.Equal(owner.Data, id.Data) {
			return exact
		}
		return noMatch
	case bytes.EqualFold(owner.Data, id.Data):
		return exact
	}
	rest, wild := bytes.CutPrefix(owner.Data, []byte("*"))
	if !wild || len(id.Data) < len(rest) || !bytes.EqualFold(rest, id.Data[len(id.Data)-len(rest):]) {
		return noMatch
	}
	return anyMatch + len(rest)
}

// fit is how well a secret suits a pair.
type fit struct{ local, remote int }

func (f fit) any() bool { return f.local > noMatch || f.remote > noMatch }

// named counts how many of the two are named, exactly or by a pattern.
func (f fit) named() (n int) {
	if f.local > anyMatch {
		n++
	}
	if f.remote > anyMatch {
		n++
	}
	return n
}

// compare prefers two named over one, then the better match of the peer, who is the one to be told apart.
func (f fit) compare(g fit) int {
	return cmp.Or(cmp.Compare(f.named(), g.named()), cmp.Compare(f.remote, g.remote), cmp.Compare(f.local, g.local))
}

func (s *shared) fit(local, remote ID) fit {
	if len(s.owners) == 0 {
		return fit{anyMatch, anyMatch}
	}
	var f fit
	for _, owner := range s.owners {
		f.local, f.remote = max(f.local, owner.matches(local)), max(f.remote, owner.matches(remote))
	}
	return f
}
