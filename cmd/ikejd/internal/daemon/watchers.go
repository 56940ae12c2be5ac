package daemon

import (
	"sync"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// watchers are clients that wait in a command and want to read what happens meanwhile to the SAs it is about.
type watchers struct {
	mu  sync.Mutex
	all map[*watcher]bool
}

type watcher struct {
	session *vici.Session
	about   func(sa uint64, connection string) bool
}

// add gives a session the control log of those SAs until the returned function is called. A request with loglevel 0 or
// below wants none: our lines are of level 1.
func (w *watchers) add(s *vici.Session, request vici.Message, about func(sa uint64, connection string) bool) (stop func()) {
	if level := request.Get(vici.KeyLogLevel); level == "0" || level == "-1" {
		return func() {}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[*watcher]bool{}
	}
	one := &watcher{s, about}
	w.all[one] = true
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, one)
	}
}

func (w *watchers) tell(sa uint64, connection string, m vici.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		if one.about(sa, connection) {
			one.session.Offer(vici.EventControlLog, m)
		}
	}
}
