package main

import (
	"encoding/binary"
	"log"
	"net/netip"
	"os"
	"sync"
	"time"
)

// A capture is a pcap file of raw IP packets (link type 101); a nil one takes nothing.
type capture struct {
	mu sync.Mutex
	f  *os.File
}

func newCapture(name, suffix string) (*capture, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Create(name + suffix)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 24)
	binary.LittleEndian.PutUint32(head, 0xa1b23c4d) // times in nanoseconds
	binary.LittleEndian.PutUint16(head[4:], 2)
	binary.LittleEndian.PutUint16(head[6:], 4)
	binary.LittleEndian.PutUint32(head[16:], 262144)
	binary.LittleEndian.PutUint32(head[20:], 101)
	_, err = f.Write(head)
	return &capture{f: f}, err
}

func (c *capture) write(ip []byte) {
	if c == nil || ip == nil {
		return
	}
	now := time.Now()
	rec := make([]byte, 16, 16+len(ip))
	binary.LittleEndian.PutUint32(rec, uint32(now.Unix()))
	binary.LittleEndian.PutUint32(rec[4:], uint32(now.Nanosecond()))
	binary.LittleEndian.PutUint32(rec[8:], uint32(len(ip)))
	binary.LittleEndian.PutUint32(rec[12:], uint32(len(ip)))
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.f.Write(append(rec, ip...)); err != nil {
		log.Print("lossy: capture: ", err)
	}
}

func (c *capture) close() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.f.Close()
}

// udp makes the IP packet that would carry data.
func (c *capture) udp(src, dst netip.AddrPort, data []byte) []byte {
	if c == nil {
		return nil
	}
	s, d := src.Addr().Unmap(), dst.Addr().Unmap()
	segment := make([]byte, 8, 8+len(data))
	binary.BigEndian.PutUint16(segment, src.Port())
	binary.BigEndian.PutUint16(segment[2:], dst.Port())
	binary.BigEndian.PutUint16(segment[4:], uint16(8+len(data)))
	segment = append(segment, data...)
	addresses := append(s.AsSlice(), d.AsSlice()...)
	binary.BigEndian.PutUint16(segment[6:], udpSum(addresses, segment))
	if s.Is4() {
		head := make([]byte, 20)
		head[0], head[8], head[9] = 0x45, 64, 17
		binary.BigEndian.PutUint16(head[2:], uint16(20+len(segment)))
		copy(head[12:], addresses)
		sum := uint32(0)
		for i := 0; i < 20; i += 2 {
			sum += uint32(binary.BigEndian.Uint16(head[i:]))
		}
		binary.BigEndian.PutUint16(head[10:], ^uint16(sum&0xffff+sum>>16))
		return append(head, segment...)
	}
	head := make([]byte, 40)
	head[0], head[6], head[7] = 0x60, 17, 64
	binary.BigEndian.PutUint16(head[4:], uint16(len(segment)))
	copy(head[8:], addresses)
	return append(head, segment...)
}
