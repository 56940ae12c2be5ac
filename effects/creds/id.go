package creds

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
)

// Identities as strongSwan writes them, so that its configurations mean the same here.

// anyType stands for every identity. ID type 0 is reserved in RFC 7296 and never on the wire.
const anyType = 0

// prefixes say the type outright: "fqdn:moon.example.org".
var prefixes = map[string]func(string) (ike.IDType, []byte, error){
	"ipv4":     address(ike.IDIPv4Addr),
	"ipv6":     address(ike.IDIPv6Addr),
	"fqdn":     text(ike.IDFQDN),
	"dns":      text(ike.IDFQDN),
	"rfc822":   text(ike.IDRFC822Addr),
	"email":    text(ike.IDRFC822Addr),
	"userfqdn": text(ike.IDRFC822Addr),
	"keyid":    keyID,
	"asn1dn":   derName,
}

// ParseID turns the text of an identity into the type and data of an ID payload:
//
//	moon.example.org  @moon.example.org  fqdn:moon...  dns:moon...   FQDN
//	carol@example.org  @@carol@...  rfc822:  email:  userfqdn:       RFC 822 address
//	192.0.2.1  2001:db8::1  ipv4:  ipv6:                             address
//	@#0a0b  keyid:text  keyid:0x0a0b                                 key id
//	C=CH, O=Example, CN=moon  asn1dn:#3045...                        DER of an ASN.1 distinguished name
//	"" * %any %any6 0.0.0.0 ::                                       any: type 0, no data
func ParseID(s string) (idType uint8, data []byte, err error) {
	s = strings.TrimSpace(s)
	if kind, rest, found := strings.Cut(s, ":"); found {
		if parse := prefixes[strings.ToLower(kind)]; parse != nil {
			t, data, err := parse(rest)
			if err != nil {
				return 0, nil, fmt.Errorf("identity %q: %w", s, err)
			}
			return uint8(t), data, nil
		}
	}
	t, data, err := guessID(s)
	if err != nil {
		return 0, nil, fmt.Errorf("identity %q: %w", s, err)
	}
	return uint8(t), data, nil
}

// guessID finds the type from the text's form, in strongSwan's order.
func guessID(s string) (ike.IDType, []byte, error) {
	switch s {
	case "", "*", "%any", "%any6", "0.0.0.0", "::", "0::0":
		return anyType, nil, nil
	}
	at, named := strings.CutPrefix(s, "@")
	switch {
	case strings.HasPrefix(at, "#") && named:
		octets, err := hexOctets(at[1:])
		return ike.IDKeyID, octets, err
	case strings.HasPrefix(at, "@") && named:
		return text(ike.IDRFC822Addr)(at[1:])
	case named:
		return text(ike.IDFQDN)(at)
	case strings.Contains(s, "="):
		name, err := parseDN(s)
		if err != nil {
			return ike.IDKeyID, []byte(s), nil // what only looked like a name is taken as it stands
		}
		return ike.IDDERASN1DN, name, nil
	case strings.Contains(s, "@"):
		return ike.IDRFC822Addr, []byte(s), nil
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		if addr.Is4() {
			return ike.IDIPv4Addr, addr.AsSlice(), nil
		}
		return ike.IDIPv6Addr, addr.AsSlice(), nil
	}
	if strings.Contains(s, ":") {
		return ike.IDKeyID, []byte(s), nil
	}
	return ike.IDFQDN, []byte(s), nil
}

func text(t ike.IDType) func(string) (ike.IDType, []byte, error) {
	return func(s string) (ike.IDType, []byte, error) {
		if s == "" {
			return 0, nil, fmt.Errorf("no name after the prefix; write it, or %%any for all")
		}
		return t, []byte(s), nil
	}
}

func address(t ike.IDType) func(string) (ike.IDType, []byte, error) {
	return func(s string) (ike.IDType, []byte, error) {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" || addr.Is4() != (t == ike.IDIPv4Addr) {
			return 0, nil, fmt.Errorf("not an address of that kind; write it in numbers, without a prefix length")
		}
		return t, addr.AsSlice(), nil
	}
}

// keyID is octets as they are, or hexadecimal after 0x or #.
func keyID(s string) (ike.IDType, []byte, error) {
	for _, mark := range []string{"0x", "#"} {
		if digits, found := strings.CutPrefix(s, mark); found {
			octets, err := hexOctets(digits)
			return ike.IDKeyID, octets, err
		}
	}
	return text(ike.IDKeyID)(s)
}

// derName is a distinguished name as text, or its DER in hexadecimal after #.
func derName(s string) (ike.IDType, []byte, error) {
	parse := parseDN
	if digits, found := strings.CutPrefix(s, "#"); found {
		parse, s = hexOctets, digits
	}
	name, err := parse(s)
	return ike.IDDERASN1DN, name, err
}

func hexOctets(digits string) ([]byte, error) {
	octets, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(octets) == 0 {
		return nil, fmt.Errorf("not hexadecimal; write two digits for each octet")
	}
	return octets, nil
}
