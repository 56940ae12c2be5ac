package xfrm

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
)

// PolicyDirection is where a packet is met (XFRM_POLICY_*).
type PolicyDirection uint8

// The directions. What was in a tunnel and is not for this host meets the forward policy, not the inbound one.
const (
	PolicyIn      PolicyDirection = 0
	PolicyOut     PolicyDirection = 1
	PolicyForward PolicyDirection = 2
)

// Template says what a state must be like to serve a policy (struct xfrm_user_tmpl, 64 octets).
type Template struct {
	Src, Dst netip.Addr // the ends; the zero Addr, or an unspecified one, is any
	SPI      uint32     // 0 is any
	Protocol uint8
	Mode     Mode
	ReqID    uint32 // 0 is any
	Optional bool   // without such a state packets pass in clear
}

// Policy is what becomes of the packets that its selector selects (struct xfrm_userpolicy_info and its attributes). With
// templates they are protected, without they pass in clear, or not at all where Block is set.
type Policy struct {
	Selector  Selector
	Direction PolicyDirection
	Priority  uint32 // the lowest number wins
	Index     uint32 // the kernel's own name; 0 in a new one
	Block     bool
	Flags     uint8
	Limits    Limits
	Templates []Template
	Mark      Mark
	IfID      uint32
	Offload   *Offload // the device that does packet offload (Linux 6.2)

	Usage Usage
}

// anyAlgorithms lets a template take all algorithms: what they are was IKE's to say.
const anyAlgorithms = ^uint32(0)

func (p *Policy) writeInfo(w *writer) {
	p.Selector.write(w)
	p.Limits.write(w)
	(&Usage{}).write(w)
	w.u32(p.Priority)
	w.u32(p.Index)
	w.u8(uint8(p.Direction))
	w.u8(choose(p.Block, 1))
	w.u8(p.Flags)
	w.zero(1 + 4) // any share
}

func (p *Policy) readInfo(r *reader) error {
	if err := p.Selector.read(r); err != nil {
		return fmt.Errorf("selector: %w", err)
	}
	p.Limits.read(r)
	p.Usage.read(r)
	p.Priority, p.Index = r.u32(), r.u32()
	p.Direction, p.Block, p.Flags = PolicyDirection(r.u8()), r.u8() != 0, r.u8()
	r.take(1 + 4)
	return r.err()
}

// writeAttributes writes them in the order of `ip xfrm policy add`.
func (p *Policy) writeAttributes(w *writer) {
	if len(p.Templates) > 0 {
		w.attr(nl.XFRMA_TMPL, func() {
			for i := range p.Templates {
				p.Templates[i].write(w)
			}
		})
	}
	p.Mark.write(w)
	w.attr32(nl.XFRMA_IF_ID, p.IfID)
	p.Offload.write(w)
}

func (p *Policy) readAttribute(kind uint16, r *reader) (err error) {
	switch kind {
	case nl.XFRMA_TMPL:
		for len(r.b) > 0 && err == nil && !r.failed {
			var t Template
			err = t.read(r)
			p.Templates = append(p.Templates, t)
		}
	case nl.XFRMA_MARK:
		p.Mark.read(r)
	case nl.XFRMA_IF_ID:
		p.IfID = r.u32()
	case nl.XFRMA_OFFLOAD_DEV:
		p.Offload = readOffload(r)
	}
	return err
}

func (t *Template) write(w *writer) {
	w.addr(t.Dst)
	w.be32(t.SPI)
	w.u8(t.Protocol)
	w.zero(3)
	w.u16(family(t.Dst))
	w.zero(2)
	w.addr(t.Src)
	w.u32(t.ReqID)
	w.u8(uint8(t.Mode))
	w.u8(0) // any share
	w.u8(choose(t.Optional, 1))
	w.zero(1)
	for range 3 {
		w.u32(anyAlgorithms)
	}
}

func (t *Template) read(r *reader) error {
	dst := r.raw()
	t.SPI, t.Protocol = r.be32(), r.u8()
	r.take(3)
	family := r.u16()
	r.take(2)
	src := r.raw()
	t.ReqID, t.Mode = r.u32(), Mode(r.u8())
	r.take(1)
	t.Optional = r.u8() != 0
	r.take(1 + 3*4)
	var err error
	if t.Dst, err = addrOf(family, dst); err == nil {
		t.Src, err = addrOf(family, src)
	}
	return err
}
