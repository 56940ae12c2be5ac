package udp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// Opening one socket. Whether datagrams may be fragmented (DF, path MTU) is left as the kernel has it.

// listen opens a socket on an address and port.
func (s *Sockets) listen(bind netip.AddrPort, natPort bool) (*socket, error) {
	network := "udp6"
	if bind.Addr().Is4() {
		network = "udp4"
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) { set = s.setOptions(int(fd), bind.Addr().Is4(), natPort) })
		return errors.Join(err, set)
	}}
	conn, err := lc.ListenPacket(context.Background(), network, bind.String())
	if err != nil {
		return nil, explain(bind, err)
	}
	udp := conn.(*net.UDPConn)
	made := &socket{conn: udp, natPort: natPort}
	bound := udp.LocalAddr().(*net.UDPAddr).AddrPort()
	made.bound = netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port())
	if bind.Addr().Is4() {
		made.batch = ipv4.NewPacketConn(udp)
	} else {
		made.batch = ipv6.NewPacketConn(udp)
	}
	return made, nil
}

// setOptions is what a socket needs before it is bound, so that no datagram comes in without.
func (s *Sockets) setOptions(fd int, is4, natPort bool) error {
	level, packetInfo, policy := unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, unix.IPV6_XFRM_POLICY
	if is4 {
		level, packetInfo, policy = unix.IPPROTO_IP, unix.IP_PKTINFO, unix.IP_XFRM_POLICY
	}
	if err := unix.SetsockoptInt(fd, level, packetInfo, 1); err != nil {
		return fmt.Errorf("local address of datagrams (PKTINFO): %w", err)
	}
	// Go lets every UDP socket broadcast. Without, the kernel refuses a subnet's broadcast address, which
	// we could not tell from any other (K-11).
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 0); err != nil {
		return fmt.Errorf("no broadcasts: %w", err)
	}
	// Above net.core.rmem_max with CAP_NET_ADMIN; without, the kernel gives what it allows.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, s.config.ReceiveBuffer) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, s.config.ReceiveBuffer); err != nil {
			return fmt.Errorf("receive buffer of %d octets: %w", s.config.ReceiveBuffer, err)
		}
	}
	if s.config.Bypass {
		for _, direction := range []byte{xfrmPolicyIn, xfrmPolicyOut} {
			if err := unix.SetsockoptString(fd, level, policy, string(bypassPolicy(direction, is4))); err != nil {
				return fmt.Errorf("bypass of IPsec policies: %w; it needs CAP_NET_ADMIN and a kernel with XFRM, or --dataplane none or userspace", err)
			}
		}
	}
	if s.config.Encap && natPort {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_ENCAP, unix.UDP_ENCAP_ESPINUDP); err != nil {
			return fmt.Errorf("ESP in UDP: %w; it needs a kernel with XFRM, or --dataplane none or userspace", err)
		}
	}
	return nil
}

// From linux/xfrm.h.
const (
	xfrmPolicyIn  = 0
	xfrmPolicyOut = 1

	userpolicyInfoOctets = 168 // sizeof(struct xfrm_userpolicy_info)
	selectorFamilyAt     = 40  // offsetof(sel.family)
	directionAt          = 160 // offsetof(dir); the action after it is 0, XFRM_POLICY_ALLOW
)

// bypassPolicy is a policy of this socket that lets everything pass in clear, before the host's own.
func bypassPolicy(direction byte, is4 bool) []byte {
	policy := make([]byte, userpolicyInfoOctets)
	family := uint16(unix.AF_INET6)
	if is4 {
		family = unix.AF_INET
	}
	binary.NativeEndian.PutUint16(policy[selectorFamilyAt:], family)
	policy[directionAt] = direction
	return policy
}

// explain says what to do about a socket that could not be opened.
func explain(bind netip.AddrPort, err error) error {
	var next string
	switch {
	case errors.Is(err, syscall.EACCES):
		next = "; ports below 1024 need root or CAP_NET_BIND_SERVICE, or choose others with --port and --nat-port"
	case errors.Is(err, syscall.EADDRINUSE):
		next = "; stop the other IKE daemon (ss -ulnp shows it), or choose others with --port and --nat-port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		next = "; this host does not have that address, see ip address and --listen"
	case errors.Is(err, syscall.EAFNOSUPPORT):
		next = "; this host has no such address family, see --listen"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err // without the address, which we name
	}
	return fmt.Errorf("udp: cannot listen on %v port %d: %w%s", bind.Addr(), bind.Port(), err, next)
}
