package why

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
)

// Two journals of the two ends of an SA know the same datagrams by their digests: what one sent, the other received, or
// did not.

// flow is one datagram at one end: when it went out, when it came in.
type flow struct {
	sent, came []int64
}

// traffic is the datagrams of one end, by digest, and the responses by the IKE SA and message id they answer.
type traffic struct {
	flows     map[uint64]*flow
	responses map[exchanged]uint64 // digests
	requests  map[exchanged]uint64
	about     map[uint64]uint64 // IKE SAs by the digest that came for them
}

// exchanged is a message id of an IKE SA.
type exchanged struct {
	sa uint64
	id uint32
}

// listen reads what src sent and received, between the steps first and last, of the SAs that keep wants.
func listen(ctx context.Context, src replay.Source, first, last uint64, keep func(sa uint64) bool) (*traffic, error) {
	t := &traffic{flows: map[uint64]*flow{}, responses: map[exchanged]uint64{}, requests: map[exchanged]uint64{}, about: map[uint64]uint64{}}
	digests := map[reducer.Ref]uint64{} // of recorded messages, by where they were
	for r, err := range replay.Records(src, first) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if r.GetStep() > last {
			break
		}
		if !slices.ContainsFunc(replay.About(r), keep) {
			continue
		}
		t.received(r)
		datagrams := replay.Datagrams(r)
		for i, e := range r.GetEffects() {
			b, at := e.GetBecause(), int64(r.GetTime())
			switch m := e.GetRecord(); {
			case !keep(e.GetIkeSa()):
			case m != nil && datagrams[i] != nil:
				digest := reducer.Digest(datagrams[i])
				digests[reducer.Ref{Step: r.GetStep(), Index: uint32(i)}] = digest
				t.flow(digest).sent = append(t.flow(digest).sent, at)
				id := exchanged{e.GetIkeSa(), m.GetMessageId()}
				if m.GetResponse() {
					t.responses[id] = digest
				} else {
					t.requests[id] = digest
				}
			case e.GetResend() != nil:
				if digest, ok := digests[reducer.Ref{Step: b.GetStep(), Index: b.GetIndex()}]; ok {
					t.flow(digest).sent = append(t.flow(digest).sent, at)
				}
			}
		}
	}
	return t, nil
}

func (t *traffic) flow(digest uint64) *flow {
	f := t.flows[digest]
	if f == nil {
		f = new(flow)
		t.flows[digest] = f
	}
	return f
}

// received notes a datagram that came in, for the first time or again.
func (t *traffic) received(r *record.Record) {
	digest := r.GetEvent().GetDatagramReceived().GetDigest()
	if again := r.GetEvent().GetRepeatReceived(); again != nil {
		digest = again.GetDigest()
	}
	if digest == 0 {
		return
	}
	t.flow(digest).came = append(t.flow(digest).came, int64(r.GetTime()))
	for _, number := range replay.About(r) {
		if _, known := t.about[digest]; !known {
			t.about[digest] = number
		}
	}
}

// clocks compares two ends by what crossed between them alone and once: ahead is by how much theirs is before ours, and
// unsure how far that may be wrong, either way. known is false where nothing crossed so in both directions.
func clocks(ours, theirs *traffic) (ahead, unsure time.Duration, known bool) {
	there, back := int64(-1<<63), int64(-1<<63) // the least delay each way, negated, to be maximal
	for digest, here := range ours.flows {
		other := theirs.flows[digest]
		switch {
		case other == nil:
		case len(here.sent) == 1 && len(other.came) == 1:
			there = max(there, here.sent[0]-other.came[0])
		case len(other.sent) == 1 && len(here.came) == 1:
			back = max(back, other.sent[0]-here.came[0])
		}
	}
	if there == -1<<63 || back == -1<<63 {
		return 0, 0, false
	}
	// What came took theirs-ours plus the way there, and ours-theirs plus the way back.
	return time.Duration(back-there) / 2, time.Duration(-there-back) / 2, true
}

// arrived are the numbers of the sends that came in, 1 for the first: each arrival is of the last send before it that is
// not taken by an earlier one. Times of arrivals are the sender's.
func arrived(sent, came []int64, unsure time.Duration) []int {
	var numbers []int
	next := 0
	for _, at := range slices.SortedFunc(slices.Values(came), cmp.Compare[int64]) {
		last := -1
		for i := next; i < len(sent) && sent[i] <= at+int64(unsure); i++ {
			last = i
		}
		if last >= 0 {
			numbers, next = append(numbers, last+1), last+1
		}
	}
	return numbers
}
