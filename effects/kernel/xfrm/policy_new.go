package xfrm

import "github.com/vishvananda/netlink/nl"

// Making a policy (XFRM_MSG_NEWPOLICY, XFRM_MSG_UPDPOLICY).

// NewPolicy makes a policy; EEXIST where one has its selector, direction, mark and interface id, whatever its priority.
func NewPolicy(p *Policy) Message { return p.message(nl.XFRM_MSG_NEWPOLICY) }

// UpdatePolicy makes a policy in the place of such a one, or where there is none.
func UpdatePolicy(p *Policy) Message { return p.message(nl.XFRM_MSG_UPDPOLICY) }

func (p *Policy) message(kind uint16) Message {
	var w writer
	p.writeInfo(&w)
	p.writeAttributes(&w)
	return Message{Kind: kind, Flags: ack, body: KeyOf(w.b)}
}

// DecodePolicy reads the body of an XFRM_MSG_NEWPOLICY or XFRM_MSG_UPDPOLICY, as the kernel answers GetPolicy and
// DumpPolicies.
func DecodePolicy(body []byte) (p Policy, err error) {
	r := &reader{b: body}
	if err := p.readInfo(r); err != nil {
		return Policy{}, err
	}
	if err := r.attrs(p.readAttribute); err != nil {
		return Policy{}, err
	}
	return p, nil
}
