package xfrm

import "github.com/vishvananda/netlink/nl"

// Encap is UDP encapsulation (RFC 3948), ports as they are in packets of this state.
type Encap struct{ SrcPort, DstPort uint16 }

const encapESPinUDP = 2 // UDP_ENCAP_ESPINUDP, linux/udp.h

// write is struct xfrm_encap_tmpl, 24 octets, or nothing.
func (e *Encap) write(w *writer) {
	if e == nil {
		return
	}
	w.attr(nl.XFRMA_ENCAP, func() {
		w.u16(encapESPinUDP)
		w.be16(e.SrcPort)
		w.be16(e.DstPort)
		w.zero(2 + 16) // the original address of RFC 3947, which the kernel does not use
	})
}

// readEncap gives nil for an encapsulation that is not ESP in UDP.
func readEncap(r *reader) *Encap {
	kind := r.u16()
	e := &Encap{r.be16(), r.be16()}
	if kind != encapESPinUDP {
		return nil
	}
	return e
}
