package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/metrics"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/proto/record/text"
	"github.com/ikejd/ikejd/replay/audit"
)

// auditing is `run --audit`: the audit's rules read the journal while it is written. Between the daemon and them there is
// no queue but the journal itself: they read what is durable, at their own pace, in a goroutine of their own, so however
// slow they are the daemon never waits for them.
type auditing struct {
	journal *journal.Journal
	log     *slog.Logger
	metrics *metrics.Metrics
	before  uint64 // steps up to here are earlier runs': they are read, since rules remember, and not reported
	rules   *audit.Auditor
	next    uint64 // the step to judge next
	judge   func(*audit.Auditor, []byte) ([]audit.Finding, error)
	stop    context.CancelFunc
	ended   chan struct{} // run has returned
}

// Ours: how long an audit that lost its place waits before it looks for another, and how long a run that ends waits for it.
const (
	auditAgain = time.Second
	auditRest  = 2 * time.Second
)

func newAuditing(j *journal.Journal, m *metrics.Metrics, log *slog.Logger) *auditing {
	return &auditing{journal: j, log: log, metrics: m, before: j.Last().Step, judge: (*audit.Auditor).Entry, stop: func() {}, ended: make(chan struct{})}
}

// run judges until ctx ends or the journal is closed.
func (a *auditing) run(ctx context.Context) {
	defer close(a.ended)
	for ctx.Err() == nil {
		err := a.begin()
		if err == nil {
			err = a.read(ctx)
		}
		if err == nil {
			return
		}
		a.lost(err)
		select {
		case <-time.After(auditAgain):
		case <-ctx.Done():
		}
	}
}

// begin takes over the newest snapshot: the records behind it are the open segment's.
func (a *auditing) begin() error {
	a.rules, a.next = audit.New(), 0
	step, data, err := a.journal.Snapshot()
	if err != nil || data == nil {
		return err
	}
	s := new(record.Snapshot)
	if err := proto.Unmarshal(data, s); err != nil {
		return fmt.Errorf("the snapshot after step %d cannot be read: %w", step, err)
	}
	a.rules.Start(s)
	a.next = step + 1
	return nil
}

func (a *auditing) read(ctx context.Context) error {
	for e, err := range a.journal.Follow(ctx, a.next) {
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		a.entry(e)
	}
	return nil
}

// entry judges one record. Where the rules themselves fail on it they begin anew behind it: the daemon goes on.
func (a *auditing) entry(e journal.Entry) {
	a.next = e.Step + 1
	found, err := a.safely(e)
	if err != nil {
		a.lost(err)
		a.rules = audit.New()
		return
	}
	if e.Step > a.before {
		a.report(found)
	}
}

func (a *auditing) safely(e journal.Entry) (found []audit.Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the rules failed on step %d: %v\n%s", e.Step, p, debug.Stack())
		}
	}()
	return a.judge(a.rules, e.Data)
}

// lost says that what was before is not judged to its end.
func (a *auditing) lost(err error) {
	a.metrics.Lost.Inc()
	a.log.Warn("the live audit lost its place and begins anew; for the whole journal, try: ikejd audit", "error", err)
}

// report counts findings, and logs each that is more than a doubt.
func (a *auditing) report(found []audit.Finding) {
	for _, f := range found {
		a.metrics.Findings.WithLabelValues(f.Rule, f.Verdict.String()).Inc()
		level, ok := map[audit.Verdict]slog.Level{audit.Violation: slog.LevelError, audit.Warning: slog.LevelWarn, audit.Note: slog.LevelInfo}[f.Verdict]
		if !ok {
			continue
		}
		sa := "-"
		if f.SA != 0 {
			sa = text.SA(f.SA)
		}
		e, _ := audit.Find(f.Rule)
		a.log.Log(context.Background(), level, "audit: "+f.Verdict.String(), "rule", f.Rule, "ike_sa", sa, "step", f.Step, "section", e.Section, "what", f.Text)
	}
}

// finish judges what the last batches brought, and what shows only at the end of a run. A rule that is slow is not waited
// for: the journal has it all.
func (a *auditing) finish() {
	a.stop()
	<-a.ended
	limit := time.Now().Add(auditRest)
	for e, err := range a.journal.Read(a.next) {
		if err != nil || time.Now().After(limit) {
			a.lost(fmt.Errorf("the run ends, and what follows step %d is not judged", a.next-1))
			return
		}
		a.entry(e)
	}
	a.report(a.rules.End().Last)
}
