package replay

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ikejd/ikejd/proto/record"
	"google.golang.org/protobuf/proto"
)

// Misfit is a snapshot that is not the State its records lead to.
type Misfit struct {
	Step uint64
	SA   uint64 // the first that differs; 0: something else does
}

func (m Misfit) String() string {
	if m.SA != 0 {
		return fmt.Sprintf("ike%d is not as the records leave it", m.SA)
	}
	return "what is beside the IKE SAs is not as the records leave it"
}

// Snapshots runs the reducer of this binary over src and compares its State with each snapshot that src has, but with one
// that comes before all its records. Datagrams and what is owed to the kernel are the engine's, and not compared.
func Snapshots(ctx context.Context, src Source, steps []uint64) (compared int, found []Misfit, err error) {
	for len(steps) > 0 && steps[0] < src.First() {
		steps = steps[1:]
	}
	if len(steps) == 0 {
		return 0, nil, nil
	}
	for s, err := range Walk(ctx, src, 0) {
		if err != nil {
			return compared, found, err
		}
		if s.Entry.Step != steps[0] {
			continue
		}
		stored, err := Snapshot(src, s.Entry.Step+1)
		if err != nil {
			return compared, found, err
		}
		compared++
		if m, differs := misfit(stored, s.After.Snapshot()); differs {
			found = append(found, m)
		}
		if steps = steps[1:]; len(steps) == 0 {
			break
		}
	}
	return compared, found, nil
}

func misfit(stored, ours *record.Snapshot) (m Misfit, differs bool) {
	for _, s := range []*record.Snapshot{stored, ours} {
		s.Sent, s.Removals = nil, nil
	}
	if equal(stored, ours) {
		return m, false
	}
	m.Step = stored.GetStep()
	for i, sa := range stored.GetIkeSas() {
		if i >= len(ours.GetIkeSas()) || !equal(sa, ours.GetIkeSas()[i]) {
			m.SA = sa.GetNumber()
			break
		}
	}
	return m, true
}

func equal(a, b proto.Message) bool {
	x, errX := record.Marshal(a)
	y, errY := record.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
