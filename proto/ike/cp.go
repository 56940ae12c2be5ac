package ike

import "encoding/binary"

// The Configuration payload (RFC 7296, section 3.15): what a remote access client asks for, and gets, of the network
// behind us.

// CPType says whether attributes are asked for, given, pushed or acknowledged.
type CPType uint8

// Configuration types: RFC 7296 section 3.15.
const (
	CPRequest CPType = 1
	CPReply   CPType = 2
	CPSet     CPType = 3
	CPAck     CPType = 4
)

func (t CPType) String() string { return nameOf(cpNames, "CFG", t) }

var cpNames = map[CPType]string{CPRequest: "CFG_REQUEST", CPReply: "CFG_REPLY", CPSet: "CFG_SET", CPAck: "CFG_ACK"}

// CPAttributeType is what a configuration attribute is about: 15 bits on the wire.
type CPAttributeType uint16

// Configuration attributes: RFC 7296 section 3.15.1; 17 18 RFC 5739, 25 26 RFC 8598, 27 to 29 RFC 9464.
const (
	CPInternalIP4Address  CPAttributeType = 1
	CPInternalIP4Netmask  CPAttributeType = 2
	CPInternalIP4DNS      CPAttributeType = 3
	CPInternalIP4NBNS     CPAttributeType = 4
	CPInternalIP4DHCP     CPAttributeType = 6
	CPApplicationVersion  CPAttributeType = 7
	CPInternalIP6Address  CPAttributeType = 8
	CPInternalIP6DNS      CPAttributeType = 10
	CPInternalIP6DHCP     CPAttributeType = 12
	CPInternalIP4Subnet   CPAttributeType = 13
	CPSupportedAttributes CPAttributeType = 14
	CPInternalIP6Subnet   CPAttributeType = 15
	CPInternalIP6Link     CPAttributeType = 17
	CPInternalIP6Prefix   CPAttributeType = 18
	CPInternalDNSDomain   CPAttributeType = 25
	CPInternalDNSSECTA    CPAttributeType = 26
	CPEncDNSIP4           CPAttributeType = 27
	CPEncDNSIP6           CPAttributeType = 28
	CPEncDNSDigestInfo    CPAttributeType = 29
)

func (t CPAttributeType) String() string { return nameOf(cpAttributeNames, "ATTRIBUTE", t) }

var cpAttributeNames = map[CPAttributeType]string{
	CPInternalIP4Address: "INTERNAL_IP4_ADDRESS", CPInternalIP4Netmask: "INTERNAL_IP4_NETMASK",
	CPInternalIP4DNS: "INTERNAL_IP4_DNS", CPInternalIP4NBNS: "INTERNAL_IP4_NBNS",
	CPInternalIP4DHCP: "INTERNAL_IP4_DHCP", CPApplicationVersion: "APPLICATION_VERSION",
	CPInternalIP6Address: "INTERNAL_IP6_ADDRESS", CPInternalIP6DNS: "INTERNAL_IP6_DNS",
	CPInternalIP6DHCP: "INTERNAL_IP6_DHCP", CPInternalIP4Subnet: "INTERNAL_IP4_SUBNET",
	CPSupportedAttributes: "SUPPORTED_ATTRIBUTES", CPInternalIP6Subnet: "INTERNAL_IP6_SUBNET",
	CPInternalIP6Link: "INTERNAL_IP6_LINK", CPInternalIP6Prefix: "INTERNAL_IP6_PREFIX",
	CPInternalDNSDomain: "INTERNAL_DNS_DOMAIN", CPInternalDNSSECTA: "INTERNAL_DNSSEC_TA",
	CPEncDNSIP4: "ENCDNS_IP4", CPEncDNSIP6: "ENCDNS_IP6", CPEncDNSDigestInfo: "ENCDNS_DIGEST_INFO",
}

// cpValueLen is the length a value has where the RFC fixes one (section 3.15.1). No value at all is always allowed: that
// is how a value is asked for.
var cpValueLen = map[CPAttributeType]int{
	CPInternalIP4Address: 4, CPInternalIP4Netmask: 4, CPInternalIP4DNS: 4, CPInternalIP4NBNS: 4, CPInternalIP4DHCP: 4,
	CPInternalIP6Address: 17, CPInternalIP6DNS: 16, CPInternalIP6DHCP: 16, CPInternalIP4Subnet: 8, CPInternalIP6Subnet: 17,
}

// MaxCPAttributes is how many attributes a Configuration payload may have: ours. Split DNS is what needs many.
const MaxCPAttributes = 256

// Configuration is one CP payload.
type Configuration struct {
	Type       CPType
	Attributes []CPAttribute
}

// CPAttribute is one attribute; Value is as on the wire, and empty where it is asked for without a wish.
type CPAttribute struct {
	Type  CPAttributeType
	Value []byte
}

const (
	errCPShort  = Malformed("CP payload cut short")
	errCPLength = Malformed("CP attribute longer than the payload")
	errCPCount  = Malformed("more than 256 CP attributes")
	errCPValue  = Malformed("CP attribute value is not of its type's length")
)

// ParseConfiguration reads a CP payload's body (PROTOCOL.md N-71). Attributes of types we do not know are kept.
func ParseConfiguration(body []byte) (Configuration, error) {
	if len(body) < 4 {
		return Configuration{}, errCPShort
	}
	c := Configuration{Type: CPType(body[0])}
	for body = body[4:]; len(body) > 0; {
		if len(body) < 4 {
			return Configuration{}, errCPLength
		}
		if len(c.Attributes) == MaxCPAttributes {
			return Configuration{}, errCPCount
		}
		a := CPAttribute{Type: CPAttributeType(binary.BigEndian.Uint16(body) & 0x7fff)} // the top bit is reserved
		end := 4 + int(binary.BigEndian.Uint16(body[2:]))
		if end > len(body) {
			return Configuration{}, errCPLength
		}
		a.Value, body = body[4:end:end], body[end:]
		if want, fixed := cpValueLen[a.Type]; fixed && len(a.Value) != 0 && len(a.Value) != want {
			return Configuration{}, errCPValue
		}
		c.Attributes = append(c.Attributes, a)
	}
	return c, nil
}

// PayloadType is CP.
func (Configuration) PayloadType() PayloadType { return PayloadCP }

// AppendBody writes the CP payload.
func (c Configuration) AppendBody(dst []byte) []byte {
	dst = append(dst, byte(c.Type), 0, 0, 0)
	for _, a := range c.Attributes {
		dst = binary.BigEndian.AppendUint16(dst, uint16(a.Type))
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(a.Value)))
		dst = append(dst, a.Value...)
	}
	return dst
}
