package linux

import (
	"context"
	"crypto/rand"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// foreignRoom is ours: how many states of others in a row are passed over in a range that is nearly full.
const foreignRoom = 1 << 16

// AllocateSPI has the kernel reserve an SPI that we chose: the kernel, choosing itself, looks at one address only and gives up
// while there are free ones. Its reservation ends after net.core.xfrm_acq_expires seconds (30), ours with Install or Remove.
func (d *Dataplane) AllocateSPI(ctx context.Context, request kernel.AllocateRequest) (uint32, error) {
	low, high, err := request.Check()
	if err != nil {
		return 0, err
	}
	ends := canonical(kernel.ChildKey{Protocol: request.Protocol, Local: request.Local, Remote: request.Remote})
	d.mu.Lock()
	defer d.mu.Unlock()
	var failed error
	spi, err := kernel.PickSPI(rand.Reader, low, high, len(d.children)+len(d.reserved)+foreignRoom, func(spi uint32) bool {
		if failed = ctx.Err(); failed != nil {
			return true
		}
		if d.inbound[spi] > 0 {
			return false
		}
		larval := &xfrm.State{Src: ends.Remote, Dst: ends.Local, Protocol: uint8(ends.Protocol), Mode: xfrm.Tunnel}
		err := d.conn.Ask(xfrm.AllocateSPI(larval, spi, spi), func(uint16, []byte) error { return nil })
		if ignore(err, syscall.ENOENT) != nil {
			failed = refused(kernel.OpAllocate, spi, err)
		}
		return err == nil || failed != nil
	})
	if failed != nil {
		err = failed
	}
	if err != nil {
		return 0, err
	}
	d.reserved[stateKey{ends.Local, ends.Protocol, spi}] = true
	d.inbound[spi]++
	return spi, nil
}

// unreserve ends a reservation. That it ended in the kernel already is as good.
func (d *Dataplane) unreserve(key stateKey) error {
	if !d.reserved[key] {
		return refuse(kernel.OpRemove, syscall.ESRCH, key.spi, "no reservation at %v", key.dst)
	}
	if err := ignore(d.conn.Do(xfrm.DeleteState(key.id())), syscall.ESRCH); err != nil {
		return refused(kernel.OpRemove, key.spi, err)
	}
	delete(d.reserved, key)
	d.drop(key.spi)
	return nil
}

// drop forgets that an inbound state or reservation has this SPI.
func (d *Dataplane) drop(spi uint32) {
	if d.inbound[spi]--; d.inbound[spi] == 0 {
		delete(d.inbound, spi)
	}
}
