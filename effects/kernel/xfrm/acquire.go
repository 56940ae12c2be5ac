package xfrm

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
)

// Acquire is a packet that a policy wants protected and no state protects (XFRM_MSG_ACQUIRE, struct xfrm_user_acquire).
// Until a state with its Seq is made, or net.core.xfrm_acq_expires seconds are over, there is no second one for this traffic.
type Acquire struct {
	Src, Dst netip.Addr // ends of the state that is wanted
	Protocol uint8
	Traffic  Selector // the packet itself
	Policy   Policy   // whose; its Templates say what is wanted
	Seq      uint32
	CPU      *uint32 // the processor that wants one of its own (Linux 6.13)
}

// DecodeAcquire reads the body of an XFRM_MSG_ACQUIRE.
func DecodeAcquire(body []byte) (a Acquire, err error) {
	r := &reader{b: body}
	dst := r.raw()
	r.take(4) // no SPI yet
	a.Protocol = r.u8()
	r.take(3)
	src := r.raw()
	if err := a.Traffic.read(r); err != nil {
		return Acquire{}, fmt.Errorf("traffic: %w", err)
	}
	if err := a.Policy.readInfo(r); err != nil {
		return Acquire{}, fmt.Errorf("policy: %w", err)
	}
	r.take(3 * 4) // algorithms of PF_KEY
	a.Seq = r.u32()
	err = r.attrs(func(kind uint16, data *reader) error {
		if kind == nl.XFRMA_SA_PCPU {
			cpu := data.u32()
			a.CPU = &cpu
		}
		return a.Policy.readAttribute(kind, data)
	})
	if err != nil {
		return Acquire{}, err
	}
	outer := a.Traffic.family() // of the ends: the template's, where there is one
	if len(a.Policy.Templates) > 0 {
		outer = family(a.Policy.Templates[0].Dst)
	}
	if a.Dst, err = addrOf(outer, dst); err != nil {
		return Acquire{}, err
	}
	a.Src, err = addrOf(outer, src)
	return a, err
}
