package daemon

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/metrics"
	"github.com/ikejd/ikejd/effects/engine"
	"github.com/ikejd/ikejd/reducer"
)

// count adds what a durable batch did.
func (d *Daemon) count(notes []engine.Note) {
	d.metrics.Commits.Inc()
	for i := range notes {
		e := &notes[i].Effect
		if e.Kind == reducer.EffectChanged && e.Child == 0 && e.Change.To == reducer.Discarded {
			d.metrics.Ends.WithLabelValues(e.Change.Cause.String()).Inc()
		}
	}
}

// register adds what is counted elsewhere and looked up when somebody asks.
func (d *Daemon) register() {
	for cause := reducer.Acknowledged; cause <= reducer.NotRecovered; cause++ {
		d.metrics.Ends.WithLabelValues(cause.String()) // a rate needs the 0 before the first
	}
	d.metrics.Register(
		metrics.Each("ikejd_ike_sas", "IKE SAs, by state.", "state", prometheus.GaugeValue, d.statesNow),
		metrics.Each("ikejd_door_refused_total", "Datagrams turned away before they were an event, by cause.", "cause", prometheus.CounterValue,
			func(give func(string, float64)) {
				for cause, n := range d.engine.Counts() {
					give(cause, float64(n))
				}
			}),
		metrics.Each("ikejd_datagrams_total", "Datagrams at the sockets, by what became of them.", "what", prometheus.CounterValue,
			func(give func(string, float64)) {
				d.sockets.Counters().Each(func(what string, n uint64) { give(what, float64(n)) })
			}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "ikejd_events_total", Help: "Events reduced since the start."},
			func() float64 { return float64(d.engine.Stats().Events) }),
	)
}

// statesNow counts the SAs of the State that is published; nobody waits for that.
func (d *Daemon) statesNow(give func(string, float64)) {
	var count [reducer.Discarded]float64
	d.engine.State().EachSA(0, func(sa *reducer.IKESA) bool {
		count[sa.Phase]++
		return true
	})
	for phase := reducer.HalfOpen; phase < reducer.Discarded; phase++ {
		give(phase.String(), count[phase])
	}
}
