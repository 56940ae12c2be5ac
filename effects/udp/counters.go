package udp

import "sync/atomic"

// Counters counts datagrams since Open, by what became of them. Each field may be read at any time.
type Counters struct {
	Received atomic.Uint64 // IKE messages given to handle
	Sent     atomic.Uint64 // given to the kernel
}
