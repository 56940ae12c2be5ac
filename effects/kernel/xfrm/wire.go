package xfrm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// The kernel's structures are written field by field, padding included, as the compilers of 64-bit machines lay
// linux/xfrm.h out. Numbers are in the host's order; what goes on the wire (SPIs, ports, addresses) in the network's.

// errShort is a message that ends inside a structure.
var errShort = errors.New("ends inside a structure")

// writer appends to octets.
type writer struct{ b []byte }

func (w *writer) u8(v uint8)    { w.b = append(w.b, v) }
func (w *writer) u16(v uint16)  { w.b = binary.NativeEndian.AppendUint16(w.b, v) }
func (w *writer) u32(v uint32)  { w.b = binary.NativeEndian.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64)  { w.b = binary.NativeEndian.AppendUint64(w.b, v) }
func (w *writer) be16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *writer) be32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }
func (w *writer) zero(n int)    { w.b = append(w.b, make([]byte, n)...) }

// addr is an xfrm_address_t: 16 octets, an IPv4 address in the first four; the zero Addr is all zeros.
func (w *writer) addr(a netip.Addr) {
	var octets [16]byte
	copy(octets[:], a.AsSlice())
	w.b = append(w.b, octets[:]...)
}

// attr is one attribute: length and kind, what fill writes, padding to four octets that the length does not count.
func (w *writer) attr(kind uint16, fill func()) {
	start := len(w.b)
	w.u16(0)
	w.u16(kind)
	fill()
	binary.NativeEndian.PutUint16(w.b[start:], uint16(len(w.b)-start))
	w.zero(align4(len(w.b)) - len(w.b))
}

// attr32 is an attribute that is one number, left out where it is 0.
func (w *writer) attr32(kind uint16, v uint32) {
	if v != 0 {
		w.attr(kind, func() { w.u32(v) })
	}
}

// reader takes octets off the front. What is not there reads as zeros, and failed remembers it.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.failed, r.b = true, nil
		return make([]byte, n)
	}
	taken := r.b[:n:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) u8() uint8    { return r.take(1)[0] }
func (r *reader) u16() uint16  { return binary.NativeEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32  { return binary.NativeEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64  { return binary.NativeEndian.Uint64(r.take(8)) }
func (r *reader) be16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) be32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) raw() [16]byte {
	return [16]byte(r.take(16))
}

func (r *reader) err() error {
	if r.failed {
		return errShort
	}
	return nil
}

// attrs gives each attribute of the rest to take, in their order.
func (r *reader) attrs(take func(kind uint16, data *reader) error) error {
	for len(r.b) > 0 && !r.failed {
		length, kind := int(r.u16()), r.u16()&^unix.NLA_F_NESTED
		if length < 4 || length-4 > len(r.b) {
			return errShort
		}
		data := &reader{b: r.take(length - 4)}
		r.take(min(align4(length)-length, len(r.b)))
		if err := take(kind, data); err != nil {
			return fmt.Errorf("attribute %d: %w", kind, err)
		}
		if data.failed {
			return fmt.Errorf("attribute %d: %w", kind, errShort)
		}
	}
	return r.err()
}

func align4(n int) int { return (n + 3) &^ 3 }

// family is the address family of an address; 0 for the zero Addr.
func family(a netip.Addr) uint16 {
	switch {
	case !a.IsValid():
		return unix.AF_UNSPEC
	case a.Is4():
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// addrOf reads an xfrm_address_t of a family; the zero Addr in the family 0.
func addrOf(family uint16, raw [16]byte) (netip.Addr, error) {
	switch family {
	case unix.AF_UNSPEC:
		return netip.Addr{}, nil
	case unix.AF_INET:
		return netip.AddrFrom4([4]byte(raw[:4])), nil
	case unix.AF_INET6:
		return netip.AddrFrom16(raw), nil
	}
	return netip.Addr{}, fmt.Errorf("address family %d is neither IPv4 (2) nor IPv6 (10)", family)
}
