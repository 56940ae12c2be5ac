package why

import (
	"context"
	"fmt"
	"slices"

	"github.com/ikejd/ikejd/proto/ike"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay"
)

// turn is a change of a Child SA.
type turn struct {
	step   uint64
	index  int // of the effect that notes it
	time   int64
	to     record.ChildPhase
	detail string
}

// turns are the changes of one child of the SA, in order.
func (s *story) turns(child uint64) []turn {
	var all []turn
	for _, step := range s.steps {
		for i, e := range s.records[step].GetEffects() {
			if c := e.GetChanged(); c != nil && e.GetIkeSa() == s.sa.Number && e.GetChildSa() == child {
				all = append(all, turn{step, i, int64(s.records[step].GetTime()), c.GetChildTo(), c.GetDetail()})
			}
		}
	}
	return all
}

// Child explains what became of a Child SA of sa; name is what it was called by. One that went with its IKE SA is explained
// by that one's end.
func Child(ctx context.Context, src replay.Source, catalog *replay.Catalog, sa *replay.SA, child *replay.Child, name string, o Options) (*Answer, error) {
	s, err := tell(ctx, src, catalog, sa)
	if err != nil {
		return nil, err
	}
	turns := s.turns(child.Number)
	var last turn
	if n := len(turns); n > 0 {
		last = turns[n-1]
	}
	gone := child.Phase == record.ChildPhase_CHILD_PHASE_REMOVED
	if gone && s.ends(last.step) {
		return s.wentWith(ctx, child, name, last, o)
	}
	a := &Answer{SA: sa, Child: child.Number, Subject: introduceChild(sa, child, name)}
	requests := s.requests()
	if gone {
		a.Subject += " It is gone since " + text.Clock(last.time, o.Place) + "."
		a.Verdict = s.removed(child, turns, requests)
		a.Here, a.Peer = "nothing: "+text.Child(child.Number)+" removed", "nothing"
	} else {
		a.Subject += " It is not gone."
		a.Verdict = s.childNow(child, last, requests, o)
	}
	from := max(last.step, catalog.First)
	if last.step != 0 {
		c := s.trace(o.Full, place{last.step, last.index, sa.Number})
		a.Rows, a.Ends = c.rows, c.Ends()
		from = a.Rows[len(a.Rows)-1].Step
	}
	a.Next = []string{fmt.Sprintf("ikejd journal cat %s --since %d", text.SA(sa.Number), max(from, sa.First)), "ikejd why " + text.SA(sa.Number)}
	return a, nil
}

// introduceChild is `0xc1f2 is child12, net of ike7 (gw-east, 203.0.113.9:500, SPIs c1f20001 d0000001).`
func introduceChild(sa *replay.SA, child *replay.Child, name string) string {
	called := text.Child(child.Number)
	if name != "" && name != called {
		called = plain(name) + " is " + called
	}
	known := plain(sa.Connection)
	if known == "" {
		known = "no connection"
	}
	known += ", " + sa.Peer()
	if child.Inbound != 0 || child.Outbound != 0 {
		known += fmt.Sprintf(", SPIs %s %s", childSPI(child.Inbound), childSPI(child.Outbound))
	}
	return fmt.Sprintf("%s, %s of %s (%s).", called, plain(child.Name), text.SA(sa.Number), known)
}

func childSPI(spi uint32) string {
	if spi == 0 {
		return "-"
	}
	return fmt.Sprintf("%08x", spi)
}

// ends reports whether a step ends the IKE SA, so that its children went with it: it is discarded, lingers, or the peer is
// told that it is not let in.
func (s *story) ends(step uint64) bool {
	return slices.ContainsFunc(s.record(step).GetEffects(), func(e *record.Effect) bool {
		return e.GetIkeSa() == s.sa.Number && (e.GetDiscarded() != nil || e.GetWanted().GetWish() == record.Wish_WISH_REFUSE_AUTH ||
			e.GetChildSa() == 0 && e.GetChanged().GetTo() == record.Phase_PHASE_LINGERING)
	})
}

