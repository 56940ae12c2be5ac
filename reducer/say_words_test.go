package reducer

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
)

// The words of say_test.go that take more than a line to read.

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
	if named, spi, ok := strings.Cut(name, ":"); ok {
		v, err := strconv.ParseUint(spi, 16, 32)
		if err != nil {
			return nil, err
		}
		for n := range 0x10000 {
			if ike.NotifyType(n).String() == named {
				return []ike.Body{ike.ChildNotify(ike.NotifyType(n), ike.ProtocolESP, uint32(v))}, nil
			}
		}
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
