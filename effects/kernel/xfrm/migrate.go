package xfrm

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
)

// An end that moves (XFRM_MSG_MIGRATE), for MOBIKE (RFC 4555, section 3.5): the policy and the states of its templates get
// other addresses in one go, and no packet meets half of it.

// Move is one template of a policy whose ends move (struct xfrm_user_migrate, 76 octets).
type Move struct {
	OldSrc, OldDst netip.Addr
	NewSrc, NewDst netip.Addr
	Protocol       uint8
	Mode           Mode
	ReqID          uint32
}

// Migration is what moves: a policy, by selector and direction, its templates one by one. The kernel says it too, to all
// who listen.
type Migration struct {
	Policy PolicyID // without Mark, which the kernel does not look at here
	Moves  []Move
	Encap  *Encap // of the states that moved; nil is none any more
}

// Migrate moves a policy and its states. The kernel refuses with ENOPROTOOPT where it was built without, with ENODATA
// or ENOENT where there is nothing to move.
func Migrate(m *Migration) Message {
	var w writer
	m.Policy.write(&w)
	w.attr(nl.XFRMA_MIGRATE, func() {
		for i := range m.Moves {
			m.Moves[i].write(&w)
		}
	})
	m.Encap.write(&w)
	w.attr32(nl.XFRMA_IF_ID, m.Policy.IfID)
	return Message{Kind: nl.XFRM_MSG_MIGRATE, Flags: ack, body: KeyOf(w.b)}
}

// DecodeMigration reads the body of an XFRM_MSG_MIGRATE.
func DecodeMigration(body []byte) (m Migration, err error) {
	r := &reader{b: body}
	if err := m.Policy.read(r); err != nil {
		return Migration{}, err
	}
	err = r.attrs(func(kind uint16, data *reader) (err error) {
		switch kind {
		case nl.XFRMA_MIGRATE:
			for len(data.b) > 0 && err == nil && !data.failed {
				var move Move
				err = move.read(data)
				m.Moves = append(m.Moves, move)
			}
		case nl.XFRMA_ENCAP:
			m.Encap = readEncap(data)
		case nl.XFRMA_IF_ID:
			m.Policy.IfID = data.u32()
		}
		return err
	})
	if err != nil {
		return Migration{}, err
	}
	return m, nil
}

func (v *Move) write(w *writer) {
	w.addr(v.OldDst)
	w.addr(v.OldSrc)
	w.addr(v.NewDst)
	w.addr(v.NewSrc)
	w.u8(v.Protocol)
	w.u8(uint8(v.Mode))
	w.zero(2)
	w.u32(v.ReqID)
	w.u16(family(v.OldDst))
	w.u16(family(v.NewDst))
}

func (v *Move) read(r *reader) error {
	oldDst, oldSrc, newDst, newSrc := r.raw(), r.raw(), r.raw(), r.raw()
	v.Protocol, v.Mode = r.u8(), Mode(r.u8())
	r.take(2)
	v.ReqID = r.u32()
	oldFamily, newFamily := r.u16(), r.u16()
	for _, a := range []struct {
		family uint16
		raw    [16]byte
		to     *netip.Addr
	}{{oldFamily, oldDst, &v.OldDst}, {oldFamily, oldSrc, &v.OldSrc}, {newFamily, newDst, &v.NewDst}, {newFamily, newSrc, &v.NewSrc}} {
		var err error
		if *a.to, err = addrOf(a.family, a.raw); err != nil {
			return err
		}
	}
	return nil
}
