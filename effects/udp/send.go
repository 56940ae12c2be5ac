package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	// sendBatch is how many datagrams one call gives to the kernel: ours, not measured against others.
	sendBatch = 64
	// patience is how long a batch may wait for the kernel's buffers: ours. IKE sends again what is
	// lost, a loop that stands still is worse.
	patience = 100 * time.Millisecond
)

// Send sends what it may send, in order for each socket, and counts what it may not or could not. It
// waits 100 ms a batch of 64 at the most.
func (s *Sockets) Send(out []Outgoing) {
	by := make([]*socket, len(out)) // nil where it may not be sent
	for i := range out {
		by[i] = s.route(&out[i])
	}
	messages := make([]ipv4.Message, 0, min(len(out), sendBatch))
	for _, socket := range s.sockets {
		for i := range out {
			if by[i] != socket {
				continue
			}
			if messages = append(messages, s.message(socket, &out[i])); len(messages) == sendBatch {
				s.write(socket, messages)
				messages = messages[:0]
			}
		}
		s.write(socket, messages)
		messages = messages[:0]
	}
}

// route is the socket a datagram leaves by, nil where it may not be sent or there is none.
func (s *Sockets) route(out *Outgoing) *socket {
	local, remote := out.Local.Addr().Unmap(), out.Remote.Addr().Unmap()
	switch {
	case out.Remote.Port() == 0:
		s.counters.ToPortZero.Add(1)
		return nil
	case !remote.IsValid() || remote.IsUnspecified() || remote.IsMulticast() || remote == broadcast:
		s.counters.ToNotUnicast.Add(1) // a subnet's broadcast address the kernel refuses: EACCES
		return nil
	case s.isOurs(netip.AddrPortFrom(remote, out.Remote.Port())):
		s.counters.ToOurselves.Add(1)
		return nil
	}
	socket := s.bound[netip.AddrPortFrom(local, out.Local.Port())]
	if socket == nil {
		socket = s.first[familyAndPort{remote.Is4(), out.Local.Port()}]
		if socket != nil && local.IsValid() && !local.IsUnspecified() && !socket.bound.Addr().IsUnspecified() {
			socket = nil // an address that is not listened on
		}
	}
	if socket == nil || socket.bound.Addr().Is4() != remote.Is4() || local.IsValid() && local.Is4() != remote.Is4() {
		s.counters.NoSocket.Add(1)
		return nil
	}
	return socket
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// isOurs says whether a datagram to there would come in by one of these sockets (K-11).
func (s *Sockets) isOurs(remote netip.AddrPort) bool {
	if s.bound[remote] != nil {
		return true
	}
	socket := s.first[familyAndPort{remote.Addr().Is4(), remote.Port()}]
	return socket != nil && socket.bound.Addr().IsUnspecified() && s.host.has(remote.Addr())
}

// message is a datagram as the kernel takes it.
func (s *Sockets) message(socket *socket, out *Outgoing) ipv4.Message {
	m := ipv4.Message{
		Buffers: [][]byte{out.Bytes},
		Addr:    net.UDPAddrFromAddrPort(netip.AddrPortFrom(out.Remote.Addr().Unmap(), out.Remote.Port())),
	}
	if socket.natPort {
		m.Buffers = [][]byte{marker, out.Bytes}
	}
	if local := out.Local.Addr().Unmap(); socket.bound.Addr().IsUnspecified() && local.IsValid() && !local.IsUnspecified() {
		if local.Is4() {
			m.OOB = unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: local.As4()})
		} else {
			m.OOB = unix.PktInfo6(&unix.Inet6Pktinfo{Addr: local.As16(), Ifindex: uint32(s.host.index(local.Zone()))})
		}
	}
	return m
}

// write gives messages to the kernel. sendmmsg(2) stops at the first it refuses and says why only when
// that is the first of a call: so each refusal is one message's, and the rest goes on behind it.
func (s *Sockets) write(socket *socket, messages []ipv4.Message) {
	if len(messages) == 0 {
		return
	}
	socket.sending.Lock()
	defer socket.sending.Unlock()
	// Where the socket is closed, WriteBatch says so as well.
	_ = socket.conn.SetWriteDeadline(time.Now().Add(patience))
	for len(messages) > 0 {
		n, err := socket.batch.WriteBatch(messages, 0)
		if err == nil && n > 0 {
			s.counters.Sent.Add(uint64(n))
			messages = messages[n:]
			continue
		}
		cause, all := s.cause(err)
		if all {
			cause.Add(uint64(len(messages)))
			return
		}
		cause.Add(1)
		messages = messages[1:]
	}
}

// cause is the counter of a failure, and whether it holds for all that would be sent after it.
func (s *Sockets) cause(err error) (counter *atomic.Uint64, all bool) {
	c := &s.counters
	var errno syscall.Errno
	switch {
	case errors.Is(err, net.ErrClosed):
		return &c.AfterClose, true
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &c.NoRoom, true
	case !errors.As(err, &errno):
		return &c.OtherFailures, false
	}
	switch errno {
	case syscall.EPERM, syscall.EACCES:
		return &c.Denied, false
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN:
		return &c.Unreachable, false
	case syscall.EINVAL, syscall.EADDRNOTAVAIL, syscall.ENODEV:
		return &c.NoLocal, false // what PKTINFO names is not there
	case syscall.EMSGSIZE:
		return &c.TooLong, false
	case syscall.ENOBUFS, syscall.ENOMEM, syscall.EAGAIN:
		return &c.NoRoom, false
	}
	return &c.OtherFailures, false
}
