package model

import (
	"context"
	"io"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
)

// Kernel is a kernel that carries no traffic and outlives the daemon, as Linux does; or, where it is Forgetful, one that
// loses everything with it, as `--dataplane none` does.
type Kernel struct {
	Forgetful bool
	// Refuse is asked before each request: "allocate", "install" or "remove". True has it fail.
	Refuse func(op string) bool

	random   io.Reader
	model    *kernel.Model
	reserved map[kernel.ChildKey]bool
}

// NewKernel is an empty kernel that draws SPIs from random.
func NewKernel(random io.Reader, forgetful bool) *Kernel {
	k := &Kernel{Forgetful: forgetful, random: random, reserved: map[kernel.ChildKey]bool{}}
	k.begin()
	return k
}

func (k *Kernel) begin() {
	k.model = kernel.NewModel(kernel.ModelConfig{Random: k.random, Faults: kernel.Faults{Before: k.before}})
}

func (k *Kernel) before(r kernel.Request) error {
	op := map[kernel.Op]string{kernel.OpAllocate: "allocate", kernel.OpInstall: "install", kernel.OpRemove: "remove"}[r.Op]
	if op == "" || k.Refuse == nil || !k.Refuse(op) {
		return nil
	}
	return &kernel.Refusal{Op: r.Op, Errno: syscall.ENOMEM, SPI: r.Key.InboundSPI, Why: "a fault of the simulation"}
}

// Died is to be called when a life of the daemon has ended. Reservations run out in a while, and nobody asks for them.
func (k *Kernel) Died() {
	for key := range k.reserved {
		_ = k.model.Remove(key) // it may be gone
	}
	clear(k.reserved)
	if k.Forgetful {
		k.begin()
	}
}

// Children is how many Child SAs are installed; Reservations how many inbound SPIs are reserved beside.
func (k *Kernel) Children() int {
	list, err := k.model.List()
	if err != nil {
		panic(err) // a model's list cannot fail
	}
	return len(list)
}

// Reservations is how many inbound SPIs are reserved and not installed.
func (k *Kernel) Reservations() int { return len(k.reserved) }

// Has reports whether a Child SA with these SPIs is installed.
func (k *Kernel) Has(inbound, outbound uint32) bool {
	list, err := k.model.List()
	if err != nil {
		panic(err)
	}
	for _, there := range list {
		if there.Key.InboundSPI == inbound && there.Key.OutboundSPI == outbound {
			return true
		}
	}
	return false
}

func (k *Kernel) dataplane() kernel.Dataplane {
	if k.Forgetful {
		return forgetful{plane{k}}
	}
	return plane{k}
}

// plane is the kernel as the daemon sees it; it keeps account of reservations.
type plane struct{ k *Kernel }

func (p plane) AllocateSPI(ctx context.Context, r kernel.AllocateRequest) (uint32, error) {
	spi, err := p.k.model.AllocateSPI(ctx, r)
	if err == nil {
		p.k.reserved[kernel.ChildKey{Protocol: r.Protocol, Local: r.Local.Unmap(), Remote: r.Remote.Unmap(), InboundSPI: spi}] = true
	}
	return spi, err
}

func (p plane) Install(child kernel.Child) error {
	err := p.k.model.Install(child)
	if err == nil {
		key := child.Key()
		key.Local, key.Remote, key.OutboundSPI = key.Local.Unmap(), key.Remote.Unmap(), 0
		delete(p.k.reserved, key)
	}
	return err
}

func (p plane) Remove(key kernel.ChildKey) error {
	err := p.k.model.Remove(key)
	if err == nil && key.OutboundSPI == 0 {
		key.Local, key.Remote = key.Local.Unmap(), key.Remote.Unmap()
		delete(p.k.reserved, key)
	}
	return err
}

func (p plane) Query(key kernel.ChildKey) (kernel.Usage, error) { return p.k.model.Query(key) }
func (p plane) List() ([]kernel.Installed, error)               { return p.k.model.List() }
func (p plane) Close() error                                    { return nil }

// forgetful is a plane that has to be told what the State says is installed.
type forgetful struct{ plane }

func (f forgetful) Adopt(key kernel.ChildKey) error { return f.k.model.Adopt(key) }
