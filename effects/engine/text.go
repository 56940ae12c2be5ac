package engine

import (
	"encoding/hex"
	"net/netip"
	"strconv"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/reducer"
)

// idText is an identity for people: a stranger chose it, so it is quoted where it is text.
func idText(id reducer.Identity) string {
	switch id.Type {
	case ike.IDFQDN, ike.IDRFC822Addr:
		return strconv.Quote(id.Data)
	case ike.IDIPv4Addr, ike.IDIPv6Addr:
		if a, ok := netip.AddrFromSlice([]byte(id.Data)); ok {
			return a.String()
		}
	}
	return id.Type.String() + " " + hex.EncodeToString([]byte(id.Data))
}
