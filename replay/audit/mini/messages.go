package mini

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// Messages: what a word like `>q5 INF D(ike)` puts on the wire.

var exchanges = map[string]ike.ExchangeType{"INIT": ike.IKE_SA_INIT, "AUTH": ike.IKE_AUTH, "CCSA": ike.CREATE_CHILD_SA, "INF": ike.INFORMATIONAL}

// notifies are the short names; any other is looked for by its number.
var notifies = map[string]ike.NotifyType{"TEMP": ike.NotifyTemporaryFailure, "AUTH": ike.NotifyAuthenticationFailed, "SYNTAX": ike.NotifyInvalidSyntax,
	"NOPROP": ike.NotifyNoProposalChosen, "KE": ike.NotifyInvalidKEPayload, "SPI": ike.NotifyInvalidIKESPI, "COOKIE": ike.NotifyCookie,
	"WINDOW": ike.NotifySetWindowSize, "x": ike.NotifyInitialContact}

// places of the story: us, the peer, and where the peer may have moved.
var places = map[string]netip.AddrPort{"us": netip.MustParseAddrPort("192.0.2.1:500"), "us4500": netip.MustParseAddrPort("192.0.2.1:4500"),
	"p1": netip.MustParseAddrPort("203.0.113.9:500"), "p2": netip.MustParseAddrPort("203.0.113.9:1500"), "p4500": netip.MustParseAddrPort("203.0.113.9:4500")}

// content is a message's exchange and payloads.
type content struct {
	exchange ike.ExchangeType
	bodies   []ike.Body
	children []*child
	ike      bool
	path     *record.Path
	bare     bool
}

// content reads the words after a message's name. out: we send it, so a child is named by the SPI we receive on.
func (b *builder) content(w word, id uint32, response, out bool) (*content, error) {
	c := &content{exchange: ike.INFORMATIONAL, path: b.path(w)}
	explicit := false
	for _, p := range w.rest {
		switch p.name {
		case "D":
			explicit = true
			if err := b.deletes(c, p, out); err != nil {
				return nil, err
			}
		case "N":
			explicit = true
			n, err := notify(p)
			if err != nil {
				return nil, err
			}
			c.bodies = append(c.bodies, n)
		case "bare":
			c.bare = true
		default:
			if x, ok := exchanges[p.name]; ok {
				c.exchange = x
			}
		}
	}
	cookieOnly := len(c.bodies) == 1 && c.exchange == ike.IKE_SA_INIT && !response
	switch c.exchange {
	case ike.IKE_SA_INIT:
		if !explicit || cookieOnly {
			c.bodies = append(c.bodies, b.initBodies(w, response)...)
		}
	case ike.IKE_AUTH:
		if !explicit {
			c.bodies = []ike.Body{ike.Identification{Initiator: !response, Type: ike.IDFQDN, Data: []byte("peer.example")},
				ike.Auth{Method: ike.AuthSharedKey, Data: made(32, "auth", response)}}
		}
	}
	return c, nil
}

func (b *builder) initBodies(w word, response bool) []ike.Body {
	s := b.s
	group := ike.GroupCurve25519
	if g, ok := w.has("group"); ok && g.arg(0) == "19" {
		group = ike.GroupECP256
	}
	bodies := []ike.Body{ike.SA{Proposals: []ike.Proposal{{Number: 1, Protocol: ike.ProtocolIKE, Transforms: []ike.Transform{
		{Type: ike.TransformENCR, ID: ike.EncrAESGCM16, KeyLength: 256}, {Type: ike.TransformPRF, ID: ike.PRFHMACSHA2_256},
		{Type: ike.TransformKE, ID: uint16(group)}}}}},
		ike.KeyExchange{Group: group, Data: made(32, "ke", s.number, response, group)}, ike.Nonce{Data: made(32, "nonce", s.number, response)}}
	spiR := uint64(0)
	if response {
		spiR = s.spiR
	}
	from, to := b.place("us"), b.place("p1")
	if strings.HasPrefix(w.name, "<") {
		from, to = to, from
	}
	if _, ok := w.has("NAT"); ok {
		from = netip.MustParseAddrPort("10.9.8.7:500")
	}
	source, destination := ike.NATDetectionHash(s.spiI, spiR, from), ike.NATDetectionHash(s.spiI, spiR, to)
	return append(bodies, ike.NewNotify(ike.NotifyNATDetectionSourceIP, source[:]), ike.NewNotify(ike.NotifyNATDetectionDestinationIP, destination[:]))
}

