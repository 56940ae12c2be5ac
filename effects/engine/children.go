package engine

import (
	"context"
	"errors"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// children is the kernel's work: SPIs, Child SAs in and out, in the order of the steps that asked.
type children struct {
	e *Loop
	// halves are inbound halves whose outbound half went first (PROTOCOL.md, D-08): the dataplane removes pairs.
	halves map[uint64]uint32 // Child SA -> its outbound SPI
}

func newChildren(e *Loop) *children { return &children{e: e, halves: map[uint64]uint32{}} }

func (c *children) ask(o order) {
	c.e.outside.Kernel(func(ctx context.Context) { c.e.queue.push(completion(o, c.do(ctx, &o))) })
}

func (c *children) do(ctx context.Context, o *order) *record.Event {
	e := &o.effect
	switch e.Kind {
	case reducer.EffectAllocateSPI:
		done := &record.SPIAllocated{ChildSa: e.Child, Path: reducer.PathRecord(e.Path)}
		spi, err := c.allocate(ctx, o)
		if done.Spi = spi; err != nil {
			done.Failure = text(err.Error())
		}
		return &record.Event{Kind: &record.Event_SpiAllocated{SpiAllocated: done}}
	case reducer.EffectInstallChild:
		done := &record.ChildInstalled{ChildSa: e.Child, OutboundSpi: e.Install.OutboundSPI, Path: reducer.PathRecord(e.Path)}
		spi, err := c.install(ctx, o)
		if done.InboundSpi = spi; err != nil {
			done.Refusal = text(err.Error())
		}
		return &record.Event{Kind: &record.Event_ChildInstalled{ChildInstalled: done}}
	default:
		return c.remove(e)
	}
}

func (c *children) allocate(ctx context.Context, o *order) (uint32, error) {
	e := &o.effect
	return c.e.c.Dataplane.AllocateSPI(ctx, kernel.AllocateRequest{Ticket: ticket(o), IKESA: e.SA, ChildSA: e.Child,
		Protocol: ipProtocol(e.Protocol), Local: e.Path.Local.Addr(), Remote: e.Path.Remote.Addr()})
}

// install makes both halves. As responder we choose the inbound SPI only now.
func (c *children) install(ctx context.Context, o *order) (uint32, error) {
	e, in := &o.effect, o.effect.Install
	inbound := in.InboundSPI
	if inbound == 0 {
		spi, err := c.allocate(ctx, o)
		if err != nil {
			return 0, err
		}
		inbound = spi
	}
	secret, err := c.e.c.Keyring.ChildKeys(e.KeyRef, keys.ChildInput{Ni: in.Ni, Nr: in.Nr, Encr: in.Suite.Encr,
		KeyLength: in.Suite.KeyLength, Integ: in.Suite.Integ,
		ShareRef: in.ShareRef, PeerPublic: in.PeerPublic})
	if err == nil {
		defer wipe(&secret)
		err = c.e.c.Dataplane.Install(c.child(o, inbound, &secret))
	}
	if err != nil {
		reserved := kernel.ChildKey{Protocol: ipProtocol(e.Protocol), Local: e.Path.Local.Addr(), Remote: e.Path.Remote.Addr(), InboundSPI: inbound}
		return 0, errors.Join(err, ignore(c.e.c.Dataplane.Remove(reserved), syscall.ESRCH))
	}
	return inbound, nil
}

func (c *children) child(o *order, inbound uint32, secret *keys.ChildKeys) kernel.Child {
	e, in := &o.effect, o.effect.Install
	child := kernel.Child{Ticket: ticket(o), IKESA: e.SA, ChildSA: e.Child, InboundSPI: inbound, OutboundSPI: in.OutboundSPI,
		Local: e.Path.Local.Addr(), Remote: e.Path.Remote.Addr(), Protocol: ipProtocol(e.Protocol),
		Encr: in.Suite.Encr, KeyLength: in.Suite.KeyLength, Integ: in.Suite.Integ, ESN: in.Suite.SequenceNumbers == ike.SN64,
		ReplayWindow: 32, TSLocal: kernelSelectors(in.LocalTS), TSRemote: kernelSelectors(in.RemoteTS),
		KeysIn:  kernel.Keys{EncrKey: secret.ResponderEncr, IntegKey: secret.ResponderInteg},
		KeysOut: kernel.Keys{EncrKey: secret.InitiatorEncr, IntegKey: secret.InitiatorInteg}}
	if !e.Initiator {
		child.KeysIn, child.KeysOut = child.KeysOut, child.KeysIn
	}
	if in.TransportMode {
		child.Mode = kernel.Transport
	}
	if in.Encapsulated {
		child.Encap = &kernel.Encap{LocalPort: e.Path.Local.Port(), RemotePort: e.Path.Remote.Port()}
	}
	return child
}

// remove ends a pair. The outbound half alone is not removed before the inbound one: the pair goes when both may.
func (c *children) remove(e *reducer.Effect) *record.Event {
	inbound, outbound := e.Install.InboundSPI, e.Install.OutboundSPI
	done := &record.ChildRemoved{ChildSa: e.Child}
	if inbound == 0 {
		c.halves[e.Child] = outbound
		return &record.Event{Kind: &record.Event_ChildRemoved{ChildRemoved: done}}
	}
	if outbound == 0 {
		outbound = c.halves[e.Child]
		delete(c.halves, e.Child)
	}
	key := kernel.ChildKey{Protocol: ipProtocol(e.Protocol), Local: e.Path.Local.Addr(), Remote: e.Path.Remote.Addr(),
		InboundSPI: inbound, OutboundSPI: outbound}
	if err := c.e.c.Dataplane.Remove(key); err != nil {
		done.Refusal, done.Held = text(err.Error()), !errors.Is(err, syscall.ESRCH)
	}
	return &record.Event{Kind: &record.Event_ChildRemoved{ChildRemoved: done}}
}

// ignore is err unless it is that errno.
func ignore(err error, errno syscall.Errno) error {
	if errors.Is(err, errno) {
		return nil
	}
	return err
}

func ticket(o *order) kernel.Ticket { return kernel.Ticket{Step: o.at.Step, Index: o.at.Index} }

func ipProtocol(p ike.ProtocolID) kernel.Protocol {
	if p == ike.ProtocolAH {
		return kernel.AH
	}
	return kernel.ESP
}

func kernelSelectors(list []ike.Selector) []kernel.Selector {
	selectors := make([]kernel.Selector, len(list))
	for i, s := range list {
		selectors[i] = kernel.Selector{Protocol: s.Protocol, StartPort: s.StartPort, EndPort: s.EndPort, Start: s.Start, End: s.End}
	}
	return selectors
}

func wipe(k *keys.ChildKeys) {
	for _, secret := range [][]byte{k.InitiatorEncr, k.InitiatorInteg, k.ResponderEncr, k.ResponderInteg} {
		clear(secret)
	}
}
