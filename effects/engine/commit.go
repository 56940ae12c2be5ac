package engine

import (
	"fmt"
	"time"

	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
)

// The committer: one goroutine, one batch at a time, durable before anything of it is carried out.

func (e *Engine) commitAll() {
	look := time.NewTicker(epochLook)
	defer look.Stop()
	for {
		select {
		case b, more := <-e.commits:
			if !more {
				e.vault.end()
				return
			}
			if err := e.Commit(b); err != nil {
				e.failed <- err
				for range e.commits { // nothing more is written, and nothing more is sent
				}
				return
			}
			e.committed <- struct{}{}
			e.outgoing <- b
		case <-look.C:
			e.Rotate()
		}
	}
}

// Commit makes a batch durable. After an error nothing more may be committed or carried out.
func (e *Loop) Commit(b *Batch) error {
	out := journal.Batch{First: b.first, Time: b.last, Vault: e.vault.changes(b)}
	out.Records = make([][]byte, len(b.ends))
	start := 0
	for i, end := range b.ends {
		out.Records[i] = b.records[start:end:end]
		start = end
	}
	if err := e.c.Journal.Append(&out); err != nil {
		return err
	}
	e.vault.durable(b)
	if b.roll {
		if err := e.roll(b); err != nil {
			return err
		}
	}
	return nil
}

// snapshotOctets is about what an IKE SA with one child and the response it may repeat takes in a snapshot. Too little is
// made up for by copying; growing from nothing leaves garbage of four times the whole, just where memory is at its peak.
const snapshotOctets = 640

// roll begins a new segment with a snapshot of the State after the batch, and the datagrams its windows may resend.
func (e *Loop) roll(b *Batch) error {
	data, err := b.state.AppendSnapshot(make([]byte, 0, snapshotOctets*b.state.SAs()))
	if err == nil {
		data, err = b.sent.append(data)
	}
	if err == nil {
		data, err = record.MarshalAppend(data, &record.Snapshot{Removals: b.owed})
	}
	if err != nil {
		return fmt.Errorf("snapshot of step %d: %w", b.state.Step(), err)
	}
	return e.c.Journal.Roll(data, e.vault.living(b.state))
}

// Rotate destroys for good what was destroyed in the vault, when it is time. It belongs to the goroutine of Commit.
func (e *Loop) Rotate() { e.vault.rotate() }
