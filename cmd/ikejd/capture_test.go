package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/replay"
)

// capture is what really left on loopback, as the kernel saw it: no word of the daemon's goes into it.
type capture struct {
	t    testing.TB
	fd   int
	mu   sync.Mutex
	sent []captured
	done chan struct{}
}

// captured is a datagram with an IKE message.
type captured struct {
	at       time.Time
	from, to netip.AddrPort
	digest   [32]byte // of the message, without a non-ESP marker
	id       messageID
}

// messageID is what may have one content only (RFC 7296, section 2.1). IKE_SA_INIT is asked again with a cookie.
type messageID struct {
	spiI, spiR uint64
	exchange   byte
	flags      byte
	id         uint32
	first      byte
}

func (m messageID) response() bool { return m.flags&0x20 != 0 }

func startCapture(t testing.TB) *capture {
	t.Helper()
	ip := bits.ReverseBytes16(unix.ETH_P_IP) // in the order of the network, where the host has the other
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, int(ip))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}); err != nil {
		t.Fatal(err)
	}
	c := &capture{t: t, fd: fd, done: make(chan struct{})}
	go c.read()
	t.Cleanup(c.stop)
	return c
}

func (c *capture) stop() {
	select {
	case <-c.done:
	default:
		time.Sleep(200 * time.Millisecond) // the kernel has it when Send returns; reading it takes a moment
		close(c.done)
	}
}

func (c *capture) read() {
	defer unix.Close(c.fd)
	buffer := make([]byte, 65536)
	for {
		n, _, err := unix.Recvfrom(c.fd, buffer, 0)
		if err != nil {
			select {
			case <-c.done:
				return
			default:
				continue // no datagram in this tenth of a second
			}
		}
		// A socket for one protocol sees what comes in, which on loopback is all that left, once.
		c.take(buffer[:n])
	}
}

func (c *capture) take(packet []byte) {
	if len(packet) < 20 || packet[9] != unix.IPPROTO_UDP || len(packet) < int(packet[0]&15)*4+8 {
		return
	}
	udp := packet[int(packet[0]&15)*4:]
	address := func(ip, port []byte) netip.AddrPort {
		a, _ := netip.AddrFromSlice(ip)
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port))
	}
	m := udp[8:]
	if len(m) > 4 && binary.BigEndian.Uint32(m) == 0 {
		m = m[4:]
	}
	if len(m) < ike.HeaderLen || binary.BigEndian.Uint32(m[24:]) != uint32(len(m)) {
		return
	}
	one := captured{at: time.Now(), from: address(packet[12:16], udp), to: address(packet[16:20], udp[2:]), digest: sha256.Sum256(m),
		id: messageID{binary.BigEndian.Uint64(m), binary.BigEndian.Uint64(m[8:]), m[18], m[19], binary.BigEndian.Uint32(m[20:]), m[16]}}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, one)
}

// of are the datagrams that left d so far.
func (c *capture) of(d *ikejd) (all []captured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.sent {
		if one.from.Addr().String() == d.address {
			all = append(all, one)
		}
	}
	return all
}

// unanswered are the requests of d that no response has come to, by digest of their message.
func (c *capture) unanswered(d *ikejd) map[messageID][32]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := map[messageID][32]byte{}
	type key struct {
		spi uint64
		id  uint32
	}
	answered := map[key]bool{}
	for _, one := range c.sent {
		switch {
		case one.from.Addr().String() == d.address && !one.id.response():
			open[one.id] = one.digest
		case one.to.Addr().String() == d.address && one.id.response():
			answered[key{one.id.spiI, one.id.id}] = true
		}
	}
	for m := range open {
		if answered[key{m.spiI, m.id}] {
			delete(open, m)
		}
	}
	return open
}

// changed names the messages of d that left with two contents.
func (c *capture) changed(d *ikejd) (bad []string) {
	first := map[messageID][32]byte{}
	for _, one := range c.of(d) {
		if before, seen := first[one.id]; !seen {
			first[one.id] = one.digest
		} else if before != one.digest {
			bad = append(bad, fmt.Sprintf("%+v left with other octets", one.id))
		}
	}
	return bad
}

// recorded are the digests of the messages that d's journal holds.
func recorded(d *ikejd) map[[32]byte]bool {
	d.t.Helper()
	src, err := replay.Open(d.journal())
	if err != nil {
		d.t.Fatal(err)
	}
	defer src.Close()
	all := map[[32]byte]bool{}
	for r, err := range replay.Records(src, 0) {
		if err != nil {
			d.t.Fatal(err)
		}
		for _, message := range replay.Datagrams(r) {
			all[sha256.Sum256(message)] = true
		}
	}
	return all
}

// allRecorded fails the test for each datagram that left d and is not in its journal, and counts those that are.
func (c *capture) allRecorded(d *ikejd) int {
	d.t.Helper()
	known, sent := recorded(d), c.of(d)
	for _, one := range sent {
		if !known[one.digest] {
			d.t.Errorf("left at %s and is not in the journal: %+v", one.at.Format("15:04:05.000"), one.id)
		}
	}
	return len(sent)
}

// loopbackOf gives a test addresses that no other run has: 127.x.y.1 and up.
func loopbackOf(pid, n int) string {
	return "127." + strconv.Itoa(1+pid%250) + "." + strconv.Itoa(pid/250%250) + "." + strconv.Itoa(n)
}
