package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	// receiveBatch is how many datagrams one call takes: ours. CPU a datagram sent and received was 5.9 us
	// with 16, 5.6 with 32, 64 and 128 (medians of 5); each costs a buffer of MaxDatagram.
	receiveBatch = 32
	// controlOctets holds one PKTINFO of either family, and no more is asked for.
	controlOctets = 64
)

// Receive calls handle for every batch of IKE messages until Close, when it returns nil, or until a
// socket fails, which closes all. Each socket has a loop of its own, so handle is called from several
// goroutines at once. The slice and what it holds are the loop's again when handle returns.
func (s *Sockets) Receive(handle func([]Datagram)) error {
	var wg sync.WaitGroup
	failed := make([]error, len(s.sockets))
	for i, socket := range s.sockets {
		wg.Go(func() {
			if failed[i] = s.receive(socket, handle); failed[i] != nil {
				failed[i] = errors.Join(failed[i], s.Close())
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// receive is one socket's loop. It makes its buffers once; of each only the pages are in memory that a
// datagram has been long enough for.
func (s *Sockets) receive(socket *socket, handle func([]Datagram)) error {
	messages := make([]ipv4.Message, receiveBatch)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, s.config.MaxDatagram)}
		messages[i].OOB = make([]byte, controlOctets)
	}
	datagrams := make([]Datagram, 0, receiveBatch)
	for {
		n, err := socket.batch.ReadBatch(messages, 0)
		switch {
		case err == nil:
		case errors.Is(err, net.ErrClosed):
			return nil
		case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.EINTR):
			s.counters.ReceiveErrors.Add(1)
			continue
		default:
			return fmt.Errorf("udp: receiving on %v: %w; see the kernel's log and start again", socket.bound, err)
		}
		datagrams = datagrams[:0]
		at := s.config.Now()
		for i := range messages[:n] {
			if d, ok := s.datagram(socket, &messages[i]); ok {
				d.At = at
				datagrams = append(datagrams, d)
			}
		}
		if len(datagrams) > 0 {
			s.counters.Received.Add(uint64(len(datagrams)))
			handle(datagrams)
		}
	}
}

// datagram is what a received message holds; ok is false where it is not IKE's, and then it is counted.
func (s *Sockets) datagram(socket *socket, m *ipv4.Message) (d Datagram, ok bool) {
	if m.Flags&unix.MSG_TRUNC != 0 {
		s.counters.Truncated.Add(1)
		return d, false
	}
	class, bytes := Classify(m.Buffers[0][:m.N], socket.natPort)
	switch class {
	case Keepalive:
		s.counters.Keepalives.Add(1)
		return d, false
	case ESP:
		s.counters.ESP.Add(1)
		return d, false
	case TooShort:
		s.counters.TooShort.Add(1)
		return d, false
	case IKE:
	}
	local, ok := s.localAddress(m.OOB[:m.NN])
	remote, isUDP := m.Addr.(*net.UDPAddr)
	if !ok || !isUDP {
		s.counters.NotUnicast.Add(1)
		return d, false
	}
	from := remote.AddrPort()
	return Datagram{
		Local:   netip.AddrPortFrom(local, socket.bound.Port()),
		Remote:  netip.AddrPortFrom(from.Addr().Unmap(), from.Port()),
		Bytes:   bytes,
		NATPort: socket.natPort,
	}, true
}

// localAddress reads from PKTINFO which address of ours a datagram was sent to; ok is false where it
// was sent to many.
func (s *Sockets) localAddress(control []byte) (local netip.Addr, ok bool) {
	for len(control) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return local, false
		}
		switch {
		case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			// struct in_pktinfo: interface, our address, address in the header. They differ where
			// the header has a broadcast or multicast address.
			ours, header := netip.AddrFrom4([4]byte(data[4:8])), netip.AddrFrom4([4]byte(data[8:12]))
			return ours, ours == header
		case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			// struct in6_pktinfo: address in the header, interface.
			local = netip.AddrFrom16([16]byte(data[:16]))
			if local.IsLinkLocalUnicast() {
				local = local.WithZone(s.host.zone(int(binary.NativeEndian.Uint32(data[16:20]))))
			}
			return local, !local.IsMulticast()
		}
		control = rest
	}
	return local, false
}
