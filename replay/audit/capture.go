package audit

import (
	"math/bits"
	"net/netip"

	"github.com/ikejd/ikejd/proto/ike"
)

// A capture taken at the journal's own host, beside the journal: what the journal says was sent is looked for on the wire,
// and what is on the wire in the journal. Both are told in the order of their times.

// Frame is a datagram of a capture, or an ICMP port unreachable about one.
type Frame struct {
	Time          int64
	Out           bool // it leaves this host
	Local, Remote netip.AddrPort
	Datagram      []byte // what follows the UDP header; of ICMP as much as it quotes
	Unreachable   bool   // this host says that nobody listens where the datagram, which came in, was sent to
}

const (
	mostExpected = 1024   // messages that were recorded and not seen on the wire yet; AUDIT.md's ring
	mostSeen     = 1024   // datagrams that came in and are not in a record yet
	settling     = second // frames so close to an end of the capture prove nothing by being absent
)

// capture is what is known of it, and how it fits the journal.
type capture struct {
	on           bool
	began, ended int64
	frames       uint64
	expected     []expected // oldest first
	seen         []uint64   // short digests of what came in, oldest first
	awaited      []expected // datagrams that a record has and the capture has not shown
	sas          map[uint64]uint64
	byPeer       map[endpoint]*traffic
	peers        []endpoint // ring of the keys of byPeer
	nextPeer     int
	answers      sources // clear answers by address

	out, in, outMissing uint64 // datagrams of the journal that the capture should have
	overflown           bool   // more than the rings hold was under way
}

// expected is a message that was recorded, or ordered again.
type expected struct {
	short, sa, step uint64
	time            int64
	there           bool // on the wire
}

// traffic is when something last went to, and a keepalive came from, a peer's endpoint.
type traffic struct {
	out, keepalive int64
	told           bool
}

// captured is a frame as rules see it.
type captured struct {
	Frame
	header    ike.Header
	message   bool // it begins with an IKE header
	keepalive bool // RFC 3948, section 2.3
	short     uint64
	sa        *ikeSA
	sends     *expected // the message of the journal that it is
	overtakes uint64    // a later step of this SA whose message has left before
}

// Capture says that a capture taken at this host goes with the journal, and turns on the rules that compare the two.
// Frames are told by Captured, each before the first record that is younger.
func (a *Auditor) Capture() { a.capture.on = true }

// Captured judges one frame of the capture.
func (a *Auditor) Captured(f Frame) []Finding {
	a.found = nil
	c := &a.capture
	n := &now{a: a, j: &a.journal, step: a.journal.step, time: f.Time}
	if c.frames++; c.frames == 1 {
		c.start(f.Time)
	}
	c.ended = max(c.ended, f.Time)
	m := a.frame(f)
	for _, h := range a.dispatch.captured {
		n.rule = h.rule
		h.call(n, m)
	}
	c.settle(m)
	return a.found
}

// frame finds what the journal knows of a frame.
func (a *Auditor) frame(f Frame) *captured {
	m := &captured{Frame: f}
	m.keepalive = len(f.Datagram) == 1 && f.Datagram[0] == 0xff && !f.Unreachable
	if !m.is(f.Datagram) {
		if len(f.Datagram) < 4 || string(f.Datagram[:4]) != "\x00\x00\x00\x00" || !m.is(f.Datagram[4:]) {
			return m // ESP in UDP, a keepalive, anything
		}
	}
	h, octets := m.header, m.Datagram
	m.short = digestOf(octets).short()
	if s := a.table.find(a.capture.sas[h.SPIi]); s != nil && s.spiI == h.SPIi && (h.SPIr == 0 || s.spiR == h.SPIr) {
		m.sa = s
	}
	if f.Out && !f.Unreachable {
		m.match(&a.capture)
	}
	return m
}

// is makes the frame the IKE message in octets, if that is one. A length that fits tells a message from one behind the marker
// of port 4500 (RFC 3948, section 2.2), whichever ports a daemon uses.
func (m *captured) is(octets []byte) bool {
	h, err := ike.ParseHeader(octets)
	if err != nil || h.Major != ike.MajorVersion || int(h.Length) != len(octets) && !(m.Unreachable && int(h.Length) > len(octets)) {
		return false
	}
	m.header, m.message, m.Datagram = h, true, octets
	return true
}

