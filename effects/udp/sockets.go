package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Config says which sockets to open.
type Config struct {
	Listen        []netip.Addr // empty is any address of IPv4 and, where the host has it, IPv6
	Port, NATPort uint16       // 0 takes a free one, the same for all addresses
	Now           func() int64 // the event clock (UTC ns), for Datagram.At; called once a batch
	Bypass        bool         // IP_XFRM_POLICY: IKE passes by the kernel's IPsec policies; needs CAP_NET_ADMIN
	Encap         bool         // UDP_ENCAP on the NAT port: the kernel takes ESP in UDP out before we see it
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
	config   Config
	port     uint16
	natPort  uint16
	sockets  []*socket                  // the IKE port's, then the NAT port's
	bound    map[netip.AddrPort]*socket // by bound address
	first    map[familyAndPort]*socket  // the first of a family and port
	host     hostView
	counters Counters
}

// familyAndPort finds a socket for whoever leaves the address open.
type familyAndPort struct {
	is4  bool
	port uint16
}

// socket is one of them.
type socket struct {
	conn    *net.UDPConn
	batch   batcher
	bound   netip.AddrPort
	natPort bool
	sending sync.Mutex // one batch at a time, so that one deadline is one batch's
}

// batcher is what ipv4.PacketConn and ipv6.PacketConn share: recvmmsg(2) and sendmmsg(2).
type batcher interface {
	ReadBatch([]ipv4.Message, int) (int, error)
	WriteBatch([]ipv4.Message, int) (int, error)
}

var (
	_ batcher = (*ipv4.PacketConn)(nil)
	_ batcher = (*ipv6.PacketConn)(nil)
)

// freePortTries is how often a free port is looked for that is free on all addresses.
const freePortTries = 16

// Open opens them all, or none.
func Open(config Config) (*Sockets, error) {
	if config.Now == nil {
		return nil, errors.New("udp: no clock; set Config.Now")
	}
	if config.Port != 0 && config.Port == config.NATPort {
		return nil, fmt.Errorf("udp: port %d is to be both the IKE port and the NAT port; choose two (--port, --nat-port)", config.Port)
	}
	if config.ReceiveBuffer == 0 {
		config.ReceiveBuffer = 4 << 20
	}
	if config.MaxDatagram == 0 {
		config.MaxDatagram = 65_535
	}
	s := &Sockets{config: config, bound: map[netip.AddrPort]*socket{}, first: map[familyAndPort]*socket{}}
	var err error
	if s.port, err = s.openPort(config.Port, false); err == nil {
		s.natPort, err = s.openPort(config.NATPort, true)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for _, socket := range s.sockets {
		s.bound[socket.bound] = socket
		family := familyAndPort{socket.bound.Addr().Is4(), socket.bound.Port()}
		if s.first[family] == nil {
			s.first[family] = socket
		}
	}
	return s, nil
}

// openPort opens one port on all addresses; 0 is a port that is free on all of them.
func (s *Sockets) openPort(port uint16, natPort bool) (uint16, error) {
	for try := 1; ; try++ {
		opened, err := s.openAddresses(port, natPort)
		if err == nil {
			s.sockets = append(s.sockets, opened...)
			return opened[0].bound.Port(), nil
		}
		for _, socket := range opened {
			err = errors.Join(err, socket.conn.Close())
		}
		if port != 0 || try == freePortTries || !errors.Is(err, syscall.EADDRINUSE) {
			return 0, err
		}
	}
}

// openAddresses opens a socket an address; what it has opened it gives back with the error, too.
func (s *Sockets) openAddresses(port uint16, natPort bool) (opened []*socket, err error) {
	addresses, anyAddress := s.config.Listen, false
	if len(addresses) == 0 {
		addresses, anyAddress = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, true
	}
	for _, address := range addresses {
		socket, err := s.listen(netip.AddrPortFrom(address.Unmap(), port), natPort)
		if anyAddress && len(opened) > 0 && errors.Is(err, syscall.EAFNOSUPPORT) {
			break // a host without IPv6
		}
		if err != nil {
			return opened, err
		}
		opened = append(opened, socket)
		port = socket.bound.Port()
	}
	return opened, nil
}

// Addrs says what is listened on: first the IKE port's sockets, then the NAT port's, each in the order
// of Config.Listen, or IPv4 before IPv6.
func (s *Sockets) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, len(s.sockets))
	for i, socket := range s.sockets {
		addrs[i] = socket.bound
	}
	return addrs
}

// Ports are the IKE port and the NAT port.
func (s *Sockets) Ports() (ike, nat uint16) { return s.port, s.natPort }

// Counters are this object's counters, live.
func (s *Sockets) Counters() *Counters { return &s.counters }

// Close ends Receive and all sockets; it does not wait for handle, Receive's return does. Calling it
// again does nothing.
func (s *Sockets) Close() error {
	var failed error
	for _, socket := range s.sockets {
		if err := socket.conn.Close(); !errors.Is(err, net.ErrClosed) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
