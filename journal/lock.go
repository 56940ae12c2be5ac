package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// The lock's file holds the process id of the daemon that has it, and from before its first write until it has closed
// the journal a line `open`: a start that finds that line has to expect a torn tail, and any other has not.
const openLine = "open\n"

// takeLock takes the journal for this process, and says whether it was closed before.
func (o *Options) takeLock(dir string) (f *os.File, closed bool, err error) {
	f, err = os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("journal: %w; try: ikejd run --journal DIR with a folder that can be written", err)
	}
	if err := flock(f, true, lockWait); err != nil {
		pid, _ := readLock(f)
		f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, false, fmt.Errorf("journal: cannot be locked: %w; try a folder on a local file system", err)
		}
		return nil, false, fmt.Errorf("journal is in use by ikejd (pid %s); try: ikejd journal export -o F", pid)
	}
	_, closed = readLock(f)
	if err := o.writeLock(f, !closed); err != nil {
		f.Close()
		return nil, false, err
	}
	return f, closed, nil
}

func readLock(f *os.File) (pid string, closed bool) {
	b := make([]byte, 64)
	n, _ := f.ReadAt(b, 0)
	pid, rest, _ := strings.Cut(string(b[:n]), "\n")
	if pid == "" {
		pid = "not known yet"
	}
	return pid, !strings.Contains(rest, openLine)
}

// writeLock writes over what is there, so that a line `open` is there at any moment if it was and is to be.
func (o *Options) writeLock(f *os.File, open bool) error {
	text := fmt.Sprintf("%d\n", os.Getpid())
	if open {
		text += openLine
	}
	return o.lockText(f, text)
}

func (o *Options) lockText(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	if err == nil {
		err = f.Truncate(int64(len(text)))
	}
	if err == nil {
		err = o.durable(f.Sync)
	}
	if err != nil {
		return explain("its lock", err)
	}
	return nil
}
