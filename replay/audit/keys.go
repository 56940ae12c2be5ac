package audit

import (
	"encoding/binary"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Keys: one SA's, not used after they are destroyed, destroyed with it, never in a record; IVs and SPIs are used once.

// KEY-01: PROTOCOL.md D-22: at Discarded, and at Lingering already.
var key01 = &Rule{ID: "KEY-01", hooks: hooks{after: func(n *now, s *ikeSA) {
	if (s.deathsNow > 0 || s.endedNow) && s.keyRef != 0 {
		n.violation(s, nil, "it is at its end, and key %d is not destroyed", s.keyRef)
	}
}}}

var key02 = &Rule{ID: "KEY-02", hooks: hooks{
	effect: func(n *now, s *ikeSA, e *record.Effect) {
		if s == nil {
			return
		}
		ref := usedKey(e)
		for _, gone := range s.destroyed {
			if ref != 0 && ref == gone {
				n.violation(s, nil, "key %d is used, and was destroyed", ref)
			}
		}
	},
	received: func(n *now, s *ikeSA) {
		if m := n.in; !m.repeat && m.protected && n.acted() && s.keyRef == 0 && len(s.destroyed) > 0 {
			n.violation(s, nil, "%s %d is opened, and the key was destroyed", direction(m.response), m.id)
		}
	},
}}

// usedKey is the key that an effect seals with, or has work done with.
func usedKey(e *record.Effect) uint64 {
	switch k := e.GetKind().(type) {
	case *record.Effect_Record:
		return k.Record.GetKeyRef()
	case *record.Effect_Agree:
		return k.Agree.GetKeyRef()
	case *record.Effect_MakeAuth:
		return k.MakeAuth.GetKeyRef()
	case *record.Effect_CheckAuth:
		return k.CheckAuth.GetKeyRef()
	case *record.Effect_InstallChild:
		return k.InstallChild.GetKeyRef()
	}
	return 0
}

var key03 = &Rule{ID: "KEY-03", hooks: hooks{effect: func(n *now, s *ikeSA, e *record.Effect) {
	if ref := usedKey(e); ref != 0 && s != nil {
		if owner, held := n.j.keys[ref]; held && owner != s.number {
			n.violation(s, nil, "key %d is used, which is ike%d's", ref, owner)
		}
	}
}}}

// ivState is the last explicit IVs of one stream of ours: requests, or responses.
type ivState struct {
	highest uint64
	last    [4]struct {
		iv     uint64
		digest digest
	}
	next uint8
}

func (v *ivState) use(m *message) {
	iv, ok := explicitIV(m.datagram)
	if !ok {
		return
	}
	v.highest = max(v.highest, iv)
	v.last[v.next%4].iv, v.last[v.next%4].digest = iv, m.digest
	v.next++
}

// explicitIV is the 8 octets after the SK or SKF header.
func explicitIV(datagram []byte) (uint64, bool) {
	h, err := ike.ParseHeader(datagram)
	if err != nil {
		return 0, false
	}
	sk, err := ike.ParseSK(datagram, h)
	if err != nil || len(sk.Body) < 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(sk.Body), true
}

// KEY-05: our IVs rise with the message id (DESIGN.md, "Secrets stay out of the journal"); where they do not, only the last
// four can be compared.
var key05 = &Rule{ID: "KEY-05", Limits: "Messages of ours only; of an IV that is no counter, the last four of a direction.",
	hooks: hooks{sent: func(n *now, s *ikeSA, m *message) {
		iv, ok := explicitIV(m.datagram)
		if m.copy || !m.protected || !s.aead || !ok {
			return
		}
		v := &s.ivs[side(m.response)]
		for i := range v.last {
			if used := v.last[i]; i < int(v.next) && used.iv == iv {
				if used.digest != m.digest {
					n.violation(s, nil, "%s %d has the IV %016x of another message", direction(m.response), m.id, iv)
				}
				return
			}
		}
		if v.next > 0 && iv <= v.highest && n.once(s) {
			n.inconclusive(s, "all IVs used before: they are no counter here", "%s %d has the IV %016x, after %016x", direction(m.response), m.id, iv, v.highest)
		}
	}}}
