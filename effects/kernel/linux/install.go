package linux

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// Install makes the outbound state, the inbound one and the policies, in this order: whatever fails, what was made before it goes, and a
// reservation is only taken by what cannot fail any more but for the policies.
func (d *Dataplane) Install(c kernel.Child) error {
	if err := c.Check(); err != nil {
		return err
	}
	selectors, refusal := traffic(&c)
	if refusal != nil {
		return refusal
	}
	key := canonical(c.Key())
	in, out := states(key)
	if in == out {
		return refuse(kernel.OpInstall, syscall.EEXIST, out.spi, "one state for both directions to %v; the peer chose our SPI", out.dst)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	group, err := d.policies.group(&c, key, selectors)
	if err != nil {
		return err
	}
	inState, outState := stateOf(&c, inbound, group.number), stateOf(&c, outbound, group.number)
	if refusal := protect(inState, &c, c.KeysIn); refusal != nil {
		return refusal
	}
	if refusal := protect(outState, &c, c.KeysOut); refusal != nil {
		return refusal
	}
	if err := d.conn.Do(xfrm.NewState(outState)); err != nil {
		return refused(kernel.OpInstall, out.spi, err)
	}
	reserved, err := d.installInbound(inState, in)
	if err != nil {
		return d.undo(refused(kernel.OpInstall, in.spi, err), out)
	}
	if err := d.policies.claim(group); err != nil {
		return d.undo(refused(kernel.OpInstall, in.spi, err), out, in)
	}
	if reserved {
		delete(d.reserved, in)
	} else {
		d.inbound[in.spi]++
	}
	d.children[key] = &child{group: group.number}
	return nil
}

// installInbound takes the reservation where there is one that has not run out.
func (d *Dataplane) installInbound(s *xfrm.State, key stateKey) (reserved bool, err error) {
	if d.reserved[key] {
		if err := d.conn.Do(xfrm.UpdateState(s)); !errors.Is(err, syscall.ESRCH) {
			return true, err
		}
	}
	return d.reserved[key], d.conn.Do(xfrm.NewState(s))
}

// undo removes states after err, and gives err. A reservation that the inbound one took stays ours, in the books.
func (d *Dataplane) undo(err error, made ...stateKey) error {
	for _, key := range made {
		err = errors.Join(err, ignore(d.conn.Do(xfrm.DeleteState(key.id())), syscall.ESRCH))
	}
	return err
}

// Remove ends a Child SA or, with OutboundSPI 0, a reservation. Policies go first, then the outbound state: what is left half way is
// what Open knows how to clean.
func (d *Dataplane) Remove(key kernel.ChildKey) error {
	key = canonical(key)
	in, out := states(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	if key.OutboundSPI == 0 {
		return d.unreserve(in)
	}
	c, ok := d.children[key]
	if !ok {
		return refuse(kernel.OpRemove, syscall.ESRCH, in.spi, "no %v", key)
	}
	if !c.released {
		if err := d.policies.release(c.group); err != nil {
			return refused(kernel.OpRemove, in.spi, err)
		}
		c.released = true
	}
	gone := 0
	for _, k := range []stateKey{out, in} {
		err := d.conn.Do(xfrm.DeleteState(k.id()))
		if errors.Is(err, syscall.ESRCH) {
			gone++
		} else if err != nil {
			return refused(kernel.OpRemove, in.spi, err)
		}
	}
	delete(d.children, key)
	d.drop(in.spi)
	if gone == 2 {
		return refuse(kernel.OpRemove, syscall.ESRCH, in.spi, "somebody else removed %v", key)
	}
	return nil
}

// stateOf is one direction of a child, without its algorithms.
func stateOf(child *kernel.Child, direction, group uint32) *xfrm.State {
	key := canonical(child.Key())
	s := &xfrm.State{Src: key.Local, Dst: key.Remote, SPI: child.OutboundSPI, Protocol: uint8(child.Protocol), Mode: modeOf(child), Limits: xfrm.NoLimits,
		Seq: child.InboundSPI, ReqID: reqid(group, direction), Replay: xfrm.Replay{Window: child.ReplayWindow, ESN: child.ESN}}
	if e := child.Encap; e != nil {
		s.Encap = &xfrm.Encap{SrcPort: e.LocalPort, DstPort: e.RemotePort}
	}
	if direction == inbound {
		s.Src, s.Dst, s.SPI = key.Remote, key.Local, child.InboundSPI
		if e := child.Encap; e != nil {
			s.Encap = &xfrm.Encap{SrcPort: e.RemotePort, DstPort: e.LocalPort}
		}
	}
	if s.Mode == xfrm.Tunnel {
		s.Flags = xfrm.AnyFamily
	}
	return s
}

func modeOf(child *kernel.Child) xfrm.Mode {
	if child.Mode == kernel.Transport {
		return xfrm.Transport
	}
	return xfrm.Tunnel
}

// probeChild is a Child SA of a host with itself, on documentation addresses (RFC 5737).
func probeChild() kernel.Child {
	return kernel.Child{InboundSPI: 0x1cec, Local: netip.MustParseAddr("192.0.2.254"), Remote: netip.MustParseAddr("192.0.2.253"), Protocol: kernel.ESP,
		Encr: 20, KeyLength: 128, ReplayWindow: 32, KeysIn: kernel.Keys{EncrKey: make([]byte, 20)}}
}
