package demo

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/ikejd/ikejd/proto/ike"
)

// wire joins west to east and loses datagrams when told. To west it is east, and to east it is west, so both find a NAT
// between them and go on behind the non-ESP marker: what has the marker goes to the other's NAT port.
type wire struct {
	toWest, toEast side
	mu             sync.Mutex
	lose           func(h ike.Header, fromWest bool) bool
	lost, carried  int
	wg             sync.WaitGroup
}

// side is the wire's end at one daemon: a socket for what has no marker, and one for what has.
type side struct {
	plain, marked *net.UDPConn
	ike, nat      netip.AddrPort // where the daemon listens
}

func newWire(west, east side) (*wire, error) {
	w := &wire{toWest: west, toEast: east, lose: func(ike.Header, bool) bool { return false }}
	for _, s := range []*side{&w.toWest, &w.toEast} {
		for _, conn := range []**net.UDPConn{&s.plain, &s.marked} {
			if *conn != nil {
				continue
			}
			var err error
			if *conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
				return nil, errors.Join(fmt.Errorf("the wire: %w", err), w.close())
			}
		}
	}
	// West's own datagrams of both kinds come to the one address it was told is east.
	w.carry(w.toWest.plain, true)
	w.carry(w.toEast.plain, false)
	w.carry(w.toEast.marked, false)
	return w, nil
}

// address is where west believes east to be.
func (w *wire) address() netip.AddrPort { return w.toWest.plain.LocalAddr().(*net.UDPAddr).AddrPort() }

// carry forwards what arrives at one socket.
func (w *wire) carry(conn *net.UDPConn, fromWest bool) {
	w.wg.Go(func() {
		buffer := make([]byte, 65535)
		for {
			n, _, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return // closed
			}
			w.forward(buffer[:n], fromWest)
		}
	})
}

func (w *wire) forward(datagram []byte, fromWest bool) {
	message, marked := datagram, false
	if len(datagram) > 4 && [4]byte(datagram) == [4]byte{} {
		message, marked = datagram[4:], true
	}
	h, err := ike.ParseHeader(message)
	if err != nil {
		return // a keepalive
	}
	w.mu.Lock()
	lost := w.lose(h, fromWest)
	if w.carried++; lost {
		w.lost++
	}
	w.mu.Unlock()
	if lost {
		return
	}
	// The sockets towards east are west's ports as east sees them, and the other way round there is only one.
	switch {
	case fromWest && marked:
		w.toEast.marked.WriteToUDPAddrPort(datagram, w.toEast.nat)
	case fromWest:
		w.toEast.plain.WriteToUDPAddrPort(datagram, w.toEast.ike)
	case marked:
		w.toWest.plain.WriteToUDPAddrPort(datagram, w.toWest.nat)
	default:
		w.toWest.plain.WriteToUDPAddrPort(datagram, w.toWest.ike)
	}
}

// loseNext has the next n messages lost that match.
func (w *wire) loseNext(n int, match func(h ike.Header, fromWest bool) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = func(h ike.Header, fromWest bool) bool {
		if n == 0 || !match(h, fromWest) {
			return false
		}
		n--
		return true
	}
}

func (w *wire) counts() (carried, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.carried, w.lost
}

func (w *wire) close() error {
	var failed error
	for _, s := range []*side{&w.toWest, &w.toEast} {
		for _, conn := range []*net.UDPConn{s.plain, s.marked} {
			if conn != nil {
				failed = errors.Join(failed, conn.Close())
			}
		}
	}
	w.wg.Wait()
	return failed
}
