package linux

import (
	"net/netip"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// How a later run tells our states and policies from others', and which belong together.
//
// A state's request id (reqid) is the number of its group, the Child SAs that share policies; its highest octet says that it
// is ours, its lowest bit the direction. strongSwan counts from 1, libreswan from 16384, people write small numbers. A
// state's sequence number, of use to the kernel only while a state is being acquired, is the inbound SPI of its Child SA.

const (
	ours      uint32 = 0x1c << 24
	oursMask  uint32 = 0xff << 24
	maxGroup  uint32 = 1<<23 - 1
	inbound   uint32 = 0
	outbound  uint32 = 1
	direction uint32 = 1
)

// reqid of a group and a direction.
func reqid(group, direction uint32) uint32 { return ours | group<<1 | direction }

// isOurs says whether a request id is, and gives its group.
func isOurs(reqid uint32) (group uint32, ok bool) {
	return reqid &^ oursMask >> 1, reqid&oursMask == ours
}

// stateKey is what the kernel finds a state by.
type stateKey struct {
	dst      netip.Addr
	protocol kernel.Protocol
	spi      uint32
}

func (k stateKey) id() xfrm.StateID {
	return xfrm.StateID{Dst: k.dst, SPI: k.spi, Protocol: uint8(k.protocol)}
}

// states are what the two directions of a Child SA are found by.
func states(k kernel.ChildKey) (in, out stateKey) {
	return stateKey{k.Local, k.Protocol, k.InboundSPI}, stateKey{k.Remote, k.Protocol, k.OutboundSPI}
}

// canonical writes addresses as the kernel gives them back.
func canonical(k kernel.ChildKey) kernel.ChildKey {
	k.Local, k.Remote = k.Local.Unmap().WithZone(""), k.Remote.Unmap().WithZone("")
	return k
}

// found is a Child SA as the kernel has it.
type found struct {
	key   kernel.ChildKey
	group uint32
	usage kernel.Usage
}

// pair puts our states together to Child SAs; halves are those of ours that have no other half.
func pair(all []xfrm.State) (whole []found, halves []xfrm.State) {
	type end struct {
		local, remote netip.Addr
		protocol      uint8
		inboundSPI    uint32
	}
	out := map[end]xfrm.State{}
	for _, s := range all {
		if s.ReqID&direction == outbound {
			out[end{s.Src, s.Dst, s.Protocol, s.Seq}] = s
		}
	}
	for _, in := range all {
		if in.ReqID&direction != inbound {
			continue
		}
		at := end{in.Dst, in.Src, in.Protocol, in.SPI}
		other, ok := out[at]
		if !ok || other.ReqID^in.ReqID != direction {
			halves = append(halves, in)
			continue
		}
		delete(out, at)
		group, _ := isOurs(in.ReqID)
		whole = append(whole, found{
			key:   kernel.ChildKey{Protocol: kernel.Protocol(in.Protocol), Local: in.Dst, Remote: in.Src, InboundSPI: in.SPI, OutboundSPI: other.SPI},
			usage: kernel.Usage{BytesIn: in.Usage.Bytes, PacketsIn: in.Usage.Packets, BytesOut: other.Usage.Bytes, PacketsOut: other.Usage.Packets},
			group: group,
		})
	}
	for _, s := range out {
		halves = append(halves, s)
	}
	return whole, halves
}
