package replay

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// Options of a replay; the zero value compares everything and keeps the first divergence of each SA.
type Options struct {
	All   bool              // keep every divergence, not only the first of each SA
	SA    func(uint64) bool // which SAs divergences are kept of; nil: all
	Until uint64            // the last step to run; 0: to the end
}

// Result is what a replay found.
type Result struct {
	Steps       uint64
	Runs        uint64
	First, Last uint64        // steps
	Versions    []string      // of the programs that wrote the journal, in the order they did; what it does not say is not here
	Divergences []Divergence  // in the order of their steps
	State       reducer.State // after the last step, as this binary has it
	Took        time.Duration
}

// Equal reports whether this binary decides all as the journal says.
func (r *Result) Equal() bool { return len(r.Divergences) == 0 }

// blockSteps is how many steps are decoded ahead in one piece.
const blockSteps = 512

// Verify runs the reducer of this binary over the events of src and compares each step's effects with the recorded ones.
// It goes on after a divergence, with the State that this binary has come to. The error is for what cannot be replayed.
func Verify(ctx context.Context, src Source, o Options) (Result, error) {
	began := time.Now()
	first := src.First()
	s, err := begin(src, first)
	if err != nil {
		return Result{}, err
	}
	v := verifier{o: o, result: Result{Versions: WrittenBy(src)}, state: s, diverged: map[uint64]bool{}}
	if s.Run() != 0 {
		v.result.Runs = 1
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v.result.First = s.Step() + 1
	for b := range decodeAhead(ctx, src, s.Step()+1, o.Until) {
		if b.err == nil {
			b.err = v.block(b.steps)
		}
		if b.err != nil {
			return v.done(began), b.err
		}
	}
	return v.done(began), ctx.Err()
}

// verifier is one replay under way.
type verifier struct {
	o        Options
	result   Result
	state    reducer.State
	version  string // of the writer
	effects  []reducer.Effect
	encoded  []byte
	diverged map[uint64]bool
}

// block runs some steps: all at once, and where they are not as recorded one by one.
func (v *verifier) block(steps []raw) error {
	for i := range steps {
		if last := v.state.Step() + uint64(i); steps[i].step != last+1 {
			return gap(last, steps[i].step)
		}
	}
	if s, equal := v.fast(steps); equal {
		for i := range steps {
			v.begins(steps[i].event)
		}
		v.state = s
		return nil
	}
	for i := range steps {
		r := &steps[i]
		v.begins(r.event)
		after, effects, _, panicked := reduce(v.state, r.time, r.event)
		v.encoded = reducer.AppendEffects(v.encoded[:0], effects)
		if panicked != nil || !bytes.Equal(v.encoded, r.effects) {
			if err := v.differs(r, v.state, panicked); err != nil {
				return err
			}
		}
		v.state = after
	}
	return nil
}

// fast runs steps in one batch, which shares the copies it makes of the State's nodes, as far as they are equal.
func (v *verifier) fast(steps []raw) (after reducer.State, equal bool) {
	defer func() {
		if recover() != nil {
			equal = false // one by one it will be said of which step
		}
	}()
	batch := reducer.Begin(v.state)
	for i := range steps {
		v.effects = batch.Reduce(steps[i].time, steps[i].event, v.effects[:0])
		v.encoded = reducer.AppendEffects(v.encoded[:0], v.effects)
		if !bytes.Equal(v.encoded, steps[i].effects) {
			return after, false
		}
	}
	return batch.State(), true
}

// begins notes a run that begins with this event, and the program that writes from here on.
func (v *verifier) begins(ev *record.Event) {
	version := ""
	switch k := ev.GetKind().(type) {
	case *record.Event_Started:
		version = k.Started.GetVersion()
	case *record.Event_Recovered:
		version = k.Recovered.GetVersion()
	default:
		return
	}
	v.result.Runs++
	v.version = version
	if !slices.Contains(v.result.Versions, version) {
		v.result.Versions = append(v.result.Versions, version)
	}
}

func (v *verifier) differs(r *raw, before reducer.State, panicked any) error {
	found, err := compare(r, before, v.encoded, panicked)
	if err != nil {
		return unreadable(r.step, err)
	}
	for _, d := range found {
		if v.o.SA != nil && !v.o.SA(d.SA) || !v.o.All && v.diverged[d.SA] {
			continue
		}
		v.diverged[d.SA] = true
		d.Version = v.version
		if d.Version == "" && len(v.result.Versions) > 0 {
			d.Version = v.result.Versions[0]
		}
		v.result.Divergences = append(v.result.Divergences, d)
	}
	return nil
}

func (v *verifier) done(began time.Time) Result {
	r := &v.result
	r.State, r.Last = v.state, v.state.Step()
	r.Steps = r.Last - r.First + 1
	r.Took = time.Since(began)
	return *r
}

// decodedBlock is some steps, or why there are no more.
type decodedBlock struct {
	steps []raw
	err   error
}

// decodeAhead reads and decodes on a goroutine of its own, until ctx ends.
func decodeAhead(ctx context.Context, src Source, from, until uint64) <-chan decodedBlock {
	out := make(chan decodedBlock, 4)
	send := func(b decodedBlock) bool {
		select {
		case out <- b:
			return true
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(out)
		steps := make([]raw, 0, blockSteps)
		for e, err := range src.Entries(from) {
			if until != 0 && e.Step > until {
				break
			}
			var r raw
			if err == nil {
				if r, err = split(e.Data); err != nil {
					err = unreadable(e.Step, err)
				} else if r.step != e.Step {
					err = unreadable(e.Step, fmt.Errorf("it says that it is step %d", r.step))
				}
			}
			if err != nil {
				_ = send(decodedBlock{steps: steps}) && send(decodedBlock{err: err})
				return
			}
			if steps = append(steps, r); len(steps) == blockSteps {
				if !send(decodedBlock{steps: steps}) {
					return
				}
				steps = make([]raw, 0, blockSteps)
			}
		}
		send(decodedBlock{steps: steps})
	}()
	return out
}
