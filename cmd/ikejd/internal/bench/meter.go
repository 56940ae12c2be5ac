package bench

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ikejd/ikejd/effects/keys"
)

// meter reads what a phase costs: this process's CPU, the responder's where it is on this host, and, in the same seconds
// on the same cores, what the cryptography alone of a handshake takes. Only the ratio to that means anything elsewhere.
type meter struct {
	pid    int
	own    time.Duration
	before Usage
	quit   chan struct{}
	wg     sync.WaitGroup

	floor  time.Duration // CPU of the thread that does it
	floors int
}

// Of every floorEvery, one floorBatch of handshakes is done: about one in a hundred of a core's time.
const (
	floorEvery = 25 * time.Millisecond
	floorBatch = 2
)

// Usage is what /proc says of a process.
type Usage struct {
	CPU                     time.Duration // user and system
	Resident, RssAnon, Peak int64         // octets; Peak is the most that was ever resident
}

func startMeter(pid int) (*meter, error) {
	m := &meter{pid: pid, own: cpu(unix.CLOCK_PROCESS_CPUTIME_ID), quit: make(chan struct{})}
	if pid != 0 {
		var err error
		if m.before, err = usage(pid); err != nil {
			return nil, err
		}
	}
	m.wg.Go(m.sample)
	return m, nil
}

func (m *meter) sample() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tick := time.NewTicker(floorEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			before := cpu(unix.CLOCK_THREAD_CPUTIME_ID)
			if keys.HandshakeFloor(floorBatch) != nil {
				return
			}
			m.floor += cpu(unix.CLOCK_THREAD_CPUTIME_ID) - before
			m.floors += floorBatch
		case <-m.quit:
			return
		}
	}
}

// stop writes into r what it cost, each of n SAs.
func (m *meter) stop(r *Report, n int) {
	close(m.quit)
	m.wg.Wait()
	own := cpu(unix.CLOCK_PROCESS_CPUTIME_ID) - m.own - m.floor
	r.OwnCPU = own / time.Duration(n)
	if m.floors > 0 {
		r.Floor = m.floor / time.Duration(m.floors)
	}
	if m.pid == 0 {
		return
	}
	after, err := usage(m.pid)
	if err != nil {
		return // it is gone; that nothing was answered says so
	}
	r.Watched = true
	r.ResponderCPU = (after.CPU - m.before.CPU) / time.Duration(n)
	r.Resident = (after.Resident - m.before.Resident) / int64(n)
	r.RssAnon = (after.RssAnon - m.before.RssAnon) / int64(n)
	r.Peak = (after.Peak - m.before.Resident) / int64(n)
}

// cpu reads one of this process's CPU clocks.
func cpu(clock int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(fmt.Sprintf("clock_gettime(%d): %v", clock, err)) // Linux has them all
	}
	return time.Duration(t.Nano())
}

// clockTicks a second is how /proc counts CPU time on every Linux (USER_HZ).
const clockTicks = 100

// usage reads /proc/PID/stat and /proc/PID/status.
func usage(pid int) (u Usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, fmt.Errorf("the responder's process: %w", err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, fmt.Errorf("the responder's process: %w", err)
	}
	// The name stands in parentheses and may hold anything; behind it utime and stime are the 12th and 13th field.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return u, fmt.Errorf("/proc/%d/stat has %d fields behind the name", pid, len(fields))
	}
	for _, f := range fields[11:13] {
		ticks, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return u, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		u.CPU += time.Duration(ticks) * time.Second / clockTicks
	}
	for key, into := range map[string]*int64{"VmRSS": &u.Resident, "RssAnon": &u.RssAnon, "VmHWM": &u.Peak} {
		if _, after, ok := bytes.Cut(status, []byte("\n"+key+":")); ok {
			line, _, _ := bytes.Cut(after, []byte(" kB"))
			kib, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
			if err != nil {
				return u, fmt.Errorf("/proc/%d/status, %s: %w", pid, key, err)
			}
			*into = kib << 10
		}
	}
	return u, nil
}
