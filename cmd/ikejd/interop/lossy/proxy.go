package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/netip"
	"strings"
)

func runProxy(pair string, lanes [2]*lane) error {
	from, to, _ := strings.Cut(pair, "=")
	listen, err := netip.ParseAddrPort(from)
	if err != nil {
		return fmt.Errorf("-proxy %s: %w", pair, err)
	}
	target, err := netip.ParseAddrPort(to)
	if err != nil {
		return fmt.Errorf("-proxy %s: %w", pair, err)
	}
	front, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(listen))
	if err != nil {
		return err
	}
	go func() {
		backs := map[netip.AddrPort]*net.UDPConn{} // one socket for each client, as a NAT has
		buf := make([]byte, 65536)
		for {
			n, client, err := front.ReadFromUDPAddrPort(buf)
			if err != nil {
				continue // an ICMP error of an earlier send
			}
			client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
			back := backs[client]
			if back == nil {
				if back, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(target)); err != nil {
					log.Print("lossy: ", err)
					continue
				}
				backs[client] = back
				go relayBack(front, back, client, listen, target, lanes[1])
			}
			data := append([]byte(nil), buf[:n]...)
			ike, what := describe(data, target.Port())
			lanes[0].send(&packet{
				in: lanes[0].sent.udp(client, listen, data), out: lanes[0].sent.udp(local(back), target, data),
				ike: ike, what: what, deliver: func() { back.Write(data) },
			})
		}
	}()
	return nil
}

func relayBack(front, back *net.UDPConn, client, listen, target netip.AddrPort, l *lane) {
	buf := make([]byte, 65536)
	for {
		n, err := back.Read(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		data := append([]byte(nil), buf[:n]...)
		ike, what := describe(data, target.Port())
		l.send(&packet{
			in: l.sent.udp(target, local(back), data), out: l.sent.udp(listen, client, data),
			ike: ike, what: what, deliver: func() { front.WriteToUDPAddrPort(data, client) },
		})
	}
}

func local(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }
