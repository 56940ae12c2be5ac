package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The files of a journal's folder: one `segment-<first step>.db` each, the last one open; `spare.db`, the next one
// written ahead; `lock`. A name with `.new` behind it is a file not yet whole: its rename is what makes it exist.

const (
	segmentPrefix = "segment-"
	segmentSuffix = ".db"
	spareName     = "spare.db"
	lockName      = "lock"
	unfinished    = ".new"

	lockWait = time.Second // nobody waits for a lock for longer

	defaultSegmentBytes = 64 << 20
	defaultSegmentAge   = time.Hour
)

func segmentName(first uint64) string {
	return fmt.Sprintf("%s%020d%s", segmentPrefix, first, segmentSuffix)
}

// listSegments gives the first steps of the segments in dir, ascending.
func listSegments(dir string) ([]uint64, error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w; try: ikejd run --journal DIR with a folder that can be read", err)
	}
	var firsts []uint64
	for _, n := range names {
		digits, is := strings.CutPrefix(n.Name(), segmentPrefix)
		digits, ends := strings.CutSuffix(digits, segmentSuffix)
		if !is || !ends || len(digits) != 20 {
			continue
		}
		if first, err := strconv.ParseUint(digits, 10, 64); err == nil {
			firsts = append(firsts, first)
		}
	}
	slices.Sort(firsts)
	return firsts, nil
}

// visitor is a look at a journal's folder from outside. Until release is called no daemon can take the journal, so
// that is to be soon: one that starts waits lockWait at most.
type visitor struct {
	live    bool   // a daemon has the journal
	pid     string // of that daemon
	closed  bool   // the last daemon closed it: no torn tail is to be expected
	release func()
}

func visit(dir string) visitor {
	f, err := os.Open(filepath.Join(dir, lockName))
	if err != nil { // a copy of the segments alone, or nothing yet
		return visitor{release: func() {}}
	}
	v := visitor{live: flock(f, false, 0) != nil, release: func() { f.Close() }}
	v.pid, v.closed = readLock(f)
	return v
}

// openImage opens the segment that begins at first for reading by pages.
func openImage(dir string, first uint64) (*image, *os.File, error) {
	name := segmentName(first)
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, nil, fmt.Errorf("journal: %w; if it was pruned meanwhile, begin again", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("journal: %w", err)
	}
	return newImage(f, info.Size(), name), f, nil
}

// openDB hands a file that was checked, or is new, to bbolt. The commit's own sync is ours (append.go).
func openDB(path string, segmentBytes int64) (db *bbolt.DB, err error) {
	defer guard(filepath.Base(path), &err)
	defer faultsPanic()()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:        lockWait,
		NoSync:         true,
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
		// A map that never grows under a reader; address space, not memory.
		InitialMmapSize: int(2 * segmentBytes),
		PageSize:        pageSize,
		NoStatistics:    true,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("journal: %s is locked by another program; try: fuser %s", filepath.Base(path), filepath.Base(path))
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %s: %w", filepath.Base(path), err)
	}
	return db, nil
}

// guard turns a panic of bbolt into an error that names the segment. To be deferred.
func guard(segment string, err *error) {
	if p := recover(); p != nil {
		*err = &Damage{Segment: segment, What: fmt.Sprintf("cannot be used: %v", p)}
	}
}

// faultsPanic makes a fault in mapped memory, as of a page that the disk cannot read, a panic that guard recovers,
// until the function it gives is called.
func faultsPanic() func() {
	old := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(old) }
}

// syncDir makes names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readAll copies the first size octets of a segment, so that no lock is needed while it is read.
func readAll(r io.ReaderAt, size int64) ([]byte, error) {
	b := make([]byte, size)
	n, err := r.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}
