package xfrm

import "github.com/vishvananda/netlink/nl"

// Offload asks a device to do the work; the kernel refuses where it cannot.
type Offload struct {
	Interface int32 // index
	Inbound   bool
	Packet    bool // all of a packet's way, policies included, and not the cryptography alone (Linux 6.2)
}

// Bits of struct xfrm_user_offload's flags.
const (
	offloadInbound = 2
	offloadPacket  = 4
)

// write is struct xfrm_user_offload, 8 octets, or nothing.
func (o *Offload) write(w *writer) {
	if o == nil {
		return
	}
	w.attr(nl.XFRMA_OFFLOAD_DEV, func() {
		w.u32(uint32(o.Interface))
		w.u8(choose(o.Inbound, offloadInbound) | choose(o.Packet, offloadPacket))
		w.zero(3)
	})
}

func readOffload(r *reader) *Offload {
	o := &Offload{Interface: int32(r.u32())}
	flags := r.u8()
	o.Inbound, o.Packet = flags&offloadInbound != 0, flags&offloadPacket != 0
	return o
}
