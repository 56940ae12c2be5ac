package daemon

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
)

// What strongSwan's tools call things that we call otherwise.

// charonNames are algorithms of which more than the registry in front differs from the RFCs' name.
var charonNames = map[string]string{
	"Curve25519": "CURVE_25519", "Curve448": "CURVE_448",
	"brainpoolP256r1": "ECP_256_BP", "brainpoolP384r1": "ECP_384_BP", "brainpoolP512r1": "ECP_512_BP",
}

// algorithmName is an algorithm as charon says it: AES_GCM_16, HMAC_SHA2_256_128, PRF_HMAC_SHA2_256, CURVE_25519.
func algorithmName(t ike.TransformType, id uint16) string {
	name := ike.Transform{Type: t, ID: id}.String()
	if other, differs := charonNames[name]; differs {
		return other
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, "ENCR_"), "AUTH_")
}

// phaseName is how far an IKE SA is.
func phaseName(p reducer.Phase) string {
	switch p {
	case reducer.HalfOpen:
		return "CONNECTING"
	case reducer.Established:
		return "ESTABLISHED"
	case reducer.Rekeyed:
		return "REKEYED"
	case reducer.Deleting:
		return "DELETING"
	case reducer.Lingering, reducer.Discarded:
		return "DESTROYING"
	case reducer.NoPhase:
	}
	return "CREATED"
}

var taskNames = map[string]string{"init": "IKE_INIT", "auth": "IKE_AUTH", "refuse-auth": "IKE_AUTH", "liveness": "IKE_DPD",
	"delete-ike": "IKE_DELETE", "delete-child": "CHILD_DELETE",
	"create-child": "CHILD_CREATE", "rekey-child": "CHILD_REKEY", "rekey-ike": "IKE_REKEY"}

// taskName is what a wish, waiting or in flight, is to strongSwan.
func taskName(w reducer.Wish) string {
	if name, known := taskNames[w.String()]; known {
		return name
	}
	return w.String()
}

func modeName(transport bool) string {
	if transport {
		return "TRANSPORT"
	}
	return "TUNNEL"
}

func actionName(a conf.Action) string {
	if a == conf.ActionStart {
		return "start"
	}
	return "none"
}

func selectorTexts(list []ike.Selector) []string {
	var texts []string
	for _, s := range list {
		texts = append(texts, selectorText(&record.Selector{Protocol: uint32(s.Protocol), StartPort: uint32(s.StartPort),
			EndPort: uint32(s.EndPort), Start: s.Start.AsSlice(), End: s.End.AsSlice()}))
	}
	return texts
}

// selectorText is a traffic selector; strongSwan writes a single address as a prefix, too.
func selectorText(s *record.Selector) string {
	said := text.Selectors([]*record.Selector{s})
	start, ok := netip.AddrFromSlice(s.GetStart())
	if end, _ := netip.AddrFromSlice(s.GetEnd()); !ok || start != end {
		return said
	}
	host := start.String()
	return host + "/" + strconv.Itoa(start.BitLen()) + strings.TrimPrefix(said, host)
}
