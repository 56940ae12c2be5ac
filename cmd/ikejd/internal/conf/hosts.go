package conf

import (
	"errors"
	"net/netip"
	"strings"
)

var errHost = errors.New("not an address; write an address, a subnet such as 10.0.0.0/8, a range such as 10.0.0.1-10.0.0.9, a name, or %any")

// parseHosts reads local_addrs and remote_addrs. %any alone is the empty list; among others it is the two subnets that
// hold everything, so that the others are still there to initiate with.
func parseHosts(r *reader, key string) []Host {
	var hosts []Host
	anyHost := false
	r.list(key, func(text string) error {
		switch text {
		case "%any", "0.0.0.0", "::":
			anyHost = true
			return nil
		case "%any4":
			text = "0.0.0.0/0"
		case "%any6":
			text = "::/0"
		}
		host, err := parseHost(text)
		if err == nil {
			hosts = append(hosts, host)
		}
		return err
	})
	if anyHost && len(hosts) > 0 {
		hosts = append(hosts, Host{Prefix: netip.MustParsePrefix("0.0.0.0/0")}, Host{Prefix: netip.MustParsePrefix("::/0")})
	}
	return hosts
}

func parseHost(text string) (Host, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return Host{Addr: addr}, nil
	}
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return Host{}, errHost
		}
		return Host{Prefix: prefix.Masked()}, nil
	}
	if low, high, ok := parseRange(text); ok {
		return Host{Low: low, High: high}, nil
	}
	if !hostName(text) {
		return Host{}, errHost
	}
	return Host{Name: text}, nil
}

// parseRange reads two addresses of one family, the lower first.
func parseRange(text string) (low, high netip.Addr, ok bool) {
	first, last, found := strings.Cut(text, "-")
	if !found {
		return low, high, false
	}
	low, errLow := netip.ParseAddr(strings.TrimSpace(first))
	high, errHigh := netip.ParseAddr(strings.TrimSpace(last))
	return low, high, errLow == nil && errHigh == nil && low.BitLen() == high.BitLen() && low.Compare(high) <= 0
}

// hostName accepts what a resolver can be asked for, and no address that was mistyped: the last label of a name is
// never all digits.
func hostName(text string) bool {
	if len(text) > 253 {
		return false
	}
	labels := strings.Split(strings.TrimSuffix(text, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}
