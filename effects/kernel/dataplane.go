package kernel

import (
	"context"
	"net/netip"
)

// Dataplane is where Child SAs are installed. Its methods may be called from several goroutines;
// requests about one Child SA are the caller's to put in order. Refusals are of type *Refusal, which
// unwraps to the errno a Linux kernel gives.
type Dataplane interface {
	// AllocateSPI reserves an inbound SPI that no other inbound state of ours uses or has reserved. While
	// one is free it finds it: Linux, which only tries at random, is asked again.
	// The reservation ends in Install or, with OutboundSPI 0 in the key, in Remove.
	AllocateSPI(ctx context.Context, request AllocateRequest) (spi uint32, err error)

	// Install makes both directions of a Child SA and its policies, or nothing. It takes the
	// reservation of the inbound SPI where there is one and needs none. The keys are only read during
	// the call; the caller may wipe them afterwards.
	Install(child Child) error

	// Remove ends both directions of a Child SA (or a reservation, see AllocateSPI). What is not there
	// is refused with ESRCH; where only one direction is left (a kernel's hard limit took the other) that
	// one goes, without an error. After any other error it may be there in part: ask again (PROTOCOL.md, D-13).
	Remove(key ChildKey) error

	// Query says what a Child SA has carried; ESRCH where it is not installed.
	Query(key ChildKey) (Usage, error)

	// List gives all that is installed, in the order of Compare, reservations not among it: what the
	// engine holds against the State at recovery. It never gives keys.
	List() ([]Installed, error)

	// Close lets go of the dataplane. What is installed stays installed (--keep-sas).
	Close() error
}

// Ticket names the effect that asked: its step and its place among that step's effects.
type Ticket struct {
	Step  uint64
	Index uint32
}

// Protocol is the IP protocol number of a Child SA (not the Protocol ID of an IKE payload).
type Protocol uint8

// The IP protocols of Child SAs (RFC 4303, RFC 4302).
const (
	ESP Protocol = 50
	AH  Protocol = 51
)

// Mode is what a Child SA does to a packet (RFC 4301, section 3.2).
type Mode uint8

// The modes. Tunnel is the zero value: it is what IKE negotiates unless USE_TRANSPORT_MODE was agreed.
const (
	Tunnel Mode = iota
	Transport
)

// AllocateRequest asks for an inbound SPI.
type AllocateRequest struct {
	Ticket         Ticket
	IKESA, ChildSA uint64 // numbers in the State, for logs
	Protocol       Protocol
	Local, Remote  netip.Addr
	// Min and Max bound the SPI, both included; both 0 is 0x100 to 0xffffffff. RFC 4303, section 2.1,
	// reserves 1 to 255, and 0 is for local use.
	Min, Max uint32
}

// Encap is UDP encapsulation of ESP (RFC 3948).
type Encap struct {
	LocalPort, RemotePort uint16
}

// Selector is one range of traffic (RFC 7296, section 3.13.1). Start and End are both included and of
// one family. Protocol 0 is any; ports 0 to 65535 are any, StartPort 65535 with EndPort 0 is opaque.
type Selector struct {
	Protocol           uint8
	StartPort, EndPort uint16
	Start, End         netip.Addr
}

// Keys is what one direction is protected with. EncrKey has the salt of counter and AEAD ciphers at
// its end, as RFC 4106, section 8.1, lays KEYMAT out; IntegKey is empty with an AEAD. The bytes stay
// the caller's. No way of printing shows them.
type Keys struct {
	EncrKey, IntegKey []byte
}

// Child is a Child SA to be installed: both directions and the traffic it is for.
type Child struct {
	Ticket                  Ticket
	IKESA, ChildSA          uint64 // numbers in the State, for logs
	InboundSPI, OutboundSPI uint32
	Local, Remote           netip.Addr // the ends of the IKE SA, one family
	Encap                   *Encap     // nil without NAT
	Mode                    Mode
	Protocol                Protocol
	Encr                    uint16 // transform id (IANA, IKEv2 transform type 1); 0 with AH
	KeyLength               uint16 // bits, as in the Key Length attribute; 0 where Encr has one length only
	Integ                   uint16 // transform id (IANA, IKEv2 transform type 3); 0 with an AEAD
	ESN                     bool
	ReplayWindow            uint32 // packets; 0 is no replay protection
	KeysIn, KeysOut         Keys
	TSLocal, TSRemote       []Selector
}

// ChildKey is what the kernel finds a Child SA by. With OutboundSPI 0 it is a reservation.
type ChildKey struct {
	Protocol                Protocol
	Local, Remote           netip.Addr
	InboundSPI, OutboundSPI uint32
}

// Key is what finds this Child SA again.
func (c *Child) Key() ChildKey {
	return ChildKey{c.Protocol, c.Local, c.Remote, c.InboundSPI, c.OutboundSPI}
}

// Usage is what a Child SA has carried since it was installed, octets and packets before encapsulation.
type Usage struct {
	BytesIn, BytesOut, PacketsIn, PacketsOut uint64
}

// Installed is one Child SA as List gives it.
type Installed struct {
	Key   ChildKey
	Usage Usage
}
