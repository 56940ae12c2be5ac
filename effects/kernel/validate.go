package kernel

import (
	"fmt"
	"net/netip"
	"syscall"
)

// What is refused by looking at a request alone, whatever is installed: what Linux refuses, and more.
// Reserved SPIs Linux gives out when asked (seen with 6.18); that ESP without integrity, or encapsulation
// to port 0, is refused too is our reading of the RFCs named. A dataplane on a kernel checks these with Check.

const (
	// RFC 4303, section 2.1: 1 to 255 are reserved by IANA, 0 is local.
	minSPI, maxSPI uint32 = 0x100, 0xffffffff
	// XFRMA_REPLAY_ESN_VAL_MAX bounds Linux's bitmap: 4,096 packets.
	maxReplayWindow = 4096
)

// refuse makes a refusal.
func refuse(op Op, errno syscall.Errno, spi uint32, format string, args ...any) *Refusal {
	return &Refusal{Op: op, Errno: errno, SPI: spi, Why: fmt.Sprintf(format, args...)}
}

// checkEnds looks at the protocol and the two addresses.
func checkEnds(op Op, protocol Protocol, local, remote netip.Addr, spi uint32) *Refusal {
	switch {
	case protocol != ESP && protocol != AH:
		return refuse(op, syscall.EINVAL, spi, "protocol %d is neither ESP (50) nor AH (51)", protocol)
	case !local.IsValid() || !remote.IsValid() || local.IsUnspecified() || remote.IsUnspecified():
		return refuse(op, syscall.EINVAL, spi, "from %v to %v: both ends need an address", local, remote)
	case local.Unmap().Is4() != remote.Unmap().Is4():
		return refuse(op, syscall.EAFNOSUPPORT, spi, "from %v to %v: one family only", local, remote)
	}
	return nil
}

// Check looks at a Child SA by itself, before what is installed: every dataplane refuses what it refuses, with a *Refusal.
func (c *Child) Check() error {
	if r := c.check(); r != nil {
		return r
	}
	return nil
}

func (c *Child) check() *Refusal {
	spi := c.InboundSPI
	no := func(errno syscall.Errno, format string, args ...any) *Refusal {
		return refuse(OpInstall, errno, spi, format, args...)
	}
	if r := checkEnds(OpInstall, c.Protocol, c.Local, c.Remote, spi); r != nil {
		return r
	}
	switch {
	case c.InboundSPI < minSPI || c.OutboundSPI < minSPI:
		return no(syscall.EINVAL, "SPIs 0x%08x in, 0x%08x out: 0 to 0xff are reserved", c.InboundSPI, c.OutboundSPI)
	case c.Mode != Tunnel && c.Mode != Transport:
		return no(syscall.EINVAL, "mode %d is neither tunnel (0) nor transport (1)", c.Mode)
	case c.ReplayWindow > maxReplayWindow:
		return no(syscall.EINVAL, "replay window %d; at most %d", c.ReplayWindow, maxReplayWindow)
	case c.ESN && c.ReplayWindow == 0:
		return no(syscall.EINVAL, "extended sequence numbers need a replay window")
	case c.Encap != nil && c.Protocol == AH:
		// RFC 3948 has UDP encapsulation of ESP only: a NAT breaks what AH protects.
		return no(syscall.EINVAL, "AH cannot pass a NAT; propose ESP")
	case c.Encap != nil && (c.Encap.LocalPort == 0 || c.Encap.RemotePort == 0):
		return no(syscall.EINVAL, "UDP encapsulation from port %d to port %d", c.Encap.LocalPort, c.Encap.RemotePort)
	}
	p, reason, unknown := protectionOf(c)
	switch {
	case unknown:
		return no(syscall.ENOSYS, "%s", reason)
	case reason != "":
		return no(syscall.EINVAL, "%s", reason)
	}
	for _, d := range []struct {
		name string
		keys Keys
	}{{"inbound", c.KeysIn}, {"outbound", c.KeysOut}} {
		if len(d.keys.EncrKey) != p.encr || len(d.keys.IntegKey) != p.integ {
			return no(syscall.EINVAL, "%s keys of %d and %d octets; the algorithms take %d and %d",
				d.name, len(d.keys.EncrKey), len(d.keys.IntegKey), p.encr, p.integ)
		}
	}
	return c.checkSelectors()
}

// checkSelectors looks at the traffic: a policy needs both sides, in one family, that of the ends in
// transport mode.
func (c *Child) checkSelectors() *Refusal {
	if len(c.TSLocal) == 0 || len(c.TSRemote) == 0 {
		return refuse(OpInstall, syscall.EINVAL, c.InboundSPI, "%d local and %d remote traffic selectors; each side needs one",
			len(c.TSLocal), len(c.TSRemote))
	}
	families := map[bool]int{} // is IPv4 -> sides that have it
	for _, side := range [][]Selector{c.TSLocal, c.TSRemote} {
		has := map[bool]bool{}
		for _, ts := range side {
			if r := c.checkSelector(ts); r != nil {
				return r
			}
			has[ts.Start.Is4()] = true
		}
		for is4 := range has {
			families[is4]++
		}
	}
	if families[true] != 2 && families[false] != 2 {
		return refuse(OpInstall, syscall.EAFNOSUPPORT, c.InboundSPI, "no family has traffic selectors on both sides")
	}
	return nil
}

// checkSelector looks at one of them.
func (c *Child) checkSelector(ts Selector) *Refusal {
	no := func(errno syscall.Errno, why string) *Refusal {
		return refuse(OpInstall, errno, c.InboundSPI, "traffic selector %v: %s", ts, why)
	}
	opaque := ts.StartPort == 65535 && ts.EndPort == 0 // RFC 7296, section 3.13.1
	switch {
	case !ts.Start.IsValid() || !ts.End.IsValid():
		return no(syscall.EINVAL, "no address")
	case ts.Start.Is4() != ts.End.Is4():
		return no(syscall.EAFNOSUPPORT, "one family only")
	case ts.End.Less(ts.Start):
		return no(syscall.EINVAL, "ends before it starts")
	case ts.EndPort < ts.StartPort && !opaque:
		return no(syscall.EINVAL, "ports end before they start")
	case c.Mode == Transport && ts.Start.Is4() != c.Local.Unmap().Is4():
		return no(syscall.EAFNOSUPPORT, "transport mode carries the family of its ends")
	}
	return nil
}
