package xfrm

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Conn asks the kernel, one request at a time; its methods may be called from several goroutines.
type Conn struct {
	mu       sync.Mutex
	socket   *nl.NetlinkSocket
	sequence uint32
}

// answerWithin is ours: a kernel that loads the module of an algorithm takes its time.
var answerWithin = unix.Timeval{Sec: 30}

// dumpTries is ours: how often a dump is begun again because something changed under it.
const dumpTries = 10

// Dial opens a connection in the network namespace of the calling thread. EPROTONOSUPPORT is a kernel without XFRM, EPERM
// comes with the first request of a process without CAP_NET_ADMIN.
func Dial() (*Conn, error) {
	socket, err := openSocket()
	if err != nil {
		return nil, err
	}
	c := &Conn{socket: socket}
	// Errors in words, and without the request in them: it has keys.
	err = errors.Join(socket.SetExtAck(true), unix.SetsockoptInt(socket.GetFd(), unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1),
		socket.SetReceiveTimeout(&answerWithin), socket.SetSendTimeout(&answerWithin))
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("netlink socket: %w; a kernel of 4.12 or later has what it needs", err)
	}
	return c, nil
}

func openSocket() (*nl.NetlinkSocket, error) {
	const here = -1 // the thread's namespace
	socket, err := nl.GetNetlinkSocketAt(here, here, unix.NETLINK_XFRM)
	if errors.Is(err, syscall.EPROTONOSUPPORT) {
		return nil, fmt.Errorf("this kernel has no XFRM: %w; try: modprobe xfrm_user, or --dataplane none", err)
	}
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w; see the limits on open files", err)
	}
	return socket, nil
}

// Close ends the connection. What was made with it stays.
func (c *Conn) Close() { c.socket.Close() }

// Do sends a request whose answer is an acknowledgement, and wipes it. A refusal is a *Refused.
func (c *Conn) Do(m Message) error { return c.Ask(m, nil) }

// Ask sends a request and gives the answer to take, and wipes both; take must not keep the body.
func (c *Conn) Ask(m Message, take func(kind uint16, body []byte) error) error {
	defer m.wipe()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.exchange(m, take)
}

// Dump is Ask for a dump, begun again where something changed under it; begin is called before each try.
func (c *Conn) Dump(m Message, begin func(), take func(kind uint16, body []byte) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range dumpTries {
		begin()
		if err := c.exchange(m, take); !errors.Is(err, errInterrupted) {
			return err
		}
	}
	return fmt.Errorf("%s: %w %d times; try again", verb(m.Kind), errInterrupted, dumpTries)
}

// errInterrupted is a dump during which something changed: some of it may be there twice or not at all.
var errInterrupted = errors.New("the dump was interrupted")

func (c *Conn) exchange(m Message, take func(kind uint16, body []byte) error) error {
	c.sequence++
	if err := c.send(m.bytes(c.sequence)); err != nil {
		return fmt.Errorf("%s: to the kernel: %w; try again", verb(m.Kind), err)
	}
	var failed error
	interrupted := false
	for {
		messages, from, err := c.socket.Receive()
		if err != nil {
			return fmt.Errorf("%s: from the kernel: %w; it may have been done or not", verb(m.Kind), err)
		}
		if from.Pid != nl.PidKernel {
			continue
		}
		for _, answer := range messages {
			if answer.Header.Seq != c.sequence {
				continue // late, of a request that was given up
			}
			flags := answer.Header.Flags
			interrupted = interrupted || flags&unix.NLM_F_DUMP_INTR != 0
			switch answer.Header.Type {
			case unix.NLMSG_ERROR, unix.NLMSG_DONE:
				err := decodeRefused(m.Kind, flags, answer.Header.Type == unix.NLMSG_ERROR, answer.Data)
				if err == nil && interrupted {
					err = errInterrupted
				}
				return errors.Join(err, failed)
			}
			if take != nil && failed == nil {
				failed = take(answer.Header.Type, answer.Data)
			}
			clear(answer.Data)
			if flags&unix.NLM_F_MULTI == 0 && m.Flags&unix.NLM_F_ACK == 0 {
				return failed
			}
		}
	}
}

// send gives octets to the kernel and wipes them.
func (c *Conn) send(octets []byte) error {
	defer clear(octets)
	return unix.Sendto(c.socket.GetFd(), octets, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}
