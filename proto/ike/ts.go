package ike

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// The Traffic Selector payloads, TSi and TSr (RFC 7296, sections 3.13 and 2.9): which packets a Child SA is for, as
// ranges of addresses and ports.

// TSType is the form of a selector.
type TSType uint8

// Selector types: RFC 7296 section 3.13.1; Fibre Channel RFC 4595, security label RFC 9478. We know the first two.
const (
	TSIPv4AddrRange TSType = 7
	TSIPv6AddrRange TSType = 8
	TSFCAddrRange   TSType = 9
	TSSecLabel      TSType = 10
)

func (t TSType) String() string { return nameOf(tsNames, "TS", t) }

var tsNames = map[TSType]string{
	TSIPv4AddrRange: "TS_IPV4_ADDR_RANGE", TSIPv6AddrRange: "TS_IPV6_ADDR_RANGE", TSFCAddrRange: "TS_FC_ADDR_RANGE",
	TSSecLabel: "TS_SECLABEL",
}

// TrafficSelectors is TSi where Initiator is true, else TSr. The first selector may be that of the very packet that made
// its sender want the SA.
type TrafficSelectors struct {
	Initiator bool
	Selectors []Selector
}

// Selector is one range of addresses and ports, ends included. Protocol 0 is any; ports of 65535 to 0 are OPAQUE, for
// ICMP they are type and code. A selector of a type we do not know has Raw, what follows its length, and no addresses:
// it is ignored, and where there are no others the answer is TS_UNACCEPTABLE (PROTOCOL.md X-45).
type Selector struct {
	Type               TSType
	Protocol           uint8
	StartPort, EndPort uint16
	Start, End         netip.Addr
	Raw                []byte
}

// Known says whether the selector is of a type we can use.
func (s Selector) Known() bool { return s.Type == TSIPv4AddrRange || s.Type == TSIPv6AddrRange }

// Opaque is true where ports are said to be hidden: only packets whose ports cannot be seen match (section 3.13.1).
func (s Selector) Opaque() bool { return s.StartPort == 0xffff && s.EndPort == 0 }

const (
	selectorHeaderLen = 4
	selectorIPv4Len   = 16
	selectorIPv6Len   = 40
)

const (
	errTSShort   = Malformed("TS payload cut short")
	errTSEmpty   = Malformed("TS payload without a selector")
	errTSCount   = Malformed("TS selector count does not fit the payload")
	errTSLength  = Malformed("TS selector length does not fit its type")
	errTSAddress = Malformed("TS selector starts after its end")
	errTSPorts   = Malformed("TS selector's ports are reversed")
)

// ParseTrafficSelectors reads the body of a TSi (t is PayloadTSi) or TSr (PROTOCOL.md N-56).
func ParseTrafficSelectors(t PayloadType, body []byte) (TrafficSelectors, error) {
	if len(body) < 4 {
		return TrafficSelectors{}, errTSShort
	}
	count := int(body[0])
	body = body[4:]
	switch {
	case count == 0:
		return TrafficSelectors{}, errTSEmpty
	case count > len(body)/selectorHeaderLen:
		return TrafficSelectors{}, errTSCount
	}
	ts := TrafficSelectors{Initiator: t == PayloadTSi, Selectors: make([]Selector, 0, count)}
	for range count {
		if len(body) < selectorHeaderLen {
			return TrafficSelectors{}, errTSCount
		}
		length := int(binary.BigEndian.Uint16(body[2:]))
		if length < selectorHeaderLen || length > len(body) {
			return TrafficSelectors{}, errTSLength
		}
		s, err := parseSelector(body[:length:length])
		if err != nil {
			return TrafficSelectors{}, err
		}
		ts.Selectors, body = append(ts.Selectors, s), body[length:]
	}
	if len(body) > 0 {
		return TrafficSelectors{}, errTSCount
	}
	return ts, nil
}

// parseSelector reads one selector, b exactly.
func parseSelector(b []byte) (Selector, error) {
	s := Selector{Type: TSType(b[0]), Protocol: b[1]}
	switch {
	case !s.Known():
		s.Raw = b[selectorHeaderLen:]
		return s, nil
	case s.Type == TSIPv4AddrRange && len(b) != selectorIPv4Len, s.Type == TSIPv6AddrRange && len(b) != selectorIPv6Len:
		return s, errTSLength
	}
	s.StartPort, s.EndPort = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	addresses := b[8:]
	s.Start, _ = netip.AddrFromSlice(addresses[:len(addresses)/2])
	s.End, _ = netip.AddrFromSlice(addresses[len(addresses)/2:])
	switch {
	case s.End.Less(s.Start):
		return s, errTSAddress
	case s.StartPort > s.EndPort && !s.Opaque():
		return s, errTSPorts
	}
	return s, nil
}

// PayloadType is TSi or TSr.
func (ts TrafficSelectors) PayloadType() PayloadType {
	if ts.Initiator {
		return PayloadTSi
	}
	return PayloadTSr
}

// MaxSelectors is how many selectors fit into a TS payload.
const MaxSelectors = 255

// AppendBody writes the TS payload. At most MaxSelectors fit, and addresses must be of their type's family.
func (ts TrafficSelectors) AppendBody(dst []byte) []byte {
	dst = append(dst, count8(len(ts.Selectors), "selectors"), 0, 0, 0)
	for _, s := range ts.Selectors {
		start := len(dst)
		dst = append(dst, byte(s.Type), s.Protocol, 0, 0)
		if s.Known() {
			if v4 := s.Type == TSIPv4AddrRange; v4 != s.Start.Is4() || v4 != s.End.Is4() || !s.Start.IsValid() || !s.End.IsValid() {
				panic(fmt.Sprintf("ike: %v with addresses %v to %v", s.Type, s.Start, s.End))
			}
			dst = binary.BigEndian.AppendUint16(dst, s.StartPort)
			dst = binary.BigEndian.AppendUint16(dst, s.EndPort)
			dst = append(append(dst, s.Start.AsSlice()...), s.End.AsSlice()...)
		} else {
			dst = append(dst, s.Raw...)
		}
		binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start))
	}
	return dst
}
