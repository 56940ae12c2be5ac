package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"net"
	"strings"
	"syscall"
)

const ethPAll = 0x0300 // ETH_P_ALL in network order

func runWire(pair string, lanes [2]*lane) error {
	var fds, index [2]int
	names := strings.Split(pair, ",")
	if len(names) != 2 {
		return fmt.Errorf("-wire %s: want two interfaces", pair)
	}
	for i, name := range names {
		nic, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		index[i] = nic.Index
		if fds[i], err = syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, ethPAll); err != nil {
			return fmt.Errorf("packet socket: %w", err)
		}
		if err := syscall.Bind(fds[i], &syscall.SockaddrLinklayer{Protocol: ethPAll, Ifindex: nic.Index}); err != nil {
			return err
		}
		// Frames for the other side carry its MAC address, not this interface's.
		mreq := make([]byte, 16) // struct packet_mreq
		binary.NativeEndian.PutUint32(mreq, uint32(nic.Index))
		binary.NativeEndian.PutUint16(mreq[4:], 1) // PACKET_MR_PROMISC
		if err := syscall.SetsockoptString(fds[i], 263 /* SOL_PACKET */, 1 /* PACKET_ADD_MEMBERSHIP */, string(mreq)); err != nil {
			return err
		}
	}
	for i := range fds {
		go func() {
			buf := make([]byte, 65536+64)
			for {
				n, from, err := syscall.Recvfrom(fds[i], buf, 0)
				if err != nil {
					if err == syscall.EINTR || err == syscall.ENETDOWN {
						continue
					}
					log.Fatal("lossy: ", err)
				}
				if ll, ok := from.(*syscall.SockaddrLinklayer); !ok || ll.Pkttype == syscall.PACKET_OUTGOING {
					continue
				}
				frame := append([]byte(nil), buf[:n]...)
				udp, ike, what := inspect(frame)
				p := &packet{ike: ike, what: what, deliver: func() {
					err := syscall.Sendto(fds[1-i], frame, 0, &syscall.SockaddrLinklayer{Ifindex: index[1-i]})
					if err != nil && lanes[i].weather.verbose {
						log.Print("lossy: send: ", err)
					}
				}}
				if udp {
					p.in, p.out = frame[14:], frame[14:]
				}
				lanes[i].send(p)
			}
		}()
	}
	return nil
}

// inspect looks into an Ethernet frame. A frame taken from a veth may have a UDP checksum that some
// hardware was meant to fill in; it is made good here.
func inspect(frame []byte) (udp, ike bool, what string) {
	if len(frame) < 14 {
		return
	}
	ip := frame[14:]
	var segment, pseudo []byte
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		head := 0
		if len(ip) >= 20 {
			head = int(ip[0]&15) * 4
		}
		if head < 20 || ip[9] != 17 || len(ip) < head+8 {
			return
		}
		if binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 {
			return true, false, "fragment" // no checksum to mend; a lost first one loses all
		}
		if total := int(binary.BigEndian.Uint16(ip[2:])); total >= head+8 && total <= len(ip) {
			ip = ip[:total]
		}
		segment, pseudo = ip[head:], ip[12:20]
	case 0x86dd:
		if len(ip) < 48 || ip[6] != 17 {
			return
		}
		if total := 40 + int(binary.BigEndian.Uint16(ip[4:])); total >= 48 && total <= len(ip) {
			ip = ip[:total]
		}
		segment, pseudo = ip[40:], ip[8:40]
	default:
		return
	}
	segment[6], segment[7] = 0, 0
	binary.BigEndian.PutUint16(segment[6:], udpSum(pseudo, segment))
	src, dst := binary.BigEndian.Uint16(segment), binary.BigEndian.Uint16(segment[2:])
	for _, port := range []uint16{500, 4500} {
		if src == port || dst == port {
			ike, what = describe(segment[8:], port)
			return true, ike, what
		}
	}
	return true, false, "udp"
}

func udpSum(addresses, segment []byte) uint16 {
	sum := uint32(17) + uint32(len(segment))
	for _, b := range [][]byte{addresses, segment} {
		for i := 0; i+1 < len(b); i += 2 {
			sum += uint32(b[i])<<8 | uint32(b[i+1])
		}
		if len(b)%2 == 1 {
			sum += uint32(b[len(b)-1]) << 8
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	if s := ^uint16(sum); s != 0 {
		return s
	}
	return 0xffff
}
