package cli

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/audit"
)

// packets is a capture file being read: pcap or pcapng, of any link that gopacket knows.
type packets interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
	LinkType() layers.LinkType
}

// capture is the frames of a file that are of the journal's sockets, one at a time.
type capture struct {
	file    *os.File
	packets packets
	ours    map[netip.AddrPort]bool
	next    *audit.Frame // read and not told yet
	ended   bool
}

// openCapture opens a capture taken where the journal was written.
func openCapture(path string, src replay.Source) (*capture, error) {
	ours, err := localEndpoints(src)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the capture: %w", err)
	}
	c := &capture{file: f, ours: ours}
	in := bufio.NewReader(f)
	begin, err := in.Peek(4)
	if err == nil && binary.LittleEndian.Uint32(begin) == 0x0a0d0d0a {
		c.packets, err = pcapgo.NewNgReader(in, pcapgo.DefaultNgReaderOptions)
	} else if err == nil {
		c.packets, err = pcapgo.NewReader(in)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s is no capture that can be read: %w; give a pcap or pcapng file", path, err)
	}
	return c, nil
}

// localEndpoints are the addresses and ports that a journal's own end has in its paths: what a capture's frames are told
// apart by.
func localEndpoints(src replay.Source) (map[netip.AddrPort]bool, error) {
	ours := map[netip.AddrPort]bool{}
	add := func(p *record.Path) {
		if a, ok := netip.AddrFromSlice(p.GetLocal()); ok {
			ours[netip.AddrPortFrom(a.Unmap(), uint16(p.GetLocalPort()))] = true
		}
	}
	for r, err := range replay.Records(src, 0) {
		if err != nil {
			return nil, err
		}
		add(r.GetEvent().GetDatagramReceived().GetPath())
		for _, e := range r.GetEffects() {
			add(e.GetRecord().GetPath())
			add(e.GetResend().GetPath())
		}
	}
	return ours, nil
}

// before gives the frames that are older than a time, in the order of the file.
func (c *capture) before(time int64, tell func(audit.Frame) error) error {
	for !c.ended {
		if c.next == nil {
			if err := c.read(); err != nil {
				return err
			}
			continue
		}
		if c.next.Time >= time {
			return nil
		}
		f := *c.next
		c.next = nil
		if err := tell(f); err != nil {
			return err
		}
	}
	return nil
}

// read reads one packet; what is nothing of ours is passed over.
func (c *capture) read() error {
	data, info, err := c.packets.ReadPacketData()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // it may still be written
		c.ended = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("the capture %s: %w; it can be read up to there by: editcap", c.file.Name(), err)
	}
	if f, ok := c.frame(gopacket.NewPacket(data, c.packets.LinkType(), gopacket.Default)); ok && info.CaptureLength == info.Length {
		f.Time = info.Timestamp.UnixNano()
		c.next = &f
	}
	return nil
}

func (c *capture) frame(p gopacket.Packet) (f audit.Frame, ok bool) {
	if quoted := unreachable(p); quoted != nil {
		from, to, data, ok := datagram(quoted)
		return audit.Frame{Out: true, Unreachable: true, Local: to, Remote: from, Datagram: data}, ok && c.ours[to]
	}
	from, to, data, ok := datagram(p)
	switch {
	case ok && c.ours[from]:
		return audit.Frame{Out: true, Local: from, Remote: to, Datagram: data}, true
	case ok && c.ours[to]:
		return audit.Frame{Local: to, Remote: from, Datagram: data}, true
	}
	return f, false
}

func datagram(p gopacket.Packet) (from, to netip.AddrPort, data []byte, ok bool) {
	udp, ok := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if !ok || p.NetworkLayer() == nil {
		return from, to, nil, false
	}
	flow := p.NetworkLayer().NetworkFlow()
	src, okSrc := netip.AddrFromSlice(flow.Src().Raw())
	dst, okDst := netip.AddrFromSlice(flow.Dst().Raw())
	return netip.AddrPortFrom(src, uint16(udp.SrcPort)), netip.AddrPortFrom(dst, uint16(udp.DstPort)), bytes.Clone(udp.Payload), okSrc && okDst
}

// unreachable is the packet that an ICMP port unreachable quotes.
func unreachable(p gopacket.Packet) gopacket.Packet {
	const unused = 4 // octets before the quotation (RFC 4443, section 3.1)
	if m, ok := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4); ok &&
		m.TypeCode == layers.CreateICMPv4TypeCode(layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4CodePort) {
		return gopacket.NewPacket(m.Payload, layers.LayerTypeIPv4, gopacket.Default)
	}
	if m, ok := p.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6); ok && len(m.Payload) > unused &&
		m.TypeCode == layers.CreateICMPv6TypeCode(layers.ICMPv6TypeDestinationUnreachable, layers.ICMPv6CodePortUnreachable) {
		return gopacket.NewPacket(m.Payload[unused:], layers.LayerTypeIPv6, gopacket.Default)
	}
	return nil
}
