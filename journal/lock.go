package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// flock locks f, for the writer alone or shared, trying for as long as wait.
func flock(f *os.File, exclusive bool, wait time.Duration) error {
	how := unix.LOCK_SH | unix.LOCK_NB
	if exclusive {
		how = unix.LOCK_EX | unix.LOCK_NB
	}
	for until := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), how)
		if err == nil || !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || !time.Now().Before(until) {
			return err
		}
	}
}

// takeLock takes the journal for this process. The lock's file holds the writer's process id from here until a
// Close that went well, so that the next start knows whether to expect a torn tail.
func (o *Options) takeLock(dir string) (f *os.File, closed bool, err error) {
	f, err = os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("journal: %w; try: ikejd run --journal DIR with a folder that can be written", err)
	}
	if err := flock(f, true, lockWait); err != nil {
		pid := readPID(f)
		f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, false, fmt.Errorf("journal: cannot be locked: %w; try a folder on a local file system", err)
		}
		return nil, false, fmt.Errorf("journal is in use by ikejd (pid %s); try: ikejd journal export -o F", pid)
	}
	closed = readPID(f) == ""
	if err := o.writeLock(f, fmt.Sprintf("%d\n", os.Getpid())); err != nil {
		f.Close()
		return nil, false, err
	}
	return f, closed, nil
}

func (o *Options) writeLock(f *os.File, text string) error {
	err := f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(text), 0)
	}
	if err == nil {
		err = o.durable(f.Sync)
	}
	if err != nil {
		return fmt.Errorf("journal: its lock cannot be written: %w; free space on its file system", err)
	}
	return nil
}
