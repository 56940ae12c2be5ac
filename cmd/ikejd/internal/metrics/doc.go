// Package metrics is what a daemon counts, and the page that Prometheus reads it from. The central type is Metrics: a
// registry of its own, the counters that the daemon's parts add to, and a place to register what is only looked up when
// somebody asks. The names are a contract: what is there keeps its name and meaning, more is added.
package metrics
