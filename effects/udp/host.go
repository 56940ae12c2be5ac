package udp

import (
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// hostViewAge is how old what we know of the host's addresses may be: ours. What hangs on it is
// whether a datagram to an address that is new is seen to be one to ourselves.
const hostViewAge = 10 * time.Second

// hostView is which addresses and interfaces the host has, read when asked for and kept a while.
type hostView struct {
	mu    sync.Mutex
	read  time.Time // zero is never
	addrs map[netip.Addr]bool
	zones map[int]string // interface index -> name
}

// has says whether an address is one of the host's.
func (h *hostView) has(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refresh()
	return h.addrs[addr.WithZone("")]
}

// zone is the name of an interface as it stands in addresses, its number where it has no name.
func (h *hostView) zone(index int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refresh()
	if name, ok := h.zones[index]; ok {
		return name
	}
	return strconv.Itoa(index)
}

// index is the number of an interface, 0 where there is none of that name.
func (h *hostView) index(zone string) int {
	if index, err := strconv.Atoi(zone); err == nil {
		return index
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refresh()
	for index, name := range h.zones {
		if name == zone {
			return index
		}
	}
	return 0
}

// refresh reads both again where they are too old. Where the host does not tell, the last view stands.
func (h *hostView) refresh() {
	if !h.read.IsZero() && time.Since(h.read) < hostViewAge {
		return
	}
	h.read = time.Now()
	interfaces, err := net.Interfaces()
	if err != nil {
		return
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return
	}
	h.addrs, h.zones = map[netip.Addr]bool{}, map[int]string{}
	for _, i := range interfaces {
		h.zones[i.Index] = i.Name
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				h.addrs[addr.Unmap()] = true
			}
		}
	}
}
