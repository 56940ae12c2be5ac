package engine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Start takes over the State of the run before: the last snapshot, and the records after it applied to the reducer of this
// binary. Where this binary decides otherwise than the one that wrote them, the SA concerned is closed; the others are
// untouched. Its first event is Started, or Recovered where there was something to take over.
func (e *Loop) Start(version string) error {
	c := &e.core
	diverged := map[uint64]bool{}
	step, snapshot, err := e.c.Journal.Snapshot()
	if err != nil {
		return fmt.Errorf("the journal's snapshot: %w", err)
	}
	if len(snapshot) > 0 {
		var s record.Snapshot
		if err := proto.Unmarshal(snapshot, &s); err != nil {
			return fmt.Errorf("the snapshot before step %d: %w; try: ikejd journal verify", step+1, err)
		}
		if s.GetSchema() > record.Schema {
			return fmt.Errorf("the journal is of schema %d, and this ikejd knows %d; start the newer ikejd that wrote it", s.GetSchema(), record.Schema)
		}
		c.state = reducer.FromSnapshot(&s)
		for _, d := range s.GetSent() {
			c.sent.put(d.GetIkeSa(), reducer.Ref{Step: d.GetStep(), Index: d.GetIndex()}, d.GetDatagram())
		}
		c.removals.take(&s)
	}
	for entry, err := range e.c.Journal.Read(c.state.Step() + 1) {
		if err != nil {
			return err
		}
		if err := c.apply(entry.Data, diverged); err != nil {
			return fmt.Errorf("step %d: %w; try: ikejd journal verify", entry.Step, err)
		}
	}
	run := c.state.Run() + 1
	e.tickets.begin(run)
	e.vault.state, e.vault.destroyed = c.state, c.state.Step() > 0 // the run before may have destroyed secrets
	e.c.Keyring.Reserve(run << 40)                                 // references of runs before are in the journal, and mean something else
	lost, err := e.openVault()
	if err != nil {
		return err
	}
	c.state.EachSA(0, func(sa *reducer.IKESA) bool {
		c.index.update(sa.Number, sa)
		return true
	})
	if err := e.child.takeOver(c.state); err != nil {
		return err
	}
	first := firstEvent(c, run, e.c.BootID, version, lost, diverged)
	if recovered := first.GetRecovered(); recovered != nil {
		recovered.Sockets = socketsTo(e.c.Sockets)
	}
	e.queue.push(first)
	state := c.state
	c.published.Store(&state)
	return nil
}

func firstEvent(c *core, run uint64, boot, version string, lost []uint64, diverged map[uint64]bool) *record.Event {
	s, because := c.state, &record.Because{Root: record.Root_ROOT_START}
	if s.Step() == 0 {
		return &record.Event{Because: because, Kind: &record.Event_Started{Started: &record.Started{
			Schema: record.Schema, Version: version, Run: run, BootId: boot}}}
	}
	recovered := &record.Recovered{Schema: record.Schema, Version: version, Run: run, BootId: boot, WithoutKeys: lost}
	for _, owed := range c.removals.list() {
		recovered.Removals = append(recovered.Removals, owed.GetEffect())
	}
	s.EachSA(0, func(sa *reducer.IKESA) bool {
		if diverged[sa.Number] {
			recovered.Diverged = append(recovered.Diverged, sa.Number)
		}
		return true
	})
	return &record.Event{Because: because, Kind: &record.Event_Recovered{Recovered: recovered}}
}

func socketsTo(sockets []Socket) []*record.Socket {
	var list []*record.Socket
	for _, s := range sockets {
		list = append(list, &record.Socket{Address: s.Bound.Addr().Unmap().AsSlice(), Port: uint32(s.Bound.Port()), NatPort: s.NATPort})
	}
	return list
}

// apply reduces a record of the run before, keeps the datagrams it sealed, and notes where the outcome differs.
func (c *core) apply(data []byte, diverged map[uint64]bool) error {
	var r record.Record
	if err := proto.Unmarshal(data, &r); err != nil {
		return err
	}
	b := reducer.Begin(c.state)
	if d := r.GetEvent().GetPoisoned().GetEvent().GetDatagramReceived(); d != nil {
		c.poisoned(d.GetDigest())
	}
	effects, broken := reduceOne(b, int64(r.GetTime()), r.GetEvent(), nil)
	if broken != nil {
		diverged[r.GetEvent().GetIkeSa()] = true
		effects = b.Reduce(int64(r.GetTime()), &record.Event{Kind: &record.Event_Poisoned{Poisoned: broken}}, nil)
	}
	if got := b.State().Step(); got != r.GetStep() {
		return fmt.Errorf("the record is of step %d, not %d", r.GetStep(), got)
	}
	if !bytes.Equal(reducer.AppendEffects(nil, effects), recordedEffects(data)) {
		for _, number := range b.Changed() {
			diverged[number] = true
		}
		for _, effect := range r.GetEffects() {
			diverged[effect.GetIkeSa()] = true
		}
	}
	c.state = b.State()
	c.removals.happened(r.GetEvent())
	for i := range effects {
		c.removals.ordered(reducer.Ref{Step: r.GetStep(), Index: uint32(i)}, &effects[i])
	}
	sealed := r.GetDatagrams()
	for i, effect := range r.GetEffects() {
		m := effect.GetRecord()
		if m == nil {
			continue
		}
		at := reducer.Ref{Step: r.GetStep(), Index: uint32(i)}
		switch {
		case m.GetUnprotected() && i < len(effects) && effects[i].Kind == reducer.EffectRecord:
			c.sent.put(effect.GetIkeSa(), at, effects[i].Message(nil))
		case !m.GetUnprotected() && len(sealed) > 0:
			c.sent.put(effect.GetIkeSa(), at, sealed[0])
			sealed = sealed[1:]
		}
	}
	for _, number := range b.Changed() {
		c.sent.prune(number, b.SA(number))
	}
	return nil
}

// recordedEffects are the bytes of field 4 of a Record, as AppendEffects writes them.
func recordedEffects(data []byte) []byte {
	start, end := len(data), len(data)
	for at := 0; at < len(data); {
		number, _, n := protowire.ConsumeField(data[at:])
		if n < 0 {
			return nil
		}
		if number == 4 {
			start, end = min(start, at), at+n
		}
		at += n
	}
	if start > end {
		return nil
	}
	return data[start:end]
}

// openVault gives the keyring its secrets back, and says which SAs have none.
func (e *Loop) openVault() (lost []uint64, err error) {
	entries, err := e.c.Journal.Vault()
	if err != nil {
		return nil, fmt.Errorf("the journal's vault: %w", err)
	}
	e.core.state.EachSA(0, func(sa *reducer.IKESA) bool {
		for ref := range sa.KeyRefs() {
			sealed, ok := entries[ref]
			err := errors.New("it is not there")
			if ok {
				err = e.c.Keyring.Import(ref, sealed)
			}
			if err != nil {
				e.c.Log.Warn("an ike sa cannot go on without its entry in the vault", "sa", sa.Number, "error", err)
				lost = append(lost, sa.Number)
				break
			}
		}
		return true
	})
	return lost, nil
}

// bootID tells one start of the machine from another; empty where the kernel does not say.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
