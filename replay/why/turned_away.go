package why

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay"
)

// Set-ups that come to nothing before there are keys: the peer refused ours in the clear, or we refused the peer's and hold
// no SA that could be explained.

// refusal is the step with the peer's last refusal of an IKE_SA_INIT request that a timer gave up later: anybody could have
// sent it, so a better answer was waited for. 0 where that is not how the SA ended.
func (s *story) refusal() uint64 {
	if s.sa.Cause != record.Cause_CAUSE_REFUSED || s.record(s.sa.EndStep).GetEvent().GetTimerFired() == nil {
		return 0
	}
	for _, step := range slices.Backward(s.steps) {
		r := s.records[step]
		h, err := ike.ParseHeader(r.GetEvent().GetDatagramReceived().GetDatagram())
		if err == nil && h.Response() && h.Exchange == ike.IKE_SA_INIT && !dropped(r) {
			return step
		}
	}
	return 0
}

// changedNothing says what became of an event that the reducer dropped, and what the peer was told; "" for another.
func changedNothing(r *record.Record) string {
	said := ""
	for _, e := range r.GetEffects() {
		if d := e.GetDropped(); d != nil {
			said = "It changed nothing: " + plain(d.GetCause())
		}
	}
	for _, e := range r.GetEffects() {
		if refuse := e.GetRefuse(); refuse != nil && said != "" {
			said += fmt.Sprintf("; the answer was %v, unprotected", ike.NotifyType(refuse.GetNotify()))
		}
	}
	if said != "" {
		said += "."
	}
	return said
}

// TurnedAway explains the last request from an address that we refused without making an SA.
func TurnedAway(ctx context.Context, src replay.Source, catalog *replay.Catalog, from netip.Addr, o Options) (*Answer, error) {
	found := uint64(0)
	for r, err := range replay.Records(src, catalog.First) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		d := r.GetEvent().GetDatagramReceived()
		remote, _ := netip.AddrFromSlice(d.GetPath().GetRemote())
		if d != nil && remote.Unmap() == from.Unmap() && dropped(r) && len(replay.About(r)) == 0 {
			found = r.GetStep()
		}
	}
	if found == 0 {
		return nil, &replay.NotThere{What: fmt.Sprintf("no SA of %v here, and no request of it that was turned away; try: ikejd journal ls", from)}
	}
	a, err := Step(src, catalog, found, o)
	if err == nil {
		a.Subject = fmt.Sprintf("%v has no SA here. Its last request was turned away. %s", from, a.Subject)
		a.Verdict = slices.DeleteFunc(a.Verdict, func(said string) bool { return !strings.HasPrefix(said, "It changed nothing") })
	}
	return a, err
}