// wentWith is the explanation of the IKE SA, as that of a child which went with it.
func (s *story) wentWith(ctx context.Context, child *replay.Child, name string, last turn, o Options) (*Answer, error) {
	explain := Ended
	if s.sa.End == nil {
		explain = Alive
	}
	a, err := explain(ctx, s.src, s.catalog, s.sa, "", o)
	if err != nil {
		return nil, err
	}
	number := text.SA(s.sa.Number)
	a.Child = child.Number
	a.Subject = fmt.Sprintf("%s It went with %s at %s.", introduceChild(s.sa, child, name), number, text.Clock(last.time, o.Place))
	return a, nil
}

// removed says what took a child away that its IKE SA outlived.
func (s *story) removed(child *replay.Child, turns []turn, requests []*sent) []string {
	last := turns[len(turns)-1]
	r := s.records[last.step]
	for _, m := range requests {
		if m.answered == last.step && m.wish == record.Wish_WISH_DELETE_CHILD && m.child == child.Number {
			return []string{fmt.Sprintf("We asked to delete it (%s); the peer answered in %s.", s.childAsker(m.wanted), span(since(m.first, m.when)))}
		}
	}
	h, err := ike.ParseHeader(r.GetEvent().GetDatagramReceived().GetDatagram())
	switch {
	case err == nil && !h.Response():
		said := []string{fmt.Sprintf("The peer asked to delete it (request %d).", h.MessageID)}
		for _, e := range r.GetEffects() {
			if e.GetIkeSa() == s.sa.Number && e.GetWanted().GetWish() == record.Wish_WISH_DELETE_IKE {
				said = append(said, fmt.Sprintf("Its connection wants it up, so %s was deleted to set up both again.", text.SA(s.sa.Number)))
			}
		}
		return said
	case r.GetEvent().GetChildInstalled().GetRefusal() != "" || r.GetEvent().GetSpiAllocated().GetFailure() != "":
		return []string{"It was never installed: the kernel refused it" + clause(last.detail) + "."}
	case !child.Installed:
		return []string{"It was never installed" + clause(last.detail) + "."}
	}
	return []string{fmt.Sprintf("It was removed at step %d%s.", last.step, clause(last.detail))}
}

// childAsker says who wanted a child deleted; of our own doing, why.
func (s *story) childAsker(decided *record.Because) string {
	r := s.record(decided.GetStep())
	if refusal := r.GetEvent().GetChildInstalled().GetRefusal(); refusal != "" {
		return "the kernel refused it: " + plain(refusal)
	}
	if d := r.GetEvent().GetDatagramReceived(); d != nil && decided.GetStep() != 0 {
		for _, e := range r.GetEffects() {
			if problem := e.GetAnswer().GetError(); problem != "" {
				return plain(problem)
			}
		}
		return fmt.Sprintf("the peer's answer of step %d about it was of no use", decided.GetStep())
	}
	return s.asker(decided)
}

// childNow says how a child is that is not gone, and what it waits for.
func (s *story) childNow(child *replay.Child, last turn, requests []*sent, o Options) []string {
	now := fmt.Sprintf("%s is %s", text.Child(child.Number), text.ChildPhase(child.Phase))
	if last.step != 0 {
		now += " since " + text.Clock(last.time, o.Place)
	}
	said := []string{now + "."}
	switch child.Phase {
	case record.ChildPhase_CHILD_PHASE_INSTALLING:
		said = append(said, "It waits for the peer's answer, or the kernel's.")
	case record.ChildPhase_CHILD_PHASE_DELETING:
		for _, m := range requests {
			if m.wish == record.Wish_WISH_DELETE_CHILD && m.child == child.Number && m.answered == 0 {
				said = append(said, fmt.Sprintf("We asked to delete it (%s): request %d, sent %s since %s, has no answer yet.", s.childAsker(m.wanted), m.id,
					times(m.sends), seconds(m.first, o.Place)))
			}
		}
	}
	return append(said, fmt.Sprintf("%s, its IKE SA, is %s.", text.SA(s.sa.Number), text.Phase(s.sa.Phase)))
}
