package creds

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
)

// Identities as strongSwan writes them, so that its configurations mean the same here.

// anyType stands for every identity. ID type 0 is reserved in RFC 7296 and never on the wire.
const anyType = 0

// prefixes say the type outright: "fqdn:moon.example.org". What follows is text, or octets in hexadecimal after #.
var prefixes = map[string]struct {
	idType ike.IDType
	parse  func(string) ([]byte, error)
}{
	"ipv4":     {ike.IDIPv4Addr, address(4)},
	"ipv6":     {ike.IDIPv6Addr, address(16)},
	"fqdn":     {ike.IDFQDN, text},
	"dns":      {ike.IDFQDN, text},
	"rfc822":   {ike.IDRFC822Addr, text},
	"email":    {ike.IDRFC822Addr, text},
	"userfqdn": {ike.IDRFC822Addr, text},
	"asn1dn":   {ike.IDDERASN1DN, parseDN},
	"keyid":    {ike.IDKeyID, text},
}

// ParseID turns the text of an identity into the type and data of an ID payload:
//
//	moon.example.org  @moon.example.org  fqdn:  dns:            FQDN
//	carol@example.org  @@carol  rfc822:  email:  userfqdn:      RFC 822 address
//	192.0.2.1  2001:db8::1  ipv4:  ipv6:                        address
//	@#0a0b  keyid:text                                          key id
//	C=CH, O=Example, CN=moon  asn1dn:                           ASN.1 distinguished name, as DER
//	{2}:text  {0x0b}:#0a0b                                      the type as a number
//	"" * %any %any6 0.0.0.0 ::                                  any: type 0, no data
func ParseID(s string) (idType uint8, data []byte, err error) {
	s = strings.TrimSpace(s)
	t, data, typed, err := typedID(s)
	if !typed {
		t, data, err = guessID(s)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("identity %q: %w", s, err)
	}
	return uint8(t), data, nil
}

// typedID reads an identity that says its type; typed is false where it does not.
func typedID(s string) (t ike.IDType, data []byte, typed bool, err error) {
	kind, rest, found := strings.Cut(s, ":")
	prefix, known := prefixes[strings.ToLower(kind)]
	if number, braced := strings.CutPrefix(kind, "{"); braced && strings.HasSuffix(number, "}") {
		n, err := strconv.ParseUint(strings.TrimSuffix(number, "}"), 0, 8)
		if err != nil || n == anyType {
			return 0, nil, true, fmt.Errorf("type between braces is no number from 1 to 255")
		}
		prefix.idType, prefix.parse, known = ike.IDType(n), text, true
	}
	if !found || !known {
		return 0, nil, false, nil
	}
	if digits, isHex := strings.CutPrefix(rest, "#"); isHex {
		data, err = hexOctets(digits)
		if n := addressLen[prefix.idType]; err == nil && n != 0 && n != len(data) {
			err = fmt.Errorf("%d octets, an address of that kind has %d", len(data), n)
		}
	} else {
		data, err = prefix.parse(rest)
	}
	return prefix.idType, data, true, err
}

// addressLen is what the ID payload's decoder insists on too.
var addressLen = map[ike.IDType]int{ike.IDIPv4Addr: 4, ike.IDIPv6Addr: 16}

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
		data, err := text(at[1:])
		return ike.IDRFC822Addr, data, err
	case named:
		data, err := text(at)
		return ike.IDFQDN, data, err
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
	if isRange(s) {
		return 0, nil, fmt.Errorf("a range of addresses is no identity in IKEv2; write one address, or %%any")
	}
	if strings.Contains(s, ":") {
		return ike.IDKeyID, []byte(s), nil
	}
	return ike.IDFQDN, []byte(s), nil
}

// isRange knows 192.0.2.0/24 and 192.0.2.1-192.0.2.9, which would otherwise pass for names.
func isRange(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	from, to, found := strings.Cut(s, "-")
	_, err1 := netip.ParseAddr(from)
	_, err2 := netip.ParseAddr(to)
	return found && err1 == nil && err2 == nil
}

func text(s string) ([]byte, error) {
	if s == "" {
		return nil, fmt.Errorf("no name after the prefix; write it, or %%any for all")
	}
	return []byte(s), nil
}

// address reads an address of that many octets.
func address(octets int) func(string) ([]byte, error) {
	return func(s string) ([]byte, error) {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" || len(addr.AsSlice()) != octets {
			return nil, fmt.Errorf("not an address of that kind; write it in numbers, without a prefix length")
		}
		return addr.AsSlice(), nil
	}
}

func hexOctets(digits string) ([]byte, error) {
	octets, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(octets) == 0 {
		return nil, fmt.Errorf("not hexadecimal; write two digits for each octet")
	}
	return octets, nil
}
