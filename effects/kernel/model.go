package kernel

import (
	"cmp"
	"crypto/rand"
	"io"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// ModelConfig is what a Model may be told.
type ModelConfig struct {
	Random    io.Reader // SPIs are read from it, 4 octets a try; nil is crypto/rand
	MaxStates int       // states (two a Child SA, one a reservation) it has room for; 0 is no limit
	Faults    Faults
}

// Model is a kernel that carries no traffic: `--dataplane none`, and the kernel of tests and of the
// simulator. It keeps no keys.
type Model struct {
	config ModelConfig
	counts struct{ allocate, install, remove, query atomic.Uint64 } // requests so far, for Faults

	mu       sync.Mutex
	states   map[stateKey]state
	inbound  map[uint32]int // SPI -> inbound states and reservations that have it
	children int
}

// stateKey is what Linux finds a state by. Both directions are in one table: where a host talks to
// itself, they can meet.
type stateKey struct {
	dst      netip.Addr
	protocol Protocol
	spi      uint32
}

// state is one direction, or a reservation.
type state struct {
	child *ChildKey // whose; nil is a reservation
	// Invariant: exactly the inbound states and the reservations are in Model.inbound.
	inbound bool
}

// NewModel is an empty kernel.
func NewModel(config ModelConfig) *Model {
	if config.Random == nil {
		config.Random = rand.Reader
	}
	return &Model{config: config, states: map[stateKey]state{}, inbound: map[uint32]int{}}
}

var _ Dataplane = (*Model)(nil)

// Install makes a Child SA.
func (m *Model) Install(child Child) error {
	request := Request{Op: OpInstall, N: m.counts.install.Add(1), Child: &child, Key: child.Key()}
	return m.faulty(request, func() error { return m.install(&child) })
}

func (m *Model) install(child *Child) error {
	if err := child.Check(); err != nil {
		return err
	}
	key := canonical(child.Key())
	in, out := key.states()
	m.mu.Lock()
	defer m.mu.Unlock()
	was, taken := m.states[in]
	reserved := taken && was.child == nil
	switch _, outTaken := m.states[out]; {
	case taken && !reserved:
		return refuse(OpInstall, syscall.EEXIST, in.spi, "inbound state to %v is there already; remove it first", in.dst)
	case outTaken || in == out:
		return refuse(OpInstall, syscall.EEXIST, out.spi, "outbound state to %v is there already; the peer chose its SPI twice", out.dst)
	}
	more := 2
	if reserved {
		more = 1
	}
	if m.full(more) {
		return refuse(OpInstall, syscall.ENOMEM, in.spi, "room for %d states; remove some", m.config.MaxStates)
	}
	m.put(in, state{child: &key, inbound: true})
	m.put(out, state{child: &key})
	m.children++
	return nil
}

// Remove ends a Child SA or, with OutboundSPI 0, a reservation.
func (m *Model) Remove(key ChildKey) error {
	return m.faulty(Request{Op: OpRemove, N: m.counts.remove.Add(1), Key: key}, func() error { return m.remove(canonical(key)) })
}

func (m *Model) remove(key ChildKey) error {
	in, out := key.states()
	m.mu.Lock()
	defer m.mu.Unlock()
	if key.OutboundSPI == 0 {
		if s, ok := m.states[in]; !ok || s.child != nil {
			return refuse(OpRemove, syscall.ESRCH, in.spi, "no reservation at %v", in.dst)
		}
		m.drop(in)
		return nil
	}
	if !m.has(key) {
		return refuse(OpRemove, syscall.ESRCH, in.spi, "no %v", key)
	}
	m.drop(in)
	m.drop(out)
	m.children--
	return nil
}

// Query says what a Child SA has carried: nothing, in a model.
func (m *Model) Query(key ChildKey) (Usage, error) {
	err := m.faulty(Request{Op: OpQuery, N: m.counts.query.Add(1), Key: key}, func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !m.has(canonical(key)) {
			return refuse(OpQuery, syscall.ESRCH, key.InboundSPI, "no %v", key)
		}
		return nil
	})
	return Usage{}, err
}

// List gives the Child SAs that are installed.
func (m *Model) List() ([]Installed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Installed, 0, m.children)
	for _, s := range m.states {
		if s.child != nil && s.inbound {
			list = append(list, Installed{Key: *s.child})
		}
	}
	slices.SortFunc(list, func(a, b Installed) int { return a.Key.Compare(b.Key) })
	return list, nil
}

// Close does nothing: a model has nothing to let go of.
func (m *Model) Close() error { return nil }

// faulty does a request between its hooks.
func (m *Model) faulty(request Request, do func() error) error {
	if before := m.config.Faults.Before; before != nil {
		if err := before(request); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if after := m.config.Faults.After; after != nil {
		return after(request)
	}
	return nil
}

// has says whether both states of a Child SA are there and are its.
func (m *Model) has(key ChildKey) bool {
	in, _ := key.states()
	s, ok := m.states[in]
	return ok && s.child != nil && s.inbound && *s.child == key
}

// full says whether this many more states do not fit.
func (m *Model) full(more int) bool {
	return m.config.MaxStates > 0 && len(m.states)+more > m.config.MaxStates
}

// put sets a state, in place of a reservation where there is one.
func (m *Model) put(key stateKey, s state) {
	if old, ok := m.states[key]; s.inbound && !(ok && old.inbound) {
		m.inbound[key.spi]++
	}
	m.states[key] = s
}

// drop forgets a state.
func (m *Model) drop(key stateKey) {
	if m.states[key].inbound {
		if m.inbound[key.spi]--; m.inbound[key.spi] == 0 {
			delete(m.inbound, key.spi)
		}
	}
	delete(m.states, key)
}

// canonical writes IPv4 addresses one way.
func canonical(k ChildKey) ChildKey {
	k.Local, k.Remote = k.Local.Unmap(), k.Remote.Unmap()
	return k
}

// states are what the two directions of a Child SA are found by.
func (k ChildKey) states() (in, out stateKey) {
	return stateKey{k.Local, k.Protocol, k.InboundSPI}, stateKey{k.Remote, k.Protocol, k.OutboundSPI}
}

// Compare orders Child SAs: by protocol, local address, inbound SPI, remote address, outbound SPI.
func (k ChildKey) Compare(o ChildKey) int {
	return cmp.Or(cmp.Compare(k.Protocol, o.Protocol), k.Local.Compare(o.Local), cmp.Compare(k.InboundSPI, o.InboundSPI),
		k.Remote.Compare(o.Remote), cmp.Compare(k.OutboundSPI, o.OutboundSPI))
}
