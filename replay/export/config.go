package export

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
)

// A configuration in the words of the scripts. Addresses are left out: a script has one path for all.

func configured(c *record.Config) string {
	var b strings.Builder
	b.WriteString("config\n")
	for _, connection := range c.GetConnections() {
		fmt.Fprintf(&b, "connection %s", underscored(connection.GetName()))
		option(&b, "id", name(connection.GetLocalId()))
		option(&b, "peer", name(connection.GetRemoteId()))
		option(&b, "ike", offers(connection.GetProposals()))
		if d := connection.GetDpdDelay(); d != 0 {
			option(&b, "dpd", time.Duration(d).String())
		}
		if n := connection.GetKeyingTries(); n != 0 {
			option(&b, "tries", fmt.Sprint(n))
		}
		if connection.GetUnique() != record.Unique_UNIQUE_NO {
			option(&b, "unique", strings.ToLower(strings.TrimPrefix(connection.GetUnique().String(), "UNIQUE_")))
		}
		flag(&b, "encap", connection.GetEncap())
		b.WriteByte('\n')
		for _, child := range connection.GetChildren() {
			fmt.Fprintf(&b, "child %s", underscored(child.GetName()))
			option(&b, "local", networks(child.GetLocalTs()))
			option(&b, "remote", networks(child.GetRemoteTs()))
			option(&b, "esp", offers(child.GetProposals()))
			flag(&b, "transport", child.GetTransportMode())
			flag(&b, "start", child.GetStartAction() == record.StartAction_START_ACTION_START)
			flag(&b, "dpd-start", child.GetDpdAction() == record.StartAction_START_ACTION_START)
			flag(&b, "close-start", child.GetCloseAction() == record.StartAction_START_ACTION_START)
			b.WriteByte('\n')
		}
	}
	var settings strings.Builder
	s := c.GetSettings()
	number := func(key string, n uint32) {
		if n != 0 {
			option(&settings, key, fmt.Sprint(n))
		}
	}
	span := func(key string, ns uint64) {
		if ns != 0 {
			option(&settings, key, time.Duration(ns).String())
		}
	}
	number("retransmit-sends", s.GetRetransmitSends())
	span("half-open", s.GetHalfOpen())
	number("half-open-most", s.GetHalfOpenMost())
	number("shutdown-rate", s.GetShutdownRate())
	span("discard-after", s.GetDiscardAfter())
	if settings.Len() > 0 {
		b.WriteString("settings" + settings.String() + "\n")
	}
	return b.String()
}

func option(b *strings.Builder, key, value string) {
	if value != "" {
		fmt.Fprintf(b, " %s=%s", key, value)
	}
}

func flag(b *strings.Builder, word string, on bool) {
	if on {
		b.WriteString(" " + word)
	}
}

// name is an identity as a script can say it: all are names there.
func name(id *record.Identity) string {
	if id.GetType() == 0 {
		return ""
	}
	return underscored(string(id.GetData()))
}

// offers are proposals: 20/256-prf5-ke31,12/256-integ12-prf5-ke19.
func offers(list []*record.Proposal) string {
	var all []string
	for _, p := range list {
		var words []string
		for _, c := range p.GetCiphers() {
			words = append(words, transform(ike.TransformENCR, uint16(c.GetId()), uint16(c.GetKeyLength())))
		}
		for _, kind := range []struct {
			of  ike.TransformType
			ids []uint32
		}{{ike.TransformINTEG, p.GetIntegs()}, {ike.TransformPRF, p.GetPrfs()}, {ike.TransformKE, p.GetGroups()}, {ike.TransformSN, p.GetSequenceNumbers()}} {
			for _, id := range kind.ids {
				words = append(words, transform(kind.of, uint16(id), 0))
			}
		}
		all = append(all, strings.Join(words, "-"))
	}
	return strings.Join(all, ",")
}

func networks(list []*record.Selector) string {
	var all []string
	for _, s := range list {
		start, ok := netip.AddrFromSlice(s.GetStart())
		end, _ := netip.AddrFromSlice(s.GetEnd())
		word := "dynamic"
		if ok {
			word = selectors([]ike.Selector{{Protocol: uint8(s.GetProtocol()), StartPort: uint16(s.GetStartPort()), EndPort: uint16(s.GetEndPort()), Start: start, End: end}})
		}
		all = append(all, word)
	}
	return strings.Join(all, ",")
}
