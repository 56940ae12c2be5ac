package linux

import (
	"net/netip"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
	"golang.org/x/sys/unix"
)

// Traffic selectors (RFC 7296, section 3.13.1) are ranges of addresses and of ports; the kernel has prefixes and masks. A
// range becomes the fewest of those that cover it exactly: nothing is let in that was not agreed.

// maxSelectors is ours: how many a Child SA may take in one direction. Each is a policy, or three.
const maxSelectors = 256

// traffic is what a child is for, outbound: each pair of a local and a remote selector that can meet in a packet.
func traffic(child *kernel.Child) ([]xfrm.Selector, *kernel.Refusal) {
	var all []xfrm.Selector
	seen := map[xfrm.Selector]bool{}
	for _, local := range child.TSLocal {
		for _, remote := range child.TSRemote {
			if local.Start.Is4() != remote.Start.Is4() || local.Protocol != remote.Protocol && local.Protocol != 0 && remote.Protocol != 0 {
				continue
			}
			protocol := max(local.Protocol, remote.Protocol)
			for _, side := range []kernel.Selector{local, remote} {
				if why := unsayable(side, protocol); why != "" {
					return nil, refuse(kernel.OpInstall, syscall.EOPNOTSUPP, child.InboundSPI, "traffic selector %v: %s", side, why)
				}
			}
			srcPorts, dstPorts := ports(local.StartPort, local.EndPort), ports(remote.StartPort, remote.EndPort)
			for _, src := range prefixes(local.Start, local.End) {
				for _, dst := range prefixes(remote.Start, remote.End) {
					for _, sport := range srcPorts {
						for _, dport := range dstPorts {
							s := xfrm.Selector{Src: src, Dst: dst, SrcPort: sport, DstPort: dport, Protocol: protocol}
							if !seen[s] {
								seen[s] = true
								all = append(all, s)
							}
							if len(all) > maxSelectors {
								return nil, refuse(kernel.OpInstall, syscall.E2BIG, child.InboundSPI,
									"its traffic takes more than %d selectors of the kernel; write ranges of addresses and ports that are prefixes", maxSelectors)
							}
						}
					}
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, refuse(kernel.OpInstall, syscall.EINVAL, child.InboundSPI, "no local traffic selector meets a remote one; name one protocol on both sides")
	}
	return all, nil
}

// unsayable says what of a selector the kernel has no words for.
func unsayable(s kernel.Selector, protocol uint8) string {
	all := s.StartPort == 0 && s.EndPort == 65535
	switch {
	case s.EndPort < s.StartPort:
		return "the kernel cannot tell packets without ports (OPAQUE); take all ports"
	case !all && (protocol == unix.IPPROTO_ICMP || protocol == unix.IPPROTO_ICMPV6 || protocol == unix.IPPROTO_MH):
		return "types and codes are not installed; take all of the protocol"
	}
	return ""
}

// prefixes covers a range of addresses of one family, both ends included.
func prefixes(start, end netip.Addr) (all []netip.Prefix) {
	for len(all) <= maxSelectors {
		for bits := range start.BitLen() + 1 {
			p := netip.PrefixFrom(start, bits)
			if p.Masked().Addr() != start || end.Less(last(p)) {
				continue
			}
			all = append(all, p)
			start = last(p).Next()
			break
		}
		if !start.IsValid() || end.Less(start) {
			break
		}
	}
	return all
}

// last is the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	octets := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(octets); i++ {
		octets[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(octets) // of 4 or 16 octets
	return a
}

// ports covers a range of ports, both ends included.
func ports(start, end uint16) (all []xfrm.Ports) {
	for from := uint32(start); from <= uint32(end); {
		size := uint32(1 << 16)
		for from%size != 0 || from+size-1 > uint32(end) {
			size /= 2
		}
		all = append(all, xfrm.Ports{Port: uint16(from), Mask: uint16(-size)})
		from += size
	}
	return all
}

// priority puts the narrower selector first: addresses before the protocol, that before ports (the lowest number wins).
func priority(s xfrm.Selector) uint32 {
	const widest = 100_000
	narrow := 128 * (s.Src.Bits() + s.Dst.Bits())
	if s.Protocol != 0 {
		narrow += 64
	}
	for mask := uint32(s.SrcPort.Mask)<<16 | uint32(s.DstPort.Mask); mask != 0; mask &= mask - 1 {
		narrow++
	}
	return uint32(widest - narrow)
}
