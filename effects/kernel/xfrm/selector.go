package xfrm

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Ports is a range of ports as the kernel has it: those that are Port in the bits of Mask. The zero value is any.
type Ports struct{ Port, Mask uint16 }

// Selector says which packets a state or policy is for (struct xfrm_selector, 56 octets). With Protocol ICMP, ICMPv6 or
// MH, SrcPort is the type and DstPort the code. The zero value is the kernel's "not said".
type Selector struct {
	Src, Dst         netip.Prefix // both of one family; the zero Prefix is all addresses
	SrcPort, DstPort Ports
	Protocol         uint8 // 0 is any
	Interface        int32 // index, 0 is any
	UID              uint32
}

// family of what the selector selects; 0 where it says nothing of addresses.
func (s *Selector) family() uint16 {
	if s.Dst.IsValid() {
		return family(s.Dst.Addr())
	}
	return family(s.Src.Addr())
}

func (s *Selector) write(w *writer) {
	w.addr(s.Dst.Addr())
	w.addr(s.Src.Addr())
	w.be16(s.DstPort.Port)
	w.be16(s.DstPort.Mask)
	w.be16(s.SrcPort.Port)
	w.be16(s.SrcPort.Mask)
	w.u16(s.family())
	w.u8(uint8(max(s.Dst.Bits(), 0)))
	w.u8(uint8(max(s.Src.Bits(), 0)))
	w.u8(s.Protocol)
	w.zero(3)
	w.u32(uint32(s.Interface))
	w.u32(s.UID)
}

func (s *Selector) read(r *reader) error {
	dst, src := r.raw(), r.raw()
	s.DstPort = Ports{r.be16(), r.be16()}
	s.SrcPort = Ports{r.be16(), r.be16()}
	family, dstBits, srcBits := r.u16(), r.u8(), r.u8()
	s.Protocol = r.u8()
	r.take(3)
	s.Interface, s.UID = int32(r.u32()), r.u32()
	var err error
	if s.Dst, err = prefixOf(family, dst, dstBits); err == nil {
		s.Src, err = prefixOf(family, src, srcBits)
	}
	return err
}

// prefixOf reads an address and a length; the zero Prefix in the family 0.
func prefixOf(family uint16, raw [16]byte, bits uint8) (netip.Prefix, error) {
	a, err := addrOf(family, raw)
	if err != nil || family == unix.AF_UNSPEC {
		return netip.Prefix{}, err
	}
	p := netip.PrefixFrom(a, int(bits))
	if !p.IsValid() {
		return p, fmt.Errorf("prefix of %d bits of %v", bits, a)
	}
	return p, nil
}
