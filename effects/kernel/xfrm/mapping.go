package xfrm

import "net/netip"

// Mapping is a peer whose NAT gave it another address or port: good packets of an inbound state with encapsulation came from
// elsewhere (XFRM_MSG_MAPPING, struct xfrm_user_mapping, 64 octets). The kernel does nothing about it.
type Mapping struct {
	State    StateID // inbound; Dst is ours
	ReqID    uint32
	Old, New netip.AddrPort // of the peer
}

// DecodeMapping reads the body of an XFRM_MSG_MAPPING.
func DecodeMapping(body []byte) (m Mapping, err error) {
	r := &reader{b: body}
	family, err := m.State.read(r)
	if err != nil {
		return Mapping{}, err
	}
	m.ReqID = r.u32()
	oldRaw, newRaw := r.raw(), r.raw()
	oldPort, newPort := r.be16(), r.be16()
	if err := r.err(); err != nil {
		return Mapping{}, err
	}
	oldAddr, _ := addrOf(family, oldRaw) // the family was good above
	newAddr, _ := addrOf(family, newRaw)
	m.Old, m.New = netip.AddrPortFrom(oldAddr, oldPort), netip.AddrPortFrom(newAddr, newPort)
	return m, nil
}
