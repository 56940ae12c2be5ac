package creds

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	"github.com/ikejd/ikejd/proto/ike"
)

// String is the identity for people: a name or an address as it is, anything else by type and octets; "%any" for type 0.
// A peer chose it, so what is not plain text is quoted.
func (id ID) String() string {
	switch t := ike.IDType(id.Type); t {
	case 0:
		return "%any"
	case ike.IDFQDN, ike.IDRFC822Addr:
		text := string(id.Data)
		if quoted := strconv.QuoteToASCII(text); quoted != `"`+text+`"` {
			return quoted
		}
		return text
	case ike.IDIPv4Addr, ike.IDIPv6Addr:
		if a, ok := netip.AddrFromSlice(id.Data); ok {
			return a.String()
		}
		return "#" + hex.EncodeToString(id.Data)
	case ike.IDKeyID:
		return "@#" + hex.EncodeToString(id.Data)
	default:
		return t.String() + " #" + hex.EncodeToString(id.Data)
	}
}
