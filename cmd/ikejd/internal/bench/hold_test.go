package bench_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/bench"
	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// when calls do once, when an SA is up in the phase of that name, and takes down which phases were told of.
func when(o *bench.Options, phase string, do func()) map[string]bool {
	told, did := map[string]bool{}, false
	o.TellEvery = time.Millisecond
	o.Tell = func(p bench.Progress) {
		if p.Phase == phase && p.Up > 0 && !did {
			did = true
			do()
		}
		told[p.Phase] = true
	}
	return told
}

// SAs that are held are probed in turn, and each probe is answered; so is the Delete after the last one.
func TestProbe(t *testing.T) {
	r := startResponder(t)
	var told map[string]bool
	report := r.load(t, func(o *bench.Options) {
		o.SAs, o.Outstanding, o.Hold, o.Probe = 20, 20, time.Second, 200*time.Millisecond
		told = when(o, "holding", func() {})
	})
	if n := report.Probe.Done(); n < 20 || n != report.Probe.Asked || n > 120 || report.Probe.Wait(.5) == 0 || report.Probe.Wait(.5) > report.Probe.Wait(1) {
		t.Errorf("%d probes of %d were answered, in %v to %v", n, report.Probe.Asked, report.Probe.Wait(.5), report.Probe.Wait(1))
	}
	if report.Delete.Done() != 20 || report.Probe.Unanswered() != 0 {
		t.Errorf("%d deleted, %d probes unanswered", report.Delete.Done(), report.Probe.Unanswered())
	}
	if !told["holding"] {
		t.Errorf("told of %v", slices.Collect(maps.Keys(told)))
	}
}

// A responder that is silent while SAs are held: its probes are counted as unanswered, and the SAs get no Delete past the
// shut window.
func TestSilence(t *testing.T) {
	r := startResponder(t)
	defer r.thaw(t)
	o := r.options(func(o *bench.Options) {
		o.SAs, o.Outstanding, o.Hold, o.Probe = 5, 5, 600*time.Millisecond, 100*time.Millisecond
		o.FirstWait, o.Sends = 50*time.Millisecond, 3
		when(o, "holding", func() { r.freeze(t) })
	})
	report, err := bench.Run(context.Background(), context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.SetUp.Done() != 5 || report.Probe.Unanswered() != 5 || report.Probe.Resent < 10 || report.Delete.Asked != 0 || !report.Failed() {
		t.Errorf("%d up, %d probes unanswered of %d (%d resent), %d Deletes", report.SetUp.Done(), report.Probe.Unanswered(), report.Probe.Asked,
			report.Probe.Resent, report.Delete.Asked)
	}
}

// The responder's own requests are answered while SAs are held: its liveness checks, or it would give them up.
func TestLivenessOfTheResponder(t *testing.T) {
	r := startResponder(t, "dpd_delay = 1s")
	report := r.load(t, func(o *bench.Options) { o.SAs, o.Outstanding, o.Hold = 5, 5, 2500*time.Millisecond })
	if report.Peer.Answered < 5 || report.Peer.Deleted+report.Peer.Refused+report.Peer.Children != 0 || report.Delete.Done() != 5 {
		t.Errorf("%+v, %d deleted", report.Peer, report.Delete.Done())
	}
}

// SAs that the responder deletes are lost, and get no Delete of ours; a child that it deletes alone is not.
func TestDeletesOfTheResponder(t *testing.T) {
	for _, c := range []struct {
		key, value string
		want       bench.Asked
		deletes    int
	}{
		{vici.KeyIKE, "bench", bench.Asked{Answered: 3, Deleted: 3}, 0},
		{vici.KeyChild, "net", bench.Asked{Answered: 3, Children: 3}, 3},
	} {
		r := startResponder(t)
		o := r.options(func(o *bench.Options) {
			o.SAs, o.Outstanding, o.Hold = 3, 3, time.Second
			when(o, "holding", func() { r.terminate(t, c.key, c.value) })
		})
		report, err := bench.Run(context.Background(), context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if report.Peer != c.want || report.Delete.Asked != c.deletes || report.Delete.Done() != c.deletes || report.Failed() != (c.deletes == 0) {
			t.Errorf("%s: %+v, %d of %d Deletes", c.key, report.Peer, report.Delete.Done(), report.Delete.Asked)
		}
		r.stop(t)
	}
}

// Interrupted while it sets up or holds, it deletes what is up and says so.
func TestInterrupted(t *testing.T) {
	r := startResponder(t)
	for _, phase := range []string{"setting up", "holding"} {
		ctx, interrupt := context.WithCancel(context.Background())
		o := r.options(func(o *bench.Options) {
			o.SAs, o.Outstanding, o.Hold, o.FirstWait = 4, 1, time.Hour, 200*time.Millisecond
			if phase == "setting up" {
				o.SAs, o.Rate = 1000, 20
			}
			when(o, phase, interrupt)
		})
		report, err := bench.Run(ctx, context.Background(), o)
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		up := report.SetUp.Done()
		if up == 0 || phase == "setting up" && up == 1000 || report.Delete.Asked != up || report.Delete.Done() != up {
			t.Errorf("%s: %d up, %d of %d deleted", phase, up, report.Delete.Done(), report.Delete.Asked)
		}
	}
}

// Interrupted again, it stops, whatever is still to be answered.
func TestInterruptedTwice(t *testing.T) {
	r := startResponder(t)
	defer r.thaw(t)
	ctx, interrupt := context.WithCancel(context.Background())
	halt, again := context.WithCancel(context.Background())
	var told atomic.Int32
	o := r.options(func(o *bench.Options) {
		o.SAs, o.Outstanding, o.Hold, o.FirstWait, o.Sends = 4, 4, time.Hour, 200*time.Millisecond, 50
		o.TellEvery = time.Millisecond
		o.Tell = func(p bench.Progress) {
			switch {
			case p.Phase == "holding":
				r.freeze(t)
				interrupt()
			case p.Phase == "deleting" && told.Add(1) == 1:
				again()
			}
		}
	})
	report, err := bench.Run(ctx, halt, o)
	if !errors.Is(err, context.Canceled) || report.SetUp.Done() != 4 || report.Delete.Asked != 4 || report.Delete.Done() != 0 {
		t.Errorf("%d up, %d of %d deleted: %v", report.SetUp.Done(), report.Delete.Done(), report.Delete.Asked, err)
	}
}
