package why

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// mostJoined requests are told about.
const mostJoined = 5

// With adds to an answer about sa what the peer's journal has of the same datagrams: of our requests that went out more
// than once or were not answered, or of the one that it is about, which sends arrived and what became of the answers; and
// which of the peer's own requests did not arrive here.
func With(ctx context.Context, a *Answer, src replay.Source, catalog *replay.Catalog, peer replay.Source, o Options) error {
	sa := a.SA
	s, err := tell(ctx, src, catalog, sa)
	if err != nil {
		return err
	}
	ours, err := listen(ctx, src, max(sa.First, catalog.First), sa.Last, func(number uint64) bool { return number == sa.Number })
	if err != nil {
		return err
	}
	peers, err := replay.List(ctx, peer)
	if err != nil {
		return err
	}
	other := same(peers, sa)
	if other == nil {
		a.There = append(a.There, fmt.Sprintf("%s has no SA with those SPIs: nothing of %s arrived there that made one", peer.Where(), text.SA(sa.Number)))
		return nil
	}
	theirs, err := listen(ctx, peer, max(other.First, peers.First), other.Last, func(number uint64) bool { return number == other.Number })
	if err != nil {
		return err
	}
	a.There = append(a.There, there(other, o))
	ahead, unsure, known := clocks(ours, theirs)
	if known {
		a.There = append(a.There, "clocks: "+compared(ahead, unsure))
	}
	told := 0
	for _, m := range s.requests() {
		if a.Message != nil && m.id != *a.Message || a.Message == nil && m.answered != 0 && m.sends < 2 {
			continue
		}
		if told++; told > mostJoined {
			a.There = append(a.There, fmt.Sprintf("and more requests; try: ikejd why %s/%d --with FILE", text.SA(sa.Number), m.id))
			break
		}
		if said := s.joined(m, ours, theirs, other, ahead, unsure, known); said != "" {
			a.There = append(a.There, said)
		}
	}
	if a.Message == nil {
		a.There = append(a.There, unheardOf(ours, theirs)...)
	}
	return nil
}

// unheardOf are the peer's requests of which nothing arrived here, in the order of their ids.
func unheardOf(ours, theirs *traffic) (said []string) {
	for _, key := range slices.SortedFunc(maps.Keys(theirs.requests), func(a, b exchanged) int { return cmp.Compare(a.id, b.id) }) {
		digest := theirs.requests[key]
		if f := ours.flows[digest]; f == nil || len(f.came) == 0 {
			said = append(said, fmt.Sprintf("the peer's request %d went out %s; none arrived here", key.id, times(uint32(len(theirs.flows[digest].sent)))))
		}
	}
	return said
}

// same is the SA with sa's SPIs; where there are several, after a restart of counting, the last.
func same(peers *replay.Catalog, sa *replay.SA) (found *replay.SA) {
	for _, other := range peers.SAs {
		if other.SPIi == sa.SPIi && (sa.SPIr == 0 || other.SPIr == sa.SPIr) {
			found = other
		}
	}
	return found
}

// there is how the SA is at the peer.
func there(other *replay.SA, o Options) string {
	said := "there it is " + text.SA(other.Number)
	if other.Connection != "" {
		said += ", " + plain(other.Connection)
	}
	said += ": " + other.Ending()
	if other.End != nil {
		said += " at " + text.Clock(other.Ended, o.Place) + " by its clock"
	}
	return said
}

func compared(ahead, unsure time.Duration) string {
	word := "ahead of"
	if ahead < 0 {
		word, ahead = "behind", -ahead
	}
	return fmt.Sprintf("the peer's is %s %s ours, give or take %s", fineSpan(ahead), word, fineSpan(max(unsure, 0)))
}

// fineSpan is a time between two machines.
func fineSpan(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1e3)
	}
	return d.Round(time.Millisecond).String()
}

// joined says which sends of a request arrived at the peer, and what became of its answers.
func (s *story) joined(m *sent, ours, theirs *traffic, other *replay.SA, ahead, unsure time.Duration, known bool) string {
	digest, ok := ours.requests[exchanged{s.sa.Number, m.id}]
	if !ok {
		return "" // before this journal begins
	}
	mine, came := ours.flows[digest].sent, []int64{}
	if f := theirs.flows[digest]; f != nil {
		for _, at := range f.came {
			came = append(came, at-int64(ahead))
		}
	}
	said := fmt.Sprintf("request %d: the peer received ", m.id)
	if len(came) == 0 {
		return said + fmt.Sprintf("none of %s: lost on the way there", replay.Count(uint64(len(mine)), "send"))
	}
	numbers := arrived(mine, came, unsure)
	switch {
	case len(mine) == 1:
		said += "it"
	case known && len(numbers) == len(came):
		said += sends(numbers)
	default:
		said += fmt.Sprintf("%d of %d sends", len(came), len(mine))
	}
	answer, answered := theirs.responses[exchanged{other.Number, m.id}]
	if !answered {
		return said + " and did not answer"
	}
	out, in := len(theirs.flows[answer].sent), 0
	if f := ours.flows[answer]; f != nil {
		in = len(f.came)
	}
	each := ""
	if out == len(came) && out > 1 {
		each = " each"
	}
	switch {
	case in == 0:
		return said + fmt.Sprintf(" and answered%s; none arrived here: lost on the way back", each)
	case out == 1:
		return said + " and answered; that arrived here"
	}
	return said + fmt.Sprintf(" and answered%s; %d of %d answers arrived here", each, in, out)
}

// sends is `send 2` or `sends 2, 5 and 8`.
func sends(numbers []int) string {
	if len(numbers) == 1 {
		return "send " + strconv.Itoa(numbers[0])
	}
	all := make([]string, len(numbers))
	for i, n := range numbers {
		all[i] = strconv.Itoa(n)
	}
	last := len(all) - 1
	return "sends " + strings.Join(all[:last], ", ") + " and " + all[last]
}
