package export

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
)

// Capture writes the datagrams of a range as a pcapng file, each with a comment: `step 48127 · ike7 · request 41`. The
// datagrams are as they were; IP and UDP headers are made up from the paths. program is what the file says it is from.
func Capture(ctx context.Context, w io.Writer, src replay.Source, r Range, program string) error {
	options := pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: program}}
	out, err := pcapgo.NewNgWriterInterface(w, pcapgo.NgInterface{Name: "ikejd", LinkType: layers.LinkTypeRaw, TimestampResolution: 9,
		SnapLength: 0}, options)
	if err != nil {
		return err
	}
	before, err := replay.StateAt(ctx, src, max(r.First, 1)-1)
	if err != nil {
		return err
	}
	c := capture{out: out, sent: replay.Sent(src), natPort: uint32(before.Config().Settings.NATPort)}
	for rec, err := range replay.Records(src, r.First) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if rec.GetStep() > r.Last {
			break
		}
		c.configured(rec.GetEvent().GetConfigLoaded())
		if r.About != nil && !r.About(rec) {
			continue
		}
		if err := c.step(rec); err != nil {
			return err
		}
	}
	return out.Flush()
}

type capture struct {
	out     *pcapgo.NgWriter
	sent    func(uint64, uint32) []byte
	natPort uint32 // ours; 0 before the first configuration
}

func (c *capture) configured(ev *record.ConfigLoaded) {
	if ev == nil {
		return
	}
	if c.natPort = ev.GetConfig().GetSettings().GetNatPort(); c.natPort == 0 {
		c.natPort = uint32(reducer.Defaults.NATPort)
	}
}

// step writes what the step received, then what it sent.
func (c *capture) step(r *record.Record) error {
	if d := r.GetEvent().GetDatagramReceived(); d != nil {
		said := "malformed"
		if h, err := ike.ParseHeader(d.GetDatagram()); err == nil {
			said = message(h.Response(), h.MessageID)
		}
		if err := c.write(r, d.GetPath(), true, d.GetDatagram(), r.GetEvent().GetIkeSa(), said); err != nil {
			return err
		}
	}
	recorded := replay.Datagrams(r)
	for i, e := range r.GetEffects() {
		var err error
		switch k := e.GetKind().(type) {
		case *record.Effect_Record:
			err = c.write(r, k.Record.GetPath(), false, recorded[i], e.GetIkeSa(), message(k.Record.GetResponse(), k.Record.GetMessageId()))
		case *record.Effect_Resend:
			err = c.write(r, k.Resend.GetPath(), false, c.sent(e.GetBecause().GetStep(), e.GetBecause().GetIndex()), e.GetIkeSa(),
				fmt.Sprintf("%s · send %d", message(k.Resend.GetResponse(), k.Resend.GetMessageId()), k.Resend.GetSends()))
		case *record.Effect_Refuse:
			h := ike.Header{SPIi: k.Refuse.GetSpiI(), SPIr: k.Refuse.GetSpiR(), Major: 2, Exchange: ike.ExchangeType(k.Refuse.GetExchange()),
				Flags: ike.FlagResponse, MessageID: k.Refuse.GetMessageId()}
			datagram := ike.AppendMessage(nil, h, ike.Notify{Type: ike.NotifyType(k.Refuse.GetNotify()), Data: k.Refuse.GetData()})
			err = c.write(r, k.Refuse.GetPath(), false, datagram, 0, "refusal")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func message(response bool, id uint32) string {
	if response {
		return fmt.Sprintf("response %d", id)
	}
	return fmt.Sprintf("request %d", id)
}

// write adds one packet. A datagram that the journal does not have (any more) is left out.
func (c *capture) write(r *record.Record, p *record.Path, inbound bool, datagram []byte, sa uint64, said string) error {
	if len(datagram) == 0 || len(p.GetLocal()) == 0 {
		return nil
	}
	if p.GetLocalPort() == c.natPort { // RFC 3948 section 2.2: the marker that tells it from ESP
		datagram = append(make([]byte, 4, 4+len(datagram)), datagram...)
	}
	from, to, fromPort, toPort := p.GetLocal(), p.GetRemote(), p.GetLocalPort(), p.GetRemotePort()
	direction := pcapgo.NgEpbFlagDirectionOutbound
	if inbound {
		from, to, fromPort, toPort = to, from, toPort, fromPort
		direction = pcapgo.NgEpbFlagDirectionInbound
	}
	packet, err := wrapped(from, to, fromPort, toPort, datagram)
	if err != nil {
		return fmt.Errorf("step %d: its datagram fits no packet: %w", r.GetStep(), err)
	}
	comment := fmt.Sprintf("step %d", r.GetStep())
	if sa != 0 {
		comment += " · " + text.SA(sa)
	}
	return c.out.WritePacketWithOptions(gopacket.CaptureInfo{Timestamp: time.Unix(0, int64(r.GetTime())).UTC(), CaptureLength: len(packet), Length: len(packet)},
		packet, pcapgo.NgPacketOptions{Comments: []string{comment + " · " + said}, Flags: &pcapgo.NgEpbFlags{Direction: direction}})
}

// wrapped is a datagram in UDP and IP.
func wrapped(from, to []byte, fromPort, toPort uint32, datagram []byte) ([]byte, error) {
	udp := &layers.UDP{SrcPort: layers.UDPPort(fromPort), DstPort: layers.UDPPort(toPort)}
	var ip gopacket.SerializableLayer
	if len(from) == net.IPv4len {
		v4 := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: from, DstIP: to}
		_ = udp.SetNetworkLayerForChecksum(v4) // fails for other layers only
		ip = v4
	} else {
		v6 := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: from, DstIP: to}
		_ = udp.SetNetworkLayerForChecksum(v6)
		ip = v6
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, udp, gopacket.Payload(datagram))
	return b.Bytes(), err
}
