package why

import (
	"context"
	"fmt"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// Not explains why an SA is not in a state: what it waits for, or what ended it before; of one that was in it when, and
// what took it out.
func Not(ctx context.Context, src replay.Source, catalog *replay.Catalog, sa *replay.SA, name string, state record.Phase, o Options) (*Answer, error) {
	explain := Ended
	if sa.End == nil {
		explain = Alive
	}
	a, err := explain(ctx, src, catalog, sa, name, o)
	if err != nil {
		return nil, err
	}
	a.Subject = introduce(sa, name)
	said := text.Phase(state)
	came, left := spell(sa, state)
	switch {
	case sa.Phase == state:
		a.Subject += " It is " + said + "."
	case came == nil && sa.End == nil && sa.Phase > state:
		a.Subject += fmt.Sprintf(" It is past %s.", said)
	case came == nil && sa.End == nil:
		a.Subject += fmt.Sprintf(" It is not %s.", said)
		if state > record.Phase_PHASE_ESTABLISHED && sa.Phase == record.Phase_PHASE_ESTABLISHED {
			wanted, err := wantsDelete(ctx, src, catalog, sa)
			if err != nil {
				return nil, err
			}
			if !wanted {
				a.Verdict = append([]string{"Nobody asked to delete it."}, a.Verdict[:min(len(a.Verdict), 2)]...)
			}
		}
	case came == nil:
		a.Subject += fmt.Sprintf(" It never was %s.", said)
		if furthest := before(sa); furthest != nil {
			a.Verdict = append([]string{fmt.Sprintf("It came no further than %s, since %s, and was gone at %s.", text.Phase(furthest.Phase),
				text.Clock(furthest.Time, o.Place), text.Clock(sa.Ended, o.Place))}, a.Verdict[:min(len(a.Verdict), 2)]...)
		}
	case left == nil: // of before this journal
		a.Subject += fmt.Sprintf(" It was %s since %s.", said, text.Clock(came.Time, o.Place))
	default:
		a.Subject += fmt.Sprintf(" It was %s from %s to %s.", said, text.Clock(came.Time, o.Place), text.Clock(left.Time, o.Place))
	}
	return a, nil
}

// spell is when sa came into a state, the first time, and what it came into next; nil where that is not in the journal.
func spell(sa *replay.SA, state record.Phase) (came, left *replay.Entered) {
	for i := range sa.Entered {
		switch {
		case came == nil && sa.Entered[i].Phase == state:
			came = &sa.Entered[i]
		case came != nil && left == nil:
			left = &sa.Entered[i]
		}
	}
	return came, left
}

// before is the last state of an SA before its end.
func before(sa *replay.SA) (last *replay.Entered) {
	for i := range sa.Entered {
		if sa.Entered[i].Phase != record.Phase_PHASE_DISCARDED {
			last = &sa.Entered[i]
		}
	}
	return last
}

// wantsDelete reports whether a Delete of the SA waits for its turn.
func wantsDelete(ctx context.Context, src replay.Source, catalog *replay.Catalog, sa *replay.SA) (bool, error) {
	s, err := tell(ctx, src, catalog, sa)
	if err != nil {
		return false, err
	}
	wanted, _ := s.wantedDelete()
	return wanted != nil, nil
}
