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
	if r := checkEnds(OpAllocate, request.Protocol, request.Local, request.Remote, 0); r != nil {
		return 0, r
	}
	low, high := request.Min, request.Max
	if low == 0 && high == 0 {
		low, high = minSPI, maxSPI
	}
	if low < minSPI || high < low {
		return 0, refuse(OpAllocate, syscall.EINVAL, low, "no SPIs from 0x%08x to 0x%08x; 0 to 0xff are reserved", low, high)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full(1) {
		return 0, refuse(OpAllocate, syscall.ENOMEM, 0, "room for %d states; remove some", m.config.MaxStates)
	}
	key, err := m.pick(stateKey{dst: request.Local.Unmap(), protocol: request.Protocol}, low, high)
	if err != nil {
		return 0, err
	}
	m.put(key, state{inbound: true})
	return key.spi, nil
}

// pick finds an SPI of low to high, both included, that is free, and puts it into a key.
func (m *Model) pick(key stateKey, low, high uint32) (stateKey, error) {
	size := uint64(high-low) + 1
	var last uint64 // distance from low
	for range randomTries {
		var octets [4]byte
		if _, err := io.ReadFull(m.config.Random, octets[:]); err != nil {
			return key, fmt.Errorf("randomness for an SPI: %w; see the kernel's random number generator", err)
		}
		last = uint64(binary.BigEndian.Uint32(octets[:])) % size
		if key.spi = low + uint32(last); m.free(key) {
			return key, nil
		}
	}
	// Nearly full: of one more SPIs than are in use, one is free.
	for range min(size, uint64(len(m.states))+1) {
		last = (last + 1) % size
		if key.spi = low + uint32(last); m.free(key) {
			return key, nil
		}
	}
	return key, refuse(OpAllocate, syscall.ENOSPC, low, "all SPIs from 0x%08x to 0x%08x are in use; close Child SAs", low, high)
}

// free says whether an inbound SPI is in no use, nor in the way of an outbound state to ourselves.
func (m *Model) free(key stateKey) bool {
	_, taken := m.states[key]
	return !taken && m.inbound[key.spi] == 0
}
