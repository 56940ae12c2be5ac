package xfrm

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Monitor hears what the kernel says unasked.
type Monitor struct {
	socket  *nl.NetlinkSocket
	pending []syscall.NetlinkMessage
	closed  atomic.Bool
}

// groups are those whose messages have no keys: XFRMNLGRP_SA would bring them.
var groups = []int{nl.XFRMNLGRP_ACQUIRE, nl.XFRMNLGRP_EXPIRE, nl.XFRMNLGRP_MIGRATE, nl.XFRMNLGRP_MAPPING}

// Listen opens a monitor in the network namespace of the calling thread. From then on a policy without a state leads to an
// Acquire, instead of to a packet that is only dropped.
func Listen() (*Monitor, error) {
	socket, err := openSocket()
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		if err := unix.SetsockoptInt(socket.GetFd(), unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group); err != nil {
			socket.Close()
			return nil, fmt.Errorf("events of XFRM: %w; they need CAP_NET_ADMIN, or --dataplane none", err)
		}
	}
	return &Monitor{socket: socket}, nil
}

// Next waits for an event. After Close it fails with os.ErrClosed. What cannot be read is an error too, and the next call
// goes on behind it.
func (m *Monitor) Next() (Event, error) {
	for {
		for len(m.pending) > 0 {
			message := m.pending[0]
			m.pending = m.pending[1:]
			if event, err := DecodeEvent(message.Header.Type, message.Data); event != nil || err != nil {
				return event, err
			}
		}
		messages, from, err := m.socket.Receive()
		switch {
		case m.closed.Load():
			return nil, os.ErrClosed
		case errors.Is(err, syscall.ENOBUFS):
			return &Missed{}, nil
		case err != nil:
			return nil, fmt.Errorf("events of XFRM: %w", err)
		case from.Pid == nl.PidKernel:
			m.pending = messages
		}
	}
}

// Close ends the monitor and whoever waits in Next.
func (m *Monitor) Close() {
	m.closed.Store(true)
	m.socket.Close()
}
