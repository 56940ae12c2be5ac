package linux

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"

	"github.com/ikejd/ikejd/effects/kernel"
	"github.com/ikejd/ikejd/effects/kernel/xfrm"
)

// Dataplane installs into the kernel of the network namespace it was opened in.
type Dataplane struct {
	conn *xfrm.Conn

	mu       sync.Mutex
	reserved map[stateKey]bool
	children map[kernel.ChildKey]*child
	inbound  map[uint32]int // SPI -> inbound states and reservations of ours that have it
	policies policies
}

// child is a Child SA in the books.
type child struct {
	group    uint32
	released bool // its policies are gone, but a state of it could not be removed
}

var _ kernel.Dataplane = (*Dataplane)(nil)

// Open looks at what an earlier run left: whole Child SAs are ours again, halves and policies without a Child SA are removed. A kernel
// that cannot carry ESP is refused here and not at the first Child SA.
func Open() (*Dataplane, error) {
	conn, err := xfrm.Dial()
	if err != nil {
		return nil, err
	}
	d := &Dataplane{conn: conn, reserved: map[stateKey]bool{}, children: map[kernel.ChildKey]*child{}, inbound: map[uint32]int{},
		policies: newPolicies(conn)}
	if err = probe(conn); err == nil {
		err = d.takeOver()
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the kernel's IPsec: %w; or try: --dataplane none", err)
	}
	return d, nil
}

// takeOver fills the books from the kernel.
func (d *Dataplane) takeOver() error {
	all, err := d.dump()
	if err != nil {
		return err
	}
	whole, halves := pair(all)
	used := map[uint32]int{}
	for _, f := range whole {
		d.children[f.key] = &child{group: f.group}
		d.inbound[f.key.InboundSPI]++
		used[f.group]++
	}
	for i := range halves {
		if err := ignore(d.conn.Do(xfrm.DeleteState(halves[i].ID())), syscall.ESRCH); err != nil {
			return err
		}
	}
	return d.policies.takeOver(used)
}

// probe makes a state that nobody sends to, and removes it: a kernel without ESP takes policies and refuses states.
func probe(conn *xfrm.Conn) error {
	child := probeChild()
	rand.Read(child.KeysIn.EncrKey)
	s := stateOf(&child, inbound, 0)
	if refusal := protect(s, &child, child.KeysIn); refusal != nil {
		return refusal
	}
	switch err := conn.Do(xfrm.NewState(s)); {
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w; it wants root, or CAP_NET_ADMIN", err)
	case err != nil && !errors.Is(err, syscall.EEXIST):
		return fmt.Errorf("%w; it has no ESP with AES-GCM, try: modprobe -a esp4 esp6 gcm", err)
	}
	return ignore(conn.Do(xfrm.DeleteState(s.ID())), syscall.ESRCH)
}

// dump gives all states of ours.
func (d *Dataplane) dump() (all []xfrm.State, err error) {
	err = d.conn.Dump(xfrm.DumpStates(xfrm.StateFilter{}), func() { all = nil }, func(_ uint16, body []byte) error {
		s, err := xfrm.DecodeState(body)
		s.WipeKeys()
		if _, ok := isOurs(s.ReqID); ok {
			all = append(all, s)
		}
		return err
	})
	return all, err
}

// List gives the Child SAs that the kernel has of ours.
func (d *Dataplane) List() ([]kernel.Installed, error) {
	all, err := d.dump()
	if err != nil {
		return nil, err
	}
	whole, _ := pair(all)
	list := make([]kernel.Installed, len(whole))
	for i, f := range whole {
		list[i] = kernel.Installed{Key: f.key, Usage: f.usage}
	}
	slices.SortFunc(list, func(a, b kernel.Installed) int { return a.Key.Compare(b.Key) })
	return list, nil
}

// Query asks the kernel for both directions.
func (d *Dataplane) Query(key kernel.ChildKey) (kernel.Usage, error) {
	key = canonical(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.children[key]; !ok {
		return kernel.Usage{}, refuse(kernel.OpQuery, syscall.ESRCH, key.InboundSPI, "no %v", key)
	}
	var used [2]xfrm.Usage
	in, out := states(key)
	for i, k := range []stateKey{in, out} {
		err := d.conn.Ask(xfrm.GetState(k.id()), func(_ uint16, body []byte) error {
			s, err := xfrm.DecodeState(body)
			s.WipeKeys()
			used[i] = s.Usage
			return err
		})
		if err != nil {
			return kernel.Usage{}, refused(kernel.OpQuery, key.InboundSPI, err)
		}
	}
	return kernel.Usage{BytesIn: used[0].Bytes, PacketsIn: used[0].Packets, BytesOut: used[1].Bytes, PacketsOut: used[1].Packets}, nil
}

// Close ends the connection to the kernel. What is installed stays; reservations end by themselves.
func (d *Dataplane) Close() error {
	d.conn.Close()
	return nil
}

// ignore is err unless it is that errno.
func ignore(err error, errno syscall.Errno) error {
	if errors.Is(err, errno) {
		return nil
	}
	return err
}
