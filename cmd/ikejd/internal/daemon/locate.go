package daemon

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/conf"
	"github.com/ikejd/ikejd/reducer"
)

// resolveWait is how long a name may take to resolve.
const resolveWait = 5 * time.Second

// locate finds where an IKE_SA_INIT for a connection goes and where it leaves: the first remote address that is one host,
// and of ours the one the kernel would take to reach it.
func (d *Daemon) locate(c *reducer.Connection) (reducer.Path, error) {
	connection := d.config.connection(c.Name)
	if connection == nil {
		return reducer.Path{}, fmt.Errorf("no connection %q in the configuration", c.Name)
	}
	remote, err := oneHost(connection.RemoteAddrs)
	if err != nil {
		return reducer.Path{}, fmt.Errorf("connection %s: %w; set remote_addrs to the peer's address", c.Name, err)
	}
	local, err := localAddress(connection.LocalAddrs, remote)
	if err != nil {
		return reducer.Path{}, fmt.Errorf("connection %s: %w", c.Name, err)
	}
	port := d.ikePort
	if connection.LocalPort != 0 && connection.LocalPort == d.natPort {
		port = d.natPort
	}
	return reducer.Path{Local: netip.AddrPortFrom(local, port), Remote: netip.AddrPortFrom(remote, connection.RemotePort)}, nil
}

// oneHost is the first entry that is a single address or a name.
func oneHost(hosts []conf.Host) (netip.Addr, error) {
	for _, h := range hosts {
		switch {
		case h.Addr.IsValid() && !h.Addr.IsUnspecified():
			return h.Addr, nil
		case h.Name != "":
			ctx, cancel := context.WithTimeout(context.Background(), resolveWait)
			defer cancel()
			addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h.Name)
			if err != nil {
				return netip.Addr{}, err
			}
			return addresses[0].Unmap(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("no single peer to initiate to")
}

// localAddress is the configured one, or what the kernel's routes say.
func localAddress(hosts []conf.Host, remote netip.Addr) (netip.Addr, error) {
	for _, h := range hosts {
		if h.Addr.IsValid() && !h.Addr.IsUnspecified() && h.Addr.Is4() == remote.Is4() {
			return h.Addr, nil
		}
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 500)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no way to %v: %w", remote, err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