// match finds the message of the journal that left: of those with these octets the first since the step whose message left
// last, so that a frame which the capture lacks makes none look late.
func (m *captured) match(c *capture) {
	var late *expected
	for i := range c.expected {
		e := &c.expected[i]
		if e.there || e.short != m.short {
			continue
		}
		if m.sa != nil && e.sa == m.sa.number && e.step < m.sa.lastOut {
			late = e
			continue
		}
		m.sends = e
		return
	}
	if late != nil {
		m.sends, m.overtakes = late, m.sa.lastOut
	}
}

// start forgets what was sent before the capture began.
func (c *capture) start(at int64) {
	c.began = at
	c.expected = without(c.expected, func(e *expected) bool { return e.time < at-settling })
	c.out = uint64(len(c.expected))
	c.in = 0
}

// settle notes what was seen.
func (c *capture) settle(m *captured) {
	if m.sends != nil {
		m.sends.there = true
		if m.sa != nil && m.sends.sa == m.sa.number {
			m.sa.lastOut = max(m.sa.lastOut, m.sends.step)
		}
	}
	if !m.Out && m.message {
		waited := len(c.awaited)
		c.awaited = without(c.awaited, func(e *expected) bool { return e.short == m.short })
		if len(c.awaited) == waited {
			c.overflown = c.overflown || len(c.seen) == mostSeen
			c.seen = bounded(c.seen, m.short, mostSeen)
		}
	}
	if t := c.peer(endpoint{m.Remote.Addr().As16(), m.Remote.Port()}); !m.Unreachable {
		switch {
		case m.Out:
			t.out = m.Time
		case m.keepalive:
			t.keepalive = m.Time
		}
	}
}

// peer is what is known of an endpoint; a ring of 1,024.
func (c *capture) peer(at endpoint) *traffic {
	if c.byPeer == nil {
		c.byPeer = map[endpoint]*traffic{}
	}
	t := c.byPeer[at]
	if t != nil {
		return t
	}
	if len(c.peers) < mostSeen {
		c.peers = append(c.peers, at)
	} else {
		delete(c.byPeer, c.peers[c.nextPeer])
		c.peers[c.nextPeer] = at
		c.nextPeer = (c.nextPeer + 1) % mostSeen
	}
	t = &traffic{}
	c.byPeer[at] = t
	return t
}

// sent is a message that the journal orders out.
func (c *capture) sent(n *now, s *ikeSA, m *message) {
	short := m.short
	if m.copy {
		if r := s.request(m.id); r != nil && !m.response {
			short = r.digest.short()
		} else if r := s.response(m.id); r != nil && m.response {
			short = r.digest.short()
		} else {
			return
		}
	} else if m.size == 0 {
		return
	}
	if len(c.expected) == mostExpected && !c.expected[0].there {
		c.lost(c.expected[0])
		c.overflown = true
	}
	c.out++
	c.expected = bounded(c.expected, expected{short: short, sa: s.number, step: n.step, time: n.time}, mostExpected)
}

// lost is a message that the wire never showed.
func (c *capture) lost(e expected) {
	if c.within(e) {
		c.outMissing++
	}
}

// within reports whether the capture should have it.
func (c *capture) within(e expected) bool {
	return c.frames > 0 && e.time >= c.began && e.time < c.ended-settling
}

// came is a datagram of the journal that must have come in.
func (c *capture) came(n *now) {
	if n.in.datagram == nil || c.frames == 0 {
		return
	}
	c.in++
	waiting := len(c.seen)
	c.seen = without(c.seen, func(short *uint64) bool { return *short == n.in.short })
	if len(c.seen) < waiting {
		return
	}
	c.overflown = c.overflown || len(c.awaited) == mostSeen
	c.awaited = bounded(c.awaited, expected{short: n.in.short, time: n.time}, mostSeen)
}

// knows makes an SA findable by the SPI that every message of it has.
func (c *capture) knows(s *ikeSA, t *table) {
	if s.spiI == 0 || c.sas[s.spiI] == s.number {
		return
	}
	if c.sas == nil || len(c.sas) >= t.most+t.most/2 { // of SAs that are forgotten
		c.sas = make(map[uint64]uint64, bits.Len(uint(len(t.entries))))
		t.each(func(s *ikeSA) { c.sas[s.spiI] = s.number })
	}
	c.sas[s.spiI] = s.number
}
