package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/metrics"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/proto/record"
	"github.com/ikejd/ikejd/replay/audit"
	"github.com/ikejd/ikejd/replay/audit/mini"
)

// page is /metrics as read through a socket.
func page(t *testing.T, socket string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", socket)
	}}}
	answer, err := client.Get("http://ikejd/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// said is a log that may be written while it is read.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// A daemon that audits itself finds nothing wrong, and counts what it does.
func TestAuditsItself(t *testing.T) {
	east := start(t, answering)
	west := startWith(t, asking(east.ikePort, ""), func(o *Options) { o.Audit, o.Metrics = true, filepath.Join(filepath.Dir(o.Socket), "metrics") })
	west.must(vici.CmdInitiate, vici.KeyChild, "net")
	for _, line := range []string{`ikejd_ike_sas{state="Established"} 1`, `ikejd_ike_sas{state="HalfOpen"} 0`, `ikejd_ike_sas_ended_total{cause="acknowledged"} 0`} {
		if text := page(t, west.options.Metrics); !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("there is no %s in\n%s", line, text)
		}
	}
	west.must(vici.CmdTerminate, vici.KeyIKE, "gw-east")
	west.until("the end is counted", func() bool {
		return strings.Contains(page(t, west.options.Metrics), "\nikejd_ike_sas_ended_total{cause=\"acknowledged\"} 1\n")
	})
	text := page(t, west.options.Metrics)
	for _, pattern := range []string{`(?m)^ikejd_journal_commits_total [1-9]`, `(?m)^ikejd_events_total [1-9]`, `(?m)^ikejd_datagrams_total\{what="sent"\} [1-9]`,
		`(?m)^ikejd_audit_lost_place_total 0$`} {
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("nothing is like %s in\n%s", pattern, text)
		}
	}
	if code := west.stop(); code != ExitClean {
		t.Errorf("exit code %d", code)
	}
	if found := findings(t, west.metrics); len(found) > 0 {
		t.Errorf("a right daemon found %v", found)
	}
	if west.audit.next != west.journal.Last().Step+1 {
		t.Errorf("the run ended at step %d and was judged up to %d", west.journal.Last().Step, west.audit.next-1)
	}
}

// findings are what was counted, but for doubts: rule and severity.
func findings(t *testing.T, m *metrics.Metrics) map[string]float64 {
	t.Helper()
	found := map[string]float64{}
	all, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		if family.GetName() != "ikejd_audit_findings_total" {
			continue
		}
		for _, one := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range one.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["severity"] != audit.Inconclusive.String() {
				found[labels["severity"]+" "+labels["rule"]] = one.GetCounter().GetValue()
			}
		}
	}
	return found
}

// wrongJournal is an open journal, with what a mini journal says appended when more is called.
func wrongJournal(t *testing.T, mistakes string) (j *journal.Journal, more func()) {
	t.Helper()
	story, err := mini.Records("established", mistakes)
	if err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	put := func(all []*record.Record) {
		for _, r := range all {
			data, err := record.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Append(&journal.Batch{First: r.GetStep(), Time: int64(r.GetTime()), Records: [][]byte{data}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := story.First - 1 // the last step of what it begins with
	put(story.Records[:first])
	return j, func() { put(story.Records[first:]) }
}

// A wrong journal is counted and logged, once a finding; what an earlier run did wrong is not told again.
func TestWrongJournalIsCounted(t *testing.T) {
	const mistake = ">q5 INF\n>q6 INF D(ike)\n"
	j, more := wrongJournal(t, mistake)
	var log said
	a := newAuditing(j, metrics.New(), slog.New(slog.NewTextHandler(&log, nil)))
	ctx, stop := context.WithCancel(t.Context())
	a.stop = stop
	go a.run(ctx)
	more()
	a.finish()
	if got := findings(t, a.metrics)["violation WIN-01"]; got != 1 {
		t.Errorf("WIN-01 is counted %v times: %v", got, findings(t, a.metrics))
	}
	if lines := regexp.MustCompile(`(?m)^.*level=ERROR msg="audit: violation" rule=WIN-01 ike_sa=ike1 step=\d+ section="RFC 7296 2.3" what="6, 5 open"$`).
		FindAllString(log.String(), -1); len(lines) != 1 {
		t.Errorf("the log has %d lines of it:\n%s", len(lines), log.String())
	}

	again := newAuditing(j, metrics.New(), slog.New(slog.DiscardHandler))
	ctx, again.stop = context.WithCancel(t.Context())
	go again.run(ctx)
	again.finish()
	if found := findings(t, again.metrics)["violation WIN-01"]; found != 0 {
		t.Errorf("the next run tells again what the run before did wrong")
	}
}

// Rules that hang do not keep the journal from growing; rules that fail begin anew behind what they failed on, and say so.
func TestAuditCannotStop(t *testing.T) {
	j, more := wrongJournal(t, ">q5 INF\n<r5 INF\n")
	var log said
	a := newAuditing(j, metrics.New(), slog.New(slog.NewTextHandler(&log, nil)))
	held := make(chan struct{})
	last := j.Last().Step
	a.judge = func(rules *audit.Auditor, data []byte) ([]audit.Finding, error) {
		<-held
		switch a.next - 1 {
		case last:
			panic("a rule divides by zero")
		case last + 1:
			return nil, errors.New("a record cannot be read")
		}
		return rules.Entry(data)
	}
	ctx, stop := context.WithCancel(t.Context())
	a.stop = stop
	go a.run(ctx)
	more() // while the rules hang
	if j.Last().Step <= last {
		t.Fatal("nothing was appended")
	}
	close(held)
	a.finish()
	if a.next != j.Last().Step+1 {
		t.Errorf("judged up to step %d of %d", a.next-1, j.Last().Step)
	}
	if got := strings.Count(log.String(), "the live audit lost its place"); got != 2 || !strings.Contains(log.String(), "a rule divides by zero") {
		t.Errorf("the log says it %d times:\n%s", got, log.String())
	}
}

// A page is answered on loopback or a socket, and nowhere else.
func TestMetricsAddress(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "m")
	for address, ok := range map[string]bool{"127.0.0.1:0": true, "unix:" + socket: true, "0.0.0.0:0": false, "9500": false, "192.0.2.1:0": false} {
		l, err := metrics.Listen(address)
		if ok != (err == nil) {
			t.Errorf("%s: %v", address, err)
		}
		if err != nil {
			continue
		}
		if path, isPath := strings.CutPrefix(address, "unix:"); isPath {
			if _, err := metrics.Listen(path); err == nil || !strings.Contains(err.Error(), "already answers") {
				t.Errorf("a second page on one socket: %v", err)
			}
		}
		l.Close()
	}
}
