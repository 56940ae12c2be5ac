package daemon

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
)

// terminate closes the IKE SAs or Child SAs that the request selects, and waits until they are gone. For who asked that,
// one that only lingers for repeats of the peer is gone, and so is one whose Delete was never answered: the log says
// which. force means not to wait; the Delete keeps its place behind what is in flight.
func (d *Daemon) terminate(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	which, err := readFilter(request)
	if err != nil {
		return vici.Message{}, err
	}
	if which.all() {
		return vici.Message{}, errors.New("name what to terminate: ike, ike-id, child or child-id")
	}
	wait, err := readPatience(request)
	if err != nil {
		return vici.Message{}, err
	}
	left := d.chosen(which)
	matches := len(left)
	if matches == 0 {
		return terminated(0, 0, "no matching SAs to terminate found"), nil
	}
	ctx, cancel := wait.context(ctx)
	defer cancel()
	numbers := map[uint64]bool{}
	for _, c := range left {
		numbers[c.sa] = true
	}
	defer d.watchers.add(s, request, func(sa uint64, _ string) bool { return numbers[sa] })()
	for _, c := range left {
		d.engine.Post(&record.Event{IkeSa: c.sa, Because: operator(), Kind: &record.Event_CloseAsked{CloseAsked: &record.CloseAsked{ChildSa: c.child}}})
	}
	if wait.none() || request.Get(vici.KeyForce) == vici.Yes {
		return terminated(matches, 0, ""), nil
	}
	err = d.durable.until(ctx, func(state reducer.State) bool {
		rest := left[:0]
		for _, c := range left {
			if c.there(state) {
				rest = append(rest, c)
			}
		}
		left = rest
		return len(left) == 0
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return terminated(matches, matches-len(left), fmt.Sprintf("%d of %d SAs not gone after %dms; their Deletes go on", len(left), matches, wait.limit.Milliseconds())), nil
	case err != nil:
		return terminated(matches, matches-len(left), "the end of the SAs was not waited for: "+err.Error()), nil
	}
	return terminated(matches, matches, ""), nil
}

func terminated(matches, gone int, problem string) vici.Message {
	var m vici.Message
	m.Set(vici.KeySuccess, vici.Yes)
	if problem != "" {
		m.Set(vici.KeySuccess, vici.No)
	}
	m.Set(vici.KeyMatches, strconv.Itoa(matches))
	m.Set(vici.KeyTerminated, strconv.Itoa(gone))
	if problem != "" {
		m.Set(vici.KeyErrmsg, problem)
	}
	return m
}

// choice is an IKE SA, or one of its children.
type choice struct{ sa, child uint64 }

// there reports whether it is still something to the peer.
func (c choice) there(state reducer.State) bool {
	sa := state.SA(c.sa)
	if sa == nil || sa.Phase >= reducer.Lingering {
		return false
	}
	if c.child == 0 {
		return true
	}
	for i := range sa.Children {
		if sa.Children[i].Number == c.child {
			return true
		}
	}
	return false
}

// chosen are the SAs, or children where the filter names some, that could be terminated.
func (d *Daemon) chosen(which filter) []choice {
	var chosen []choice
	d.engine.State().EachSA(which.ikeID, func(sa *reducer.IKESA) bool {
		if which.ikeID != 0 && sa.Number != which.ikeID {
			return false
		}
		if sa.Phase >= reducer.Lingering || !which.takesSA(sa) {
			return true
		}
		if !which.ofChildren() {
			chosen = append(chosen, choice{sa.Number, 0})
			return true
		}
		for i := range sa.Children {
			if which.takesChild(&sa.Children[i]) {
				chosen = append(chosen, choice{sa.Number, sa.Children[i].Number})
			}
		}
		return true
	})
	return chosen
}
