package engine

import (
	"errors"
	"slices"
	"time"

	"github.com/ikejd/ikejd/effects/keys"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Secrets reach the disk only sealed, in the vault, in the transaction of the step that made them (DESIGN.md, "Secrets
// stay out of the journal"). Which references a step made follows from its event.

const (
	epochLife = 3 * time.Minute // of an epoch in which a secret was destroyed
	epochLook = time.Second     // how often the committer looks whether one is over
)

// vault is what the committer, which owns it, knows of the secrets on disk.
type vault struct {
	e           *Loop
	buffer      []journal.VaultChange
	state       reducer.State // that is durable
	destroyed   bool          // a secret was destroyed since the epoch began
	lastRotated int64
}

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
		if ref = kind.Agreed.GetKeyRef(); ref != 0 {
			break
		}
		if sa := b.SA(ev.GetIkeSa()); sa != nil {
			ref = sa.KeyRef
		}
	}
	if ref != 0 && !slices.Contains(c.batch.gone, ref) {
		c.batch.refs = append(c.batch.refs, ref)
	}
}

// changes seals what a batch made. It runs just before the commit, in the goroutine that rotates epochs too, so that no
// entry under an old key becomes durable after its epoch's end.
func (v *vault) changes(b *Batch) []journal.VaultChange {
	changes := v.buffer[:0]
	for _, ref := range b.refs {
		if slices.Contains(b.gone, ref) {
			continue
		}
		if sealed, err := v.e.c.Keyring.Export(ref); err == nil {
			changes = append(changes, journal.VaultChange{Ref: ref, Sealed: sealed})
		} else if !errors.Is(err, keys.ErrUnknown) {
			v.e.c.Log.Error("a secret could not be sealed for the vault", "error", err)
		}
	}
	for _, ref := range b.gone {
		changes = append(changes, journal.VaultChange{Ref: ref})
	}
	v.buffer = changes
	return changes
}

// durable notes what a batch that is on disk has changed.
func (v *vault) durable(b *Batch) {
	v.state = b.state
	v.destroyed = v.destroyed || len(b.gone) > 0
}

// living seals every secret that State names, for a new segment or a new epoch.
func (v *vault) living(s reducer.State) []journal.VaultChange {
	var changes []journal.VaultChange
	s.EachSA(0, func(sa *reducer.IKESA) bool {
		for ref := range sa.KeyRefs() {
			if sealed, err := v.e.c.Keyring.Export(ref); err == nil {
				changes = append(changes, journal.VaultChange{Ref: ref, Sealed: sealed})
			}
		}
		return true
	})
	return changes
}

// rotate begins a new epoch when secrets were destroyed in the one before and it is old enough: their entries, which
// bbolt leaves in freed pages, cannot be opened any more once its key is gone. Where that fails both epochs stay, and it
// is tried again when another one would be over.
func (v *vault) rotate() {
	now := v.e.c.Clock.Now()
	if now-v.lastRotated < int64(epochLife) {
		return
	}
	v.lastRotated = now
	v.end()
}

// end ends the epoch whatever its age, as a run's end does: nobody knows when the next start comes.
func (v *vault) end() {
	if v.e.c.Epochs == nil || !v.destroyed {
		return
	}
	err := v.e.c.Epochs.Rotate(func() error { return v.e.c.Journal.Append(&journal.Batch{Vault: v.living(v.state)}) })
	if v.destroyed = err != nil; err != nil {
		v.e.c.Log.Error("the key of destroyed secrets could not be destroyed; it is tried again, and by the next start", "error", err)
	}
}
