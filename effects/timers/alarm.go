package timers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Waiting in event time. Go's own timers stand still while the machine is suspended, the boot clock
// does not: a laptop that wakes after an hour must not wait another hour to find its peers gone. So a
// timerfd on the boot clock.

// Alarm rings when an event time has come. Set and Close are its owner's, Rings may be read anywhere.
type Alarm struct {
	clock *Boot
	file  *os.File // a timerfd
	rings chan struct{}
	done  chan struct{}
}

// NewAlarm is an alarm that is not set.
func NewAlarm(clock *Boot) (*Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("timer on the boot clock: %w; see the limit of open files (ulimit -n)", err)
	}
	a := &Alarm{clock: clock, file: os.NewFile(uintptr(fd), "timerfd"), rings: make(chan struct{}, 1), done: make(chan struct{})}
	go a.run()
	return a, nil
}

// Rings gets a value when the time has come. It may ring once for a time that has since been replaced:
// whoever hears it looks at the clock.
func (a *Alarm) Rings() <-chan struct{} { return a.rings }

// Set has the alarm ring at an event time (UTC ns), in place of the one before; at once where it has come.
func (a *Alarm) Set(until int64) error {
	// Relative, for a time of 0 would stop the timer, and at most a day, for a far deadline would
	// overflow: who is woken early looks at the clock.
	d := min(max(remaining(until, a.clock.Now()), 1), 24*time.Hour)
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	conn, err := a.file.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := conn.Control(func(fd uintptr) { set = unix.TimerfdSettime(int(fd), 0, &spec, nil) }); err != nil {
		return err
	}
	return set
}

// Close ends the alarm; it does not ring any more.
func (a *Alarm) Close() error {
	err := a.file.Close()
	<-a.done
	return err
}

// run turns what the timer says into rings, until Close.
func (a *Alarm) run() {
	defer close(a.done)
	count := make([]byte, 8) // how often it expired; of no interest
	for {
		if _, err := a.file.Read(count); err != nil {
			return
		}
		select {
		case a.rings <- struct{}{}:
		default: // it rings already
		}
	}
}

// Wait returns when the event time has reached until (UTC ns), or with ctx's error. Time spent
// suspended counts.
func (c *Boot) Wait(ctx context.Context, until int64) (err error) {
	if c.Now() >= until {
		return ctx.Err()
	}
	alarm, err := NewAlarm(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, alarm.Close()) }()
	for c.Now() < until {
		if err := alarm.Set(until); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-alarm.Rings():
		}
	}
	return nil
}
