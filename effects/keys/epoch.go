package keys

import "io"

// Epochs are the keys that vault entries are sealed under.
type Epochs struct{}

// NewMemoryEpochs are epochs without files.
func NewMemoryEpochs(random io.Reader) *Epochs { return &Epochs{} }

// Rotate begins a new epoch.
func (e *Epochs) Rotate(reseal func() error) error { return reseal() }
