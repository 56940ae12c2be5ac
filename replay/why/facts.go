package why

import (
	"strconv"
	"strings"
	"time"

	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
)

// facts gathers what the verdict on an SA that is gone is made of.
func (s *story) facts(requests []*sent) Facts {
	sa := s.sa
	f := Facts{Cause: sa.Cause, Detail: sa.Detail, Unsent: sa.Unsent(record.Wish_WISH_DELETE_IKE), HalfOpen: sa.End.GetFrom() == record.Phase_PHASE_HALF_OPEN}
	for _, m := range requests {
		if m.given != 0 && (f.Request == nil || m.wish == record.Wish_WISH_DELETE_IKE) {
			f.Request, f.Sends, f.Took = &Request{m.id, m.what()}, m.sends, since(m.first, sa.Ended)
		}
		if m.wish == record.Wish_WISH_DELETE_IKE {
			f.By, f.Sends, f.Took = s.asker(m.wanted), m.sends, since(m.first, sa.Ended)
		}
	}
	if open := sa.End.GetUnfinished(); f.Request == nil && len(open) > 0 { // recorded before this journal begins
		f.Request, f.Sends = &Request{open[0].GetMessageId(), text.Wish(open[0].GetWish())}, open[0].GetSends()
	}
	if wanted, at := s.wantedDelete(); f.Unsent && wanted != nil {
		f.By, f.Took = s.asker(wanted.GetWanted().GetDecided()), since(at, sa.Ended)
	}
	if run := s.run(sa.EndStep); run != nil && run.Asked != nil {
		f.Budget = time.Duration(run.Asked.GetBudget())
	}
	if id, ok := strings.CutPrefix(sa.Detail, "request "); ok {
		n, _ := strconv.ParseUint(id, 10, 32)
		f.Asked = uint32(n)
	}
	for _, e := range sa.Entered {
		if e.Phase == record.Phase_PHASE_LINGERING {
			f.Lingered = since(e.Time, sa.Ended)
		}
	}
	for _, step := range s.steps {
		if a := s.records[step].GetEvent().GetAuthenticated(); a != nil && !a.GetGood() {
			f.BadAuth = true
		}
	}
	if f.Cause == record.Cause_CAUSE_REPLACED {
		f.By = "the peer"
		if asked, _ := s.wantedDelete(); asked != nil { // who rekeys an IKE SA deletes the old one
			f.By = "us"
		}
	}
	return f
}

// wantedDelete is the note that the SA is to be deleted, and its time.
func (s *story) wantedDelete() (*record.Effect, int64) {
	for _, step := range s.steps {
		for _, e := range s.records[step].GetEffects() {
			if e.GetIkeSa() == s.sa.Number && e.GetWanted().GetWish() == record.Wish_WISH_DELETE_IKE {
				return e, int64(s.records[step].GetTime())
			}
		}
	}
	return nil, 0
}
