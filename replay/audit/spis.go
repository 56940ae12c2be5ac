package audit

import (
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// KEY-06: SPIs of ours are not 0 and not used again. IKE SPIs are remembered for a day or two in Bloom filters, the last
// 1,024 exactly; child SPIs while they are in use.

const (
	bloomBits  = 1 << 23
	bloomTries = 4
	lastSPIs   = 1024
	day        = 24 * 60 * minute
)

// spiSet is the IKE SPIs of ours: two generations of a day each.
type spiSet struct {
	bits  [2][]uint64
	began int64
	last  map[uint64]uint64 // to the SA
	ring  []uint64
	next  int
}

func (b *spiSet) places(spi uint64) [bloomTries]uint64 {
	h := spi * 0x9e3779b97f4a7c15 // SPIs are random, but for those of a test
	h ^= h >> 29
	var at [bloomTries]uint64
	for i := range at {
		at[i] = (h + uint64(i)*(h>>32|1)) % bloomBits
	}
	return at
}

// used says whether spi was used before: for certain by whom, else perhaps; and notes it.
func (b *spiSet) used(spi, by uint64, time int64) (owner uint64, perhaps bool) {
	if b.bits[0] == nil || time-b.began > day {
		b.bits[1], b.bits[0], b.began = b.bits[0], make([]uint64, bloomBits/64), time
	}
	if b.last == nil {
		b.last = map[uint64]uint64{}
	}
	owner = b.last[spi]
	places := b.places(spi)
	for _, generation := range b.bits {
		all := generation != nil
		for _, p := range places {
			all = all && generation[p/64]&(1<<(p%64)) != 0
		}
		perhaps = perhaps || all
	}
	for _, p := range places {
		b.bits[0][p/64] |= 1 << (p % 64)
	}
	if owner == 0 {
		if len(b.ring) < lastSPIs {
			b.ring = append(b.ring, spi)
		} else {
			delete(b.last, b.ring[b.next])
			b.ring[b.next] = spi
			b.next = (b.next + 1) % lastSPIs
		}
		b.last[spi] = by
	}
	return owner, perhaps
}

var key06 = &Rule{ID: "KEY-06", hooks: hooks{
	sent: func(n *now, s *ikeSA, m *message) {
		if m.copy || m.exchange != ike.IKE_SA_INIT || !m.response && s.spiI != 0 {
			return
		}
		spi := m.spiI
		if m.response {
			spi = m.spiR
		}
		if spi == 0 {
			n.violation(s, nil, "our SPI is 0")
			return
		}
		switch owner, perhaps := n.j.spis.used(spi, s.number, n.time); {
		case owner != 0 && owner != s.number:
			n.violation(s, nil, "our SPI %016x was ike%d's", spi, owner)
		case perhaps && owner == 0:
			n.inconclusive(s, "all SPIs of the day: the filter only says perhaps", "our SPI %016x may have been used before", spi)
		}
	},
	record: func(n *now) {
		s := n.a.table.find(n.ev.GetIkeSa())
		switch k := n.ev.GetKind().(type) {
		case *record.Event_SpiAllocated:
			if k.SpiAllocated.GetFailure() == "" && k.SpiAllocated.GetSpi() == 0 {
				n.violation(s, nil, "the SPI allocated for child%d is 0", k.SpiAllocated.GetChildSa())
			}
		case *record.Event_ChildInstalled:
			i := k.ChildInstalled
			if i.GetRefusal() != "" {
				return
			}
			if owner, taken := n.j.childSPIs[i.GetInboundSpi()]; taken && owner != i.GetChildSa() || i.GetInboundSpi() == 0 {
				n.violation(s, nil, "child%d receives on SPI %08x, which is 0 or child%d's", i.GetChildSa(), i.GetInboundSpi(), owner)
			}
		}
	},
}}
