package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"syscall"
)

// Choosing an inbound SPI. It is random, so that an attacker who does not see the traffic cannot name
// it, and in no use here whatever the addresses: a peer names a Child SA by it and nothing else.

// randomTries is ours: in a range half full all of them fail once in 2^32.
const randomTries = 32

// Check looks at a request before what is installed, and gives the bounds that it means, both included.
func (r *AllocateRequest) Check() (low, high uint32, err error) {
	if refusal := checkEnds(OpAllocate, r.Protocol, r.Local, r.Remote, 0); refusal != nil {
		return 0, 0, refusal
	}
	low, high = r.Min, r.Max
	if low == 0 && high == 0 {
		low, high = minSPI, maxSPI
	}
	if low < minSPI || high < low {
		return 0, 0, refuse(OpAllocate, syscall.EINVAL, low, "no SPIs from 0x%08x to 0x%08x; 0 to 0xff are reserved", low, high)
	}
	return low, high, nil
}

// PickSPI finds an SPI of low to high, both included, that is free: at random (4 octets a try), and where that fails, one of inUse+1
// behind the last that was tried. ENOSPC where there is none.
func PickSPI(random io.Reader, low, high uint32, inUse int, free func(spi uint32) bool) (uint32, error) {
	size := uint64(high-low) + 1
	var last uint64 // distance from low
	for range randomTries {
		var octets [4]byte
		if _, err := io.ReadFull(random, octets[:]); err != nil {
			return 0, fmt.Errorf("randomness for an SPI: %w; see the kernel's random number generator", err)
		}
		last = uint64(binary.BigEndian.Uint32(octets[:])) % size
		if spi := low + uint32(last); free(spi) {
			return spi, nil
		}
	}
	// Nearly full: of one more SPIs than are in use, one is free.
	for range min(size, uint64(inUse)+1) {
		last = (last + 1) % size
		if spi := low + uint32(last); free(spi) {
			return spi, nil
		}
	}
	return 0, refuse(OpAllocate, syscall.ENOSPC, low, "all SPIs from 0x%08x to 0x%08x are in use; close Child SAs", low, high)
}

// AllocateSPI reserves an inbound SPI.
func (m *Model) AllocateSPI(ctx context.Context, request AllocateRequest) (spi uint32, err error) {
	key := ChildKey{Protocol: request.Protocol, Local: request.Local, Remote: request.Remote}
	err = m.faulty(Request{Op: OpAllocate, N: m.counts.allocate.Add(1), Key: key}, func() (err error) {
		if err := ctx.Err(); err != nil {
			return err
		}
		spi, err = m.allocate(request)
		return err
	})
	if err != nil {
		return 0, err
	}
	return spi, nil
}

// allocate reserves an SPI for a request.
func (m *Model) allocate(request AllocateRequest) (uint32, error) {
	low, high, err := request.Check()
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full(1) {
		return 0, refuse(OpAllocate, syscall.ENOMEM, 0, "room for %d states; remove some", m.config.MaxStates)
	}
	key := stateKey{dst: request.Local.Unmap(), protocol: request.Protocol}
	key.spi, err = PickSPI(m.config.Random, low, high, len(m.states), func(spi uint32) bool {
		return m.free(stateKey{key.dst, key.protocol, spi})
	})
	if err != nil {
		return 0, err
	}
	m.put(key, state{inbound: true})
	return key.spi, nil
}

// free says whether an inbound SPI is in no use, nor in the way of an outbound state to ourselves.
func (m *Model) free(key stateKey) bool {
	_, taken := m.states[key]
	return !taken && m.inbound[key.spi] == 0
}
