package conf

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Traffic selectors of local_ts and remote_ts: subnet, range, address or "dynamic", then [protocol/port] if wanted.

var (
	errSelector = errors.New("not a traffic selector; write a subnet, a range, an address or dynamic, with [proto/port] behind it if wanted: 10.1.0.0/16[tcp/80-90]")
	errProtocol = errors.New("unknown protocol in the brackets; write its name, such as tcp, or its number")
	errPort     = errors.New("not a port in the brackets; write a number, a range such as 80-90, a service such as http, or opaque")
)

// protocols are the names of /etc/protocols that people write, with the numbers of IANA. A host's own file does not
// count: a configuration means the same everywhere.
var protocols = map[string]uint8{
	"any": 0, "icmp": 1, "igmp": 2, "ipip": 4, "ipencap": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "dccp": 33,
	"ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58, "eigrp": 88, "ospf": 89, "pim": 103,
	"ipcomp": 108, "vrrp": 112, "l2tp": 115, "sctp": 132, "mobility-header": 135, "udplite": 136,
}

func parseSelector(text string) (Selector, error) {
	s := Selector{PortHigh: math.MaxUint16}
	address, brackets, restricted := strings.Cut(text, "[")
	if restricted {
		inside, closed := strings.CutSuffix(strings.TrimSpace(brackets), "]")
		if !closed {
			return s, errSelector
		}
		if err := s.restrict(inside); err != nil {
			return s, err
		}
	}
	address = strings.TrimSpace(address)
	if address == "dynamic" || address == "%dynamic" {
		s.Dynamic = true
		return s, nil
	}
	if addr, err := netip.ParseAddr(address); err == nil && addr.Zone() == "" {
		s.Low, s.High = addr, addr
		return s, nil
	}
	if prefix, err := netip.ParsePrefix(address); err == nil {
		s.Low, s.High = prefix.Masked().Addr(), lastAddr(prefix)
		return s, nil
	}
	low, high, ok := parseRange(address)
	if !ok {
		return s, errSelector
	}
	s.Low, s.High = low, high
	return s, nil
}

// restrict reads what stands in brackets: protocol, or protocol/port.
func (s *Selector) restrict(text string) error {
	protocol, port, hasPort := strings.Cut(text, "/")
	protocol = strings.ToLower(strings.TrimSpace(protocol))
	if number, ok := protocols[protocol]; ok {
		s.Protocol = number
	} else if number, err := parseNumber(protocol, math.MaxUint8); err == nil {
		s.Protocol = uint8(number)
	} else if protocol != "" {
		return errProtocol
	}
	if !hasPort {
		return nil
	}
	port = strings.ToLower(strings.TrimSpace(port))
	if port == "any" || port == "" {
		return nil
	}
	if port == "opaque" {
		s.PortLow, s.PortHigh = math.MaxUint16, 0 // RFC 7296, section 3.13.1
		return nil
	}
	first, last, isRange := strings.Cut(port, "-")
	low, okLow := parsePort(s.Protocol, strings.TrimSpace(first))
	high := low
	okHigh := true
	if isRange && okLow {
		high, okHigh = parsePort(s.Protocol, strings.TrimSpace(last))
	} else if !okLow {
		low, okLow = parsePort(s.Protocol, port) // a service with a dash in its name
		high = low
	}
	if !okLow || !okHigh || low > high {
		return errPort
	}
	s.PortLow, s.PortHigh = low, high
	return nil
}

// parsePort reads a number or the name of a service. For ICMP the number is type * 256 + code (section 3.13.1).
func parsePort(protocol uint8, text string) (uint16, bool) {
	if number, err := strconv.ParseUint(text, 10, 16); err == nil {
		return uint16(number), true
	}
	network := "tcp"
	if protocol == protocols["udp"] {
		network = "udp"
	}
	if text == "" || protocol == protocols["icmp"] || protocol == protocols["icmpv6"] {
		return 0, false
	}
	port, err := net.LookupPort(network, text) // a table and /etc/services, no question to the network
	return uint16(port), err == nil
}

// lastAddr is the highest address of a subnet.
func lastAddr(prefix netip.Prefix) netip.Addr {
	octets := prefix.Addr().AsSlice()
	for i := prefix.Bits(); i < len(octets)*8; i++ {
		octets[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(octets)
	return last
}
