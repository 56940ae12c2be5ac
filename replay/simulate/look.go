package simulate

import (
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/reducer"
	"github.com/ikejd/ikejd/replay"
	"github.com/ikejd/ikejd/replay/audit"
	"google.golang.org/protobuf/proto"
)

// look judges the records that have become durable: the audit's rules, live, and what was met is counted.
func (n *Node) look() {
	for e, err := range n.disk.Read(n.read + 1) {
		if err != nil {
			n.w.fail("JRN-01", n, "the journal cannot be read: %v", err)
			return
		}
		r := new(record.Record)
		if err := proto.Unmarshal(e.Data, r); err != nil {
			n.w.fail("JRN-02", n, "step %d cannot be read: %v", e.Step, err)
			return
		}
		n.read, n.time = e.Step, int64(r.GetTime())
		n.w.Tally.Events++
		n.judge(n.auditor.Record(r))
		n.remember(r)
		if n.w.watch != nil {
			n.w.watch(n, r)
		}
		if r.GetEvent().GetPoisoned() != nil {
			n.w.fail("JRN-08", n, "the reducer failed at step %d: %s\n%s", e.Step, r.GetEvent().GetPoisoned().GetPanic(), r.GetEvent().GetPoisoned().GetStack())
		}
		if lost := r.GetEvent().GetRecovered(); lost != nil {
			if len(lost.GetDiverged()) > 0 || len(lost.GetWithoutKeys()) > n.secretsLost {
				n.w.fail("REC-01", n, "not everything was taken over at step %d: diverged %v, without keys %v", e.Step, lost.GetDiverged(), lost.GetWithoutKeys())
			}
			n.secretsLost = 0
		}
	}
}

func (n *Node) judge(found []audit.Finding) {
	for _, f := range found {
		n.w.Tally.met(metFinding, f.Verdict.String()+" "+f.Rule)
		if f.Verdict == audit.Violation {
			n.w.fail(f.Rule, n, "%v", f)
		}
	}
}

// remember notes the datagrams that may go out now, and the phases and causes.
func (n *Node) remember(r *record.Record) {
	for _, datagram := range replay.Datagrams(r) {
		n.durable[reducer.Digest(datagram)] = true
	}
	for _, e := range r.GetEffects() {
		if c := e.GetChanged(); c != nil {
			if c.GetTo() != 0 {
				n.w.Tally.met(metPhase, text.Phase(c.GetTo()))
			}
			if c.GetChildTo() != 0 {
				n.w.Tally.met(metPhase, "child "+text.ChildPhase(c.GetChildTo()))
			}
		}
		if d := e.GetDiscarded(); d != nil {
			n.w.Tally.met(metCause, text.Cause(d.GetCause()))
		}
	}
}
