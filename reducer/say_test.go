package reducer

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
)

// Messages of the peer, in the words in which the printer says ours: {SAi1 KEi Ni}, {D(IKE)}, {N(COOKIE=0102)}. What a
// word means without more is what a peer of the default configuration would send.
//
//	SA...(20/256 prf5 ke31; 12/256 integ12 prf5 ke19)   proposals; spi=c0000001, num=2, proto=2 where they are special
//	KEi(19)  KEi(31 len=31)  Ni(len=15)                  group and length
//	N(COOKIE=0102)  N(40000)                             notify, with data in hex
//	IDi(west.example)  IDi(1 c0000201)                   a name, or type and data in hex
//	AUTH  AUTH(2 abcd)  TSi(10.1.0.0/16 10.9.0.1..10.9.0.5[6/80])
//	NAT  NAT(peer)  NAT(us)                              the two hashes, right or as behind a NAT
//	P(200 abcd)  P!(200)                                 any payload; ! is critical

// speaker knows what the words of one message depend on.
type speaker struct {
	exchange   ike.ExchangeType
	response   bool
	spii, spir uint64
	path       Path   // as we see it
	espSPI     uint32 // the peer's
	nonce      byte
}

// payloads is the message said by text, as first payload type and octets.
func (sp speaker) payloads(text string) (ike.PayloadType, []byte, error) {
	inside, ok := strings.CutPrefix(text, "{")
	if inside, ok = strings.CutSuffix(inside, "}"); !ok {
		return 0, nil, fmt.Errorf("message %q is not in braces", text)
	}
	var bodies []ike.Body
	for _, word := range splitWords(inside) {
		name, args, _ := strings.Cut(strings.TrimSuffix(word, ")"), "(")
		more, err := sp.word(name, args)
		if err != nil {
			return 0, nil, fmt.Errorf("%s: %w", word, err)
		}
		bodies = append(bodies, more...)
	}
	first, b := ike.AppendPayloads(nil, bodies...)
	at := 0
	for _, body := range bodies {
		if _, critical := body.(critical); critical {
			b[at+1] = 0x80
		}
		at += int(binary.BigEndian.Uint16(b[at+2:]))
	}
	return first, b, nil
}

// critical is a payload that must be understood.
type critical struct{ ike.Payload }

// splitWords splits at the spaces that are not in parentheses.
func splitWords(s string) []string {
	depth := 0
	return strings.FieldsFunc(s, func(c rune) bool {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		return c == ' ' && depth == 0
	})
}

func (sp speaker) word(name, args string) ([]ike.Body, error) {
	fields := strings.Fields(args)
	switch {
	case strings.HasPrefix(name, "SA"):
		sa, err := sp.sa(args)
		return []ike.Body{sa}, err
	case name == "KEi", name == "KEr":
		return sp.ke(fields)
	case name == "Ni", name == "Nr":
		length := 32
		if len(fields) > 0 {
			length = number(strings.TrimPrefix(fields[0], "len="))
		}
		data := make([]byte, length)
		for i := range data {
			data[i] = sp.nonce
		}
		return []ike.Body{ike.Nonce{Data: data}}, nil
	case name == "N":
		return notifyWord(args)
	case name == "IDi", name == "IDr":
		id := ike.Identification{Initiator: name == "IDi", Type: ike.IDFQDN, Data: []byte(args)}
		if len(fields) == 2 {
			data, err := hex.DecodeString(fields[1])
			id.Type, id.Data = ike.IDType(number(fields[0])), data
			return []ike.Body{id}, err
		}
		return []ike.Body{id}, nil
	case name == "AUTH":
		auth := ike.Auth{Method: ike.AuthSharedKey, Data: []byte("auth of the peer")}
		if len(fields) > 0 {
			auth.Method, auth.Data = ike.AuthMethod(number(fields[0])), nil
		}
		return []ike.Body{auth}, nil
	case name == "TSi", name == "TSr":
		ts := ike.TrafficSelectors{Initiator: name == "TSi"}
		for _, f := range fields {
			s, err := selectorOf(f)
			if err != nil {
				return nil, err
			}
			ts.Selectors = append(ts.Selectors, s)
		}
		return []ike.Body{ts}, nil
	case name == "D":
		return deleteWord(fields)
	case name == "NAT":
		return sp.nat(args), nil
	case name == "P", name == "P!":
		p := ike.Payload{Type: ike.PayloadType(number(fields[0]))}
		if len(fields) > 1 {
			body, err := hex.DecodeString(fields[1])
			if err != nil {
				return nil, err
			}
			p.Body = body
		}
		if name == "P!" {
			return []ike.Body{critical{p}}, nil
		}
		return []ike.Body{p}, nil
	}
	return nil, fmt.Errorf("no such word")
}

// nat are the hashes a peer sends: source is its address, destination ours.
func (sp speaker) nat(who string) []ike.Body {
	source := ike.NATDetectionHash(sp.spii, sp.spir, sp.path.Remote)
	destination := ike.NATDetectionHash(sp.spii, sp.spir, sp.path.Local)
	if strings.Contains(who, "peer") {
		source[0] ^= 1
	}
	if strings.Contains(who, "us") {
		destination[0] ^= 1
	}
	return []ike.Body{ike.Notify{Type: ike.NotifyNATDetectionSourceIP, Data: source[:]},
		ike.Notify{Type: ike.NotifyNATDetectionDestinationIP, Data: destination[:]}}
}

