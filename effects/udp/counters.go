package udp

import "sync/atomic"

// Counters counts datagrams since Open, by what became of them: each is in exactly one, ReceiveErrors
// apart. Each field may be read at any time.
type Counters struct {
	// Came in.
	Received      atomic.Uint64 // IKE messages, given to handle
	Keepalives    atomic.Uint64 // NAT keepalives
	ESP           atomic.Uint64 // ESP in UDP, on the NAT port
	TooShort      atomic.Uint64 // shorter than an IKE or ESP header
	Truncated     atomic.Uint64 // longer than Config.MaxDatagram
	NotUnicast    atomic.Uint64 // to a broadcast or multicast address, or to none that we could read
	ReceiveErrors atomic.Uint64 // reads, not datagrams, that failed and were tried again

	// To be sent.
	Sent          atomic.Uint64 // given to the kernel
	ToPortZero    atomic.Uint64 // K-11: not sent
	ToNotUnicast  atomic.Uint64 // K-11: to a broadcast, multicast or unspecified address; not sent
	ToOurselves   atomic.Uint64 // K-11: to a socket of this object; not sent
	NoSocket      atomic.Uint64 // no socket has the local address, port and family; not sent
	Denied        atomic.Uint64 // the host's packet filter or policy; a subnet's broadcast address
	Unreachable   atomic.Uint64 // no route, or the local IPv4 address is not the host's any more: one errno
	NoLocal       atomic.Uint64 // the local IPv6 address or the interface is not the host's any more
	TooLong       atomic.Uint64 // longer than a datagram or the path can be
	NoRoom        atomic.Uint64 // no buffer became free in time
	AfterClose    atomic.Uint64 // Send after Close
	OtherFailures atomic.Uint64 // another error of the kernel's
}

// Each gives every counter with its name in metrics, in a fixed order.
func (c *Counters) Each(give func(name string, value uint64)) {
	for _, counter := range []struct {
		name  string
		value *atomic.Uint64
	}{
		{"received", &c.Received},
		{"received_keepalive", &c.Keepalives},
		{"received_esp", &c.ESP},
		{"received_too_short", &c.TooShort},
		{"received_truncated", &c.Truncated},
		{"received_not_unicast", &c.NotUnicast},
		{"receive_errors", &c.ReceiveErrors},
		{"sent", &c.Sent},
		{"unsent_port_zero", &c.ToPortZero},
		{"unsent_not_unicast", &c.ToNotUnicast},
		{"unsent_to_ourselves", &c.ToOurselves},
		{"unsent_no_socket", &c.NoSocket},
		{"unsent_denied", &c.Denied},
		{"unsent_unreachable", &c.Unreachable},
		{"unsent_no_local_address", &c.NoLocal},
		{"unsent_too_long", &c.TooLong},
		{"unsent_no_room", &c.NoRoom},
		{"unsent_after_close", &c.AfterClose},
		{"unsent_other", &c.OtherFailures},
	} {
		give(counter.name, counter.value.Load())
	}
}
