package kernel

import (
	"context"
	"io"
	"sync"
)

// ModelConfig is what a Model may be told.
type ModelConfig struct {
	Random    io.Reader // SPIs are read from it, 4 octets a try; nil is crypto/rand
	MaxStates int       // states (two a Child SA, one a reservation) it has room for; 0 is no limit
	Faults    Faults
}

// Model is a kernel that carries no traffic: `--dataplane none`, and the kernel of tests and of the
// simulator.
type Model struct {
	config ModelConfig
	mu     sync.Mutex
}

// NewModel is an empty kernel.
func NewModel(config ModelConfig) *Model { return &Model{config: config} }

func (m *Model) AllocateSPI(ctx context.Context, request AllocateRequest) (uint32, error) {
	return 0, nil
}
func (m *Model) Install(child Child) error         { return nil }
func (m *Model) Remove(key ChildKey) error         { return nil }
func (m *Model) Query(key ChildKey) (Usage, error) { return Usage{}, nil }
func (m *Model) List() ([]Installed, error)        { return nil, nil }
func (m *Model) Close() error                      { return nil }

var _ Dataplane = (*Model)(nil)