func (sp speaker) sa(args string) (ike.SA, error) {
	protocol, spi := ike.ProtocolIKE, []byte(nil)
	if args == "" {
		args = "20/256 prf5 ke31"
		if sp.exchange != ike.IKE_SA_INIT {
			args = "20/256 sn0"
		}
	}
	if sp.exchange != ike.IKE_SA_INIT {
		protocol, spi = ike.ProtocolESP, spiOctets(sp.espSPI)
	}
	var sa ike.SA
	for i, text := range strings.Split(args, ";") {
		p := ike.Proposal{Number: uint8(i + 1), Protocol: protocol, SPI: spi}
		for _, f := range strings.Fields(text) {
			kind, value := strings.TrimRight(f, "0123456789"), strings.TrimLeft(f, "abcdefghijklmnopqrstuvwxyz")
			switch kind {
			case "prf":
				p.Transforms = append(p.Transforms, ike.Transform{Type: ike.TransformPRF, ID: uint16(number(value))})
			case "ke":
				p.Transforms = append(p.Transforms, ike.Transform{Type: ike.TransformKE, ID: uint16(number(value))})
			case "integ":
				p.Transforms = append(p.Transforms, ike.Transform{Type: ike.TransformINTEG, ID: uint16(number(value))})
			case "sn":
				p.Transforms = append(p.Transforms, ike.Transform{Type: ike.TransformSN, ID: uint16(number(value))})
			case "type":
				p.Transforms = append(p.Transforms, ike.Transform{Type: ike.TransformType(number(value)), ID: 1})
			case "num=":
				p.Number = uint8(number(strings.TrimPrefix(f, "num=")))
			case "proto=":
				p.Protocol = ike.ProtocolID(number(strings.TrimPrefix(f, "proto=")))
			default:
				if rest, ok := strings.CutPrefix(f, "spi="); ok {
					octets, err := hex.DecodeString(rest)
					if err != nil {
						return sa, err
					}
					p.SPI = octets
					continue
				}
				id, length, _ := strings.Cut(f, "/")
				p.Transforms = append(p.Transforms, ike.Transform{Type: ike.TransformENCR, ID: uint16(number(id)), KeyLength: uint16(number(length))})
			}
		}
		sa.Proposals = append(sa.Proposals, p)
	}
	return sa, nil
}

func (sp speaker) ke(fields []string) ([]ike.Body, error) {
	group, length := ike.GroupCurve25519, -1
	for _, f := range fields {
		if rest, ok := strings.CutPrefix(f, "len="); ok {
			length = number(rest)
		} else {
			group = ike.Group(number(f))
		}
	}
	if length < 0 {
		length = publicLength(group)
	}
	data := make([]byte, length)
	for i := range data {
		data[i] = 0xee
	}
	return []ike.Body{ike.KeyExchange{Group: group, Data: data}}, nil
}

func notifyWord(args string) ([]ike.Body, error) {
	name, data, _ := strings.Cut(args, "=")
	octets, err := hex.DecodeString(data)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(name); err == nil {
		return []ike.Body{ike.Notify{Type: ike.NotifyType(n), Data: octets}}, nil
	}
	for n := range 0x10000 {
		if ike.NotifyType(n).String() == name {
			return []ike.Body{ike.Notify{Type: ike.NotifyType(n), Data: octets}}, nil
		}
	}
	return nil, fmt.Errorf("no such notify")
}

func deleteWord(fields []string) ([]ike.Body, error) {
	if len(fields) == 1 && fields[0] == "IKE" {
		return []ike.Body{ike.Delete{Protocol: ike.ProtocolIKE}}, nil
	}
	d := ike.Delete{Protocol: ike.ProtocolESP}
	for _, f := range fields {
		v, err := strconv.ParseUint(f, 16, 32)
		if err != nil {
			return nil, err
		}
		d.SPIs = append(d.SPIs, uint32(v))
	}
	return []ike.Body{d}, nil
}

// selectorOf reads 10.1.0.0/16, 10.1.0.1..10.1.0.9, each with [protocol/port-port] behind it or without.
func selectorOf(text string) (ike.Selector, error) {
	addresses, rest, limited := strings.Cut(strings.TrimSuffix(text, "]"), "[")
	s := ike.Selector{EndPort: 0xffff}
	if limited {
		protocol, ports, _ := strings.Cut(rest, "/")
		s.Protocol = uint8(number(protocol))
		if ports != "" {
			first, last, isRange := strings.Cut(ports, "-")
			s.StartPort, s.EndPort = uint16(number(first)), uint16(number(first))
			if isRange {
				s.EndPort = uint16(number(last))
			}
		}
	}
	var err error
	switch first, last, isRange := strings.Cut(addresses, ".."); {
	case addresses == "dynamic":
		return s, nil
	case isRange:
		if s.Start, err = netip.ParseAddr(first); err == nil {
			s.End, err = netip.ParseAddr(last)
		}
	default:
		var p netip.Prefix
		if p, err = netip.ParsePrefix(addresses); err == nil {
			s.Start, s.End = p.Masked().Addr(), lastOf(p)
		}
	}
	s.Type = selectorType(s.Start)
	return s, err
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// number is s as a number; 0 where it is none, which no script writes on purpose.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
