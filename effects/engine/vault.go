package engine

import (
	"errors"
	"slices"

	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Secrets reach the disk only sealed, in the vault, in the transaction of the step that made them (DESIGN.md, "Secrets
// stay out of the journal"). Which references a step made follows from its event.

// secrets notes the references this step made or completed, unless it destroyed them as well.
func (c *core) secrets(b *reducer.Batch, ev *record.Event) {
	ref := uint64(0)
	switch kind := ev.Kind.(type) {
	case *record.Event_KeyShareMade:
		ref = kind.KeyShareMade.GetFresh().GetKeyRef()
	case *record.Event_DatagramReceived:
		if ref = kind.DatagramReceived.GetFresh().GetKeyRef(); ref == 0 {
			if sa := b.SA(ev.GetIkeSa()); sa != nil && sa.Phase == reducer.HalfOpen && !sa.Initiator {
				ref = sa.KeyRef // the first protected request: its keys were agreed behind the door
			}
		}
	case *record.Event_Agreed:
		if sa := b.SA(ev.GetIkeSa()); sa != nil {
			ref = sa.KeyRef
		}
	}
	if ref != 0 && !slices.Contains(c.batch.gone, ref) {
		c.batch.refs = append(c.batch.refs, ref)
	}
}

// vaultChanges seals what a batch made. It runs just before the commit, so that a rotation of epochs between two commits
// leaves no entry under the old key.
func (e *Engine) vaultChanges(b *batch) []journal.VaultChange {
	changes := e.vaultBuffer[:0]
	for _, ref := range b.refs {
		if slices.Contains(b.gone, ref) {
			continue
		}
		if sealed, err := e.c.Keyring.Export(ref); err == nil {
			changes = append(changes, journal.VaultChange{Ref: ref, Sealed: sealed})
		} else if !errors.Is(err, keys.ErrUnknown) {
			e.c.Log.Error("a secret could not be sealed for the vault", "error", err)
		}
	}
	for _, ref := range b.gone {
		changes = append(changes, journal.VaultChange{Ref: ref})
	}
	e.vaultBuffer = changes
	return changes
}

// living seals every secret that State names, for a new segment or a new epoch.
func (e *Engine) living(s reducer.State) []journal.VaultChange {
	var changes []journal.VaultChange
	s.EachSA(0, func(sa *reducer.IKESA) bool {
		if sa.KeyRef == 0 {
			return true
		}
		if sealed, err := e.c.Keyring.Export(sa.KeyRef); err == nil {
			changes = append(changes, journal.VaultChange{Ref: sa.KeyRef, Sealed: sealed})
		}
		return true
	})
	return changes
}

// rotateEpoch begins a new epoch when secrets were destroyed in the one before: their entries, which bbolt leaves in
// freed pages, cannot be opened any more once its key is gone.
func (e *Engine) rotateEpoch(s reducer.State) error {
	e.destroyed = false
	return e.c.Epochs.Rotate(func() error { return e.c.Journal.Append(&journal.Batch{Vault: e.living(s)}) })
}
