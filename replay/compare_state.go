package replay

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
)

// What the two sides of a divergence leave of an SA. The journal has effects, not states; but which requests are in
// flight, what waits and the phase can be told from them.

// sides are the paths on which they differ.
func sides(before *reducer.IKESA, journal, binary []ordered) []Side {
	var differing []Side
	for _, path := range []struct {
		name string
		tell func(*reducer.IKESA, []ordered) string
	}{{"state", phaseAfter}, {"window.in flight", inFlightAfter}} {
		a, b := path.tell(before, journal), path.tell(before, binary)
		if a == b {
			continue
		}
		sa := uint64(0)
		if len(journal) > 0 {
			sa = journal[0].effect.GetIkeSa()
		} else {
			sa = binary[0].effect.GetIkeSa()
		}
		differing = append(differing, Side{text.SA(sa) + "." + path.name, a, b})
	}
	return differing
}

func phaseAfter(before *reducer.IKESA, effects []ordered) string {
	phase := "-"
	if before != nil {
		phase = before.Phase.String()
	}
	for _, o := range effects {
		if c := o.effect.GetChanged(); c != nil && o.effect.GetChildSa() == 0 {
			phase = text.Phase(c.GetTo())
		}
	}
	return phase
}

// inFlightAfter are the ids of our requests that have no answer. A request leaves the window with its retransmission
// timer.
func inFlightAfter(before *reducer.IKESA, effects []ordered) string {
	var ids []uint32
	if before != nil {
		for _, open := range before.Window.InFlight {
			ids = append(ids, open.ID)
		}
	}
	for _, o := range effects {
		if c := o.effect.GetCancelTimer(); c.GetTimer() == record.Timer_TIMER_RETRANSMIT {
			ids = slices.DeleteFunc(ids, func(id uint32) bool { return id == c.GetMessageId() })
		}
		if m := o.effect.GetRecord(); m != nil && !m.GetResponse() && !slices.Contains(ids, m.GetMessageId()) {
			ids = append(ids, m.GetMessageId())
		}
	}
	if len(ids) == 0 {
		return "-"
	}
	var words []string
	for _, id := range ids {
		words = append(words, strconv.FormatUint(uint64(id), 10))
	}
	return strings.Join(words, " ")
}
