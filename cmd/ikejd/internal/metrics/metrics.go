package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Metrics are the counters of one daemon.
type Metrics struct {
	registry *prometheus.Registry

	Commits  prometheus.Counter     // batches of records made durable
	Ends     *prometheus.CounterVec // IKE SAs that ended, by cause
	Findings *prometheus.CounterVec // of the live audit, by rule and severity
	Lost     prometheus.Counter     // how often the live audit lost its place in the journal
}

// New has everything at 0.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(),
		Commits: prometheus.NewCounter(prometheus.CounterOpts{Name: "ikejd_journal_commits_total",
			Help: "Batches of records made durable since the start."}),
		Ends: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ikejd_ike_sas_ended_total",
			Help: "IKE SAs that ended since the start, by cause."}, []string{"cause"}),
		Findings: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ikejd_audit_findings_total",
			Help: "Findings of the live audit since the start, by rule and severity."}, []string{"rule", "severity"}),
		Lost: prometheus.NewCounter(prometheus.CounterOpts{Name: "ikejd_audit_lost_place_total",
			Help: "How often the live audit lost its place in the journal and began anew, with what was before unjudged."})}
	m.Register(m.Commits, m.Ends, m.Findings, m.Lost)
	return m
}

// Register adds what is collected when somebody asks. A name that is there already is a bug, and panics.
func (m *Metrics) Register(more ...prometheus.Collector) { m.registry.MustRegister(more...) }

// Gather is what a page would say now, for tests of who counts.
func (m *Metrics) Gather() ([]*dto.MetricFamily, error) { return m.registry.Gather() }

// Each is a metric of several values that are counted elsewhere: give is called with each value's label when somebody asks.
func Each(name, help, label string, kind prometheus.ValueType, all func(give func(value string, n float64))) prometheus.Collector {
	return &each{prometheus.NewDesc(name, help, []string{label}, nil), kind, all}
}

type each struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	all  func(func(string, float64))
}

func (e *each) Describe(to chan<- *prometheus.Desc) { to <- e.desc }

func (e *each) Collect(to chan<- prometheus.Metric) {
	e.all(func(value string, n float64) { to <- prometheus.MustNewConstMetric(e.desc, e.kind, n, value) })
}