// deletes reads D(ike), D(c1 c2), D(theirs c1), D(0xabcd).
func (b *builder) deletes(c *content, p word, out bool) error {
	d := ike.Delete{Protocol: ike.ProtocolESP}
	for _, arg := range p.args {
		switch {
		case arg == "ike":
			d.Protocol, c.ike = ike.ProtocolIKE, true
		case arg == "theirs":
			out = !out
		case strings.HasPrefix(arg, "0x"):
			spi, err := strconv.ParseUint(arg[2:], 16, 32)
			if err != nil {
				return err
			}
			d.SPIs = append(d.SPIs, uint32(spi))
		default:
			k := b.s.child(arg)
			if k == nil {
				return fmt.Errorf("there is no child %s", arg)
			}
			spi := k.out
			if out {
				spi = k.in
			}
			d.SPIs = append(d.SPIs, spi)
			c.children = append(c.children, k)
		}
	}
	c.bodies = append(c.bodies, d)
	return nil
}

func notify(p word) (ike.Notify, error) {
	t, ok := notifies[p.arg(0)]
	if !ok {
		n, err := strconv.ParseUint(p.arg(0), 10, 16)
		if err != nil {
			return ike.Notify{}, fmt.Errorf("N(%s) is no notify", p.arg(0))
		}
		t = ike.NotifyType(n)
	}
	switch t {
	case ike.NotifySetWindowSize:
		n, err := strconv.ParseUint(p.arg(1), 10, 32)
		return ike.Uint32Notify(t, uint32(n)), err
	case ike.NotifyCookie:
		return ike.NewNotify(t, made(16, "cookie", p.arg(1))), nil
	case ike.NotifyInvalidKEPayload:
		return ike.InvalidKEPayload(ike.GroupECP256), nil
	}
	return ike.NewNotify(t, nil), nil
}

// path is where the message goes or comes from.
func (b *builder) path(w word) *record.Path {
	local, remote := b.place("us"), b.place("p1")
	if w, ok := w.has("from"); ok {
		remote = places[w.arg(0)]
	}
	if w, ok := w.has("to"); ok {
		remote = places[w.arg(0)]
	}
	if remote.Port() == 4500 {
		local = b.place("us4500")
	}
	return &record.Path{Local: local.Addr().AsSlice(), LocalPort: uint32(local.Port()), Remote: remote.Addr().AsSlice(), RemotePort: uint32(remote.Port())}
}

// header is that of a message of one end.
func (s *ikeSA) header(x ike.ExchangeType, id uint32, response, fromInitiator bool) ike.Header {
	h := ike.Header{SPIi: s.spiI, SPIr: s.spiR, Major: ike.MajorVersion, Exchange: x, MessageID: id}
	if x == ike.IKE_SA_INIT && !response {
		h.SPIr = 0
	}
	if fromInitiator {
		h.Flags |= ike.FlagInitiator
	}
	if response {
		h.Flags |= ike.FlagResponse
	}
	return h
}

// sealed is a protected datagram: header, SK, an IV that is made of the id as DESIGN.md has it, and what looks like
// ciphertext.
func sealed(h ike.Header, payloads []byte, salt string) []byte {
	iv := uint64(h.MessageID) << 32
	if h.Response() {
		iv |= 1 << 31
	}
	if strings.HasPrefix(salt, "iv") {
		iv = 7
	}
	body := binary.BigEndian.AppendUint64(nil, iv)
	body = append(body, made(len(payloads)+17, "sealed", h, payloads, salt)...)
	return append(ike.AppendSKFrame(nil, h, ike.NoNextPayload, len(body)), body...)
}
