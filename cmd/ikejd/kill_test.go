package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
)

// gateways is a configuration with so many connections to address, each to one peer of its own; the first watched have
// liveness checks.
func gateways(many, watched int, local, address, port string) string {
	var b strings.Builder
	b.WriteString("connections {\n")
	for i := range many {
		delay := "0s"
		if i < watched {
			delay = "500ms"
		}
		fmt.Fprintf(&b, `    gw-%d {
        local_addrs = %s
        remote_addrs = %s
        remote_port = %s
        dpd_delay = %s
        proposals = aes128gcm16-prfsha256-x25519
        unique = never
        local {
            auth = psk
            id = west-%[1]d.example
        }
        remote {
            auth = psk
            id = east.example
        }
        children {
            net-%[1]d {
                local_ts = 10.1.0.0/24
                remote_ts = 10.2.0.0/24
                esp_proposals = aes128gcm16
            }
        }
    }
`, i, local, address, port, delay)
	}
	return b.String() + "}\n" + shared
}

const shared = `secrets {
    ike-all {
        secret = "for tests"
    }
}
ikejd {
    linger {
        in_shutdown = 100ms
    }
}
`

const answering = `connections {
    any {
        unique = never
        proposals = aes128gcm16-prfsha256-x25519
        local {
            auth = psk
            id = east.example
        }
        remote {
            auth = psk
        }
        children {
            net {
                local_ts = 10.2.0.0/24
                remote_ts = 10.1.0.0/24
                esp_proposals = aes128gcm16
            }
        }
    }
}
` + shared

// inParallel does it for each number, some at a time.
func inParallel(numbers []int, do func(n int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wg.Go(func() {
			for n := range next {
				do(n)
			}
		})
	}
	for _, n := range numbers {
		next <- n
	}
	close(next)
	wg.Wait()
}

func numbers(from, to int) (all []int) {
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

// Ten times over, kill -9 while 1,000 SAs are up and 50 exchanges or more are unanswered: liveness checks, Deletes and
// set-ups. Each start takes all of them over and sends the very same octets; then the exchanges end as if nothing had been,
// and both ends list the same SAs.
func TestTenDeaths(t *testing.T) {
	needsRoot(t, "a capture")
	const (
		up, watched, each, deaths = 1000, 20, 15, 10
		inFlight                  = watched + 2*each
	)
	east := newIkejd(t, "east", loopbackOf(os.Getpid(), 1), answering)
	east.start()
	here := loopbackOf(os.Getpid(), 2)
	west := newIkejd(t, "west", here, gateways(up+each, watched, here, east.address, east.port))
	west.start()
	wire := startCapture(t)
	inParallel(numbers(0, up), func(n int) {
		if t.Failed() {
			return
		}
		if err := west.call(vici.CmdInitiate, vici.KeyIKE, fmt.Sprint("gw-", n)); err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	same := func() map[string]string {
		t.Helper()
		var here, there map[string]string
		soon(t, "both ends list the same SAs, all of them", func() bool {
			here, there = west.established(), east.established()
			return len(here) == up && slices.Equal(slices.Sorted(maps.Keys(here)), slices.Sorted(maps.Keys(there)))
		})
		return here
	}
	before := same()
	down := numbers(up, up+each) // connections without an SA
	next := watched              // whose SA is the next to be closed
	var recoveries []time.Duration
	for death := range deaths {
		east.signal(syscall.SIGSTOP)
		closing := numbers(next, next+each)
		next += each
		for _, n := range closing {
			west.must(vici.CmdTerminate, vici.KeyIKE, fmt.Sprint("gw-", n), vici.KeyTimeout, "-1")
		}
		for _, n := range down {
			west.must(vici.CmdInitiate, vici.KeyIKE, fmt.Sprint("gw-", n), vici.KeyTimeout, "-1")
		}
		soon(t, "so many exchanges are in flight", func() bool { return len(wire.unanswered(west)) >= inFlight })
		west.signal(syscall.SIGKILL)
		died, open := time.Now(), wire.unanswered(west)
		recoveries = append(recoveries, west.start())

		// East still stands: all that comes now is sent again.
		again := func() (found int) {
			sent := map[messageID]bool{}
			for _, one := range wire.of(west) {
				if digest, asked := open[one.id]; asked && one.at.After(died) && digest == one.digest {
					sent[one.id] = true
				}
			}
			return len(sent)
		}
		soon(t, fmt.Sprintf("death %d: all %d requests are sent again as they were", death+1, len(open)), func() bool { return again() == len(open) })
		east.signal(syscall.SIGCONT)
		after := same()
		kept := 0
		for spis, name := range before {
			switch lives := after[spis] != ""; {
			case lives:
				kept++
			case !slices.ContainsFunc(closing, func(n int) bool { return name == fmt.Sprint("gw-", n) }):
				t.Errorf("death %d: %s %s was lost", death+1, name, spis)
			}
		}
		if kept != up-each {
			t.Errorf("death %d: %d SAs were kept, want %d", death+1, kept, up-each)
		}
		before, down = after, closing
	}
	for _, d := range []*ikejd{west, east} {
		if status := d.stop(); status != 0 {
			t.Errorf("ended with %d:\n%s", status, d.log())
		}
	}
	wire.stop()
	for _, d := range []*ikejd{west, east} {
		for _, bad := range wire.changed(d) {
			t.Error(bad)
		}
		if d == west {
			wire.allRecorded(d)
		}
		d.judged()
	}
	slices.Sort(recoveries)
	t.Logf("%d deaths with %d SAs, %d exchanges in flight or more: a start was ready after %v to %v, median %v", deaths, up, inFlight,
		recoveries[0].Round(time.Millisecond), recoveries[deaths-1].Round(time.Millisecond), recoveries[deaths/2].Round(time.Millisecond))
}
