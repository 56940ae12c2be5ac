package export

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// What a message says, in the words that the scripts of reducer/testdata understand: {SAi1(20/256 prf5 ke31) KEi(31) Ni NAT}.
// Values that mean nothing to the reducer (public values, nonces, AUTH) are left to the script.

// said is a message of the peer; ok is false where a script cannot say it, because it cannot be parsed.
func said(d *record.DatagramReceived, h ike.Header) (words string, ok bool) {
	first, b := ike.PayloadType(d.GetFirstPayload()), d.GetOpened()
	if h.Exchange == ike.IKE_SA_INIT {
		first, b = h.NextPayload, d.GetDatagram()[ike.HeaderLen:]
	}
	var p ike.Payloads
	if ike.ParsePayloads(first, b, &p) != nil {
		return "", false
	}
	side := "i"
	if h.Response() {
		side = "r"
	}
	var all []string
	for _, payload := range p.All() {
		if word := payloadWord(payload, side, h, d.GetPath()); word != "" {
			all = append(all, word)
		}
	}
	return "{" + strings.Join(all, " ") + "}", true
}

func payloadWord(p ike.Payload, side string, h ike.Header, path *record.Path) string {
	var err error
	word := ""
	switch p.Type {
	case ike.PayloadSA:
		var sa ike.SA
		if sa, err = ike.ParseSA(p.Body); err == nil {
			word = "SA" + side + map[bool]string{true: "1", false: "2"}[h.Exchange == ike.IKE_SA_INIT] + "(" + proposals(sa) + ")"
		}
	case ike.PayloadKE:
		var ke ike.KeyExchange
		if ke, err = ike.ParseKeyExchange(p.Body); err == nil {
			word = fmt.Sprintf("KE%s(%d)", side, ke.Group)
		}
	case ike.PayloadNonce:
		word = fmt.Sprintf("N%s(len=%d)", side, len(p.Body))
	case ike.PayloadNotify:
		var n ike.Notify
		if n, err = ike.ParseNotify(p.Body); err == nil {
			return notify(n, h, path)
		}
	case ike.PayloadIDi, ike.PayloadIDr:
		var id ike.Identification
		if id, err = ike.ParseIdentification(p.Type, p.Body); err == nil {
			word = fmt.Sprintf("%s(%d %x)", p.Type, id.Type, id.Data)
			if id.Type == ike.IDFQDN && isWord(string(id.Data)) {
				word = fmt.Sprintf("%s(%s)", p.Type, id.Data)
			}
		}
	case ike.PayloadAUTH:
		word = "AUTH"
	case ike.PayloadTSi, ike.PayloadTSr:
		var ts ike.TrafficSelectors
		if ts, err = ike.ParseTrafficSelectors(p.Type, p.Body); err == nil {
			word = fmt.Sprintf("%s(%s)", p.Type, selectors(ts.Selectors))
		}
	case ike.PayloadDelete:
		var d ike.Delete
		if d, err = ike.ParseDelete(p.Body); err == nil && d.Protocol != ike.ProtocolAH {
			word = "D(IKE)"
			if d.Protocol == ike.ProtocolESP {
				word = "D(" + spis(d.SPIs) + ")"
			}
		}
	}
	if word == "" || err != nil { // as it is
		critical := ""
		if p.Critical {
			critical = "!"
		}
		return fmt.Sprintf("P%s(%d %s)", critical, p.Type, hex.EncodeToString(p.Body))
	}
	return word
}

// notify is N(TYPE=data); the two hashes of NAT detection are NAT, and which of them do not fit.
func notify(n ike.Notify, h ike.Header, path *record.Path) string {
	fits := func(addr []byte, port uint32) bool {
		a, _ := netip.AddrFromSlice(addr)
		hash := ike.NATDetectionHash(h.SPIi, h.SPIr, netip.AddrPortFrom(a, uint16(port)))
		return string(hash[:]) == string(n.Data)
	}
	name := n.Type.String()
	if strings.Contains(name, "(") {
		name = fmt.Sprint(uint16(n.Type))
	}
	switch {
	case n.Type == ike.NotifyNATDetectionSourceIP && fits(path.GetRemote(), path.GetRemotePort()):
		return "NAT"
	case n.Type == ike.NotifyNATDetectionSourceIP:
		return "NAT(peer)"
	case n.Type == ike.NotifyNATDetectionDestinationIP:
		return "" // NAT is both; that it does not fit here is not said
	case len(n.Data) == 0:
		return "N(" + name + ")"
	}
	return fmt.Sprintf("N(%s=%x)", name, n.Data)
}

func proposals(sa ike.SA) string {
	var all []string
	for i, p := range sa.Proposals {
		var words []string
		if int(p.Number) != i+1 {
			words = append(words, fmt.Sprintf("num=%d", p.Number))
		}
		for _, t := range p.Transforms {
			words = append(words, transform(t.Type, t.ID, t.KeyLength))
		}
		if len(p.SPI) > 0 {
			words = append(words, fmt.Sprintf("spi=%x", p.SPI))
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, "; ")
}

func transform(kind ike.TransformType, id, keyLength uint16) string {
	switch kind {
	case ike.TransformENCR:
		if keyLength != 0 {
			return fmt.Sprintf("%d/%d", id, keyLength)
		}
		return fmt.Sprint(id)
	case ike.TransformPRF:
		return fmt.Sprint("prf", id)
	case ike.TransformINTEG:
		return fmt.Sprint("integ", id)
	case ike.TransformKE:
		return fmt.Sprint("ke", id)
	case ike.TransformSN:
		return fmt.Sprint("sn", id)
	}
	return fmt.Sprint("type", uint8(kind))
}

func selectors(list []ike.Selector) string {
	var all []string
	for _, s := range list {
		word := s.Start.String() + ".." + s.End.String()
		if s.Protocol != 0 || s.StartPort != 0 || s.EndPort != 0xffff {
			word += fmt.Sprintf("[%d/%d-%d]", s.Protocol, s.StartPort, s.EndPort)
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

func spis(list []uint32) string {
	var all []string
	for _, spi := range list {
		all = append(all, fmt.Sprintf("%08x", spi))
	}
	return strings.Join(all, " ")
}

// isWord reports whether a script can have s as one word.
func isWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@:/") == ""
}

// underscored is a text as one word: the scripts take underscores for spaces.
func underscored(s string) string {
	return strings.Map(func(r rune) rune {
		if isWord(string(r)) {
			return r
		}
		return '_'
	}, s)
}
