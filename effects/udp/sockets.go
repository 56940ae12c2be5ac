package udp

import (
	"net/netip"
)

// Config says which sockets to open.
type Config struct {
	Listen        []netip.Addr // empty is any address of IPv4 and, where the host has it, IPv6
	Port, NATPort uint16       // 0 takes a free one, the same for all addresses
	Now           func() int64 // the event clock (UTC ns), for Datagram.At; called once a batch
	Bypass        bool         // IP_XFRM_POLICY: IKE passes by the kernel's IPsec policies; needs CAP_NET_ADMIN
	Encap         bool         // UDP_ENCAP on the NAT port: the kernel takes ESP-in-UDP out before we see it
	ReceiveBuffer int          // octets of SO_RCVBUF a socket; 0 is 4 MiB
	MaxDatagram   int          // longest datagram taken, octets; longer ones are counted and dropped; 0 is 65,535
}

// Datagram is an IKE message as it came in, without the non-ESP marker. Bytes are the receive loop's
// and good only until handle returns: copy what is kept.
type Datagram struct {
	Local, Remote netip.AddrPort // Local is where it was sent to, so what an answer leaves from
	At            int64          // event time, UTC ns
	Bytes         []byte
	NATPort       bool // it came to the NAT port
}

// Outgoing is an IKE message to be sent, without the non-ESP marker. Local says which socket it leaves
// by and which address it bears; an unspecified Local address (0.0.0.0, ::) leaves the choice of address
// to the kernel, its port stays meant. Bytes are only read, during the call.
type Outgoing struct {
	Local, Remote netip.AddrPort
	Bytes         []byte
}

// Sockets are the open sockets. Its methods may be called from several goroutines.
type Sockets struct {
	counters Counters
}

// Open opens them all, or none.
func Open(config Config) (*Sockets, error) { return &Sockets{}, nil }

// Addrs says what is listened on: first the IKE port's sockets, then the NAT port's, each in the order
// of Config.Listen, or IPv4 before IPv6.
func (s *Sockets) Addrs() []netip.AddrPort { return nil }

// Ports are the IKE port and the NAT port.
func (s *Sockets) Ports() (ike, nat uint16) { return 0, 0 }

// Receive calls handle for every batch of IKE messages until Close, when it returns nil, or until a
// socket fails. Each socket has a loop of its own, so handle is called from several goroutines at once.
func (s *Sockets) Receive(handle func([]Datagram)) error { return nil }

// Send sends what it may send, in order for each socket, and counts what it may not or could not.
func (s *Sockets) Send(out []Outgoing) {}

// Close ends Receive and all sockets. Calling it again does nothing.
func (s *Sockets) Close() error { return nil }

// Counters are this object's counters, live.
func (s *Sockets) Counters() *Counters { return &s.counters }
