package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// Options of a journal opened for writing; the zero value has the defaults named at each field.
type Options struct {
	SegmentBytes int64         // size at which NeedsRoll asks for a new segment; 64 MiB
	SegmentAge   time.Duration // age, in the time of the records, at which it does; one hour
	NoPrewrite   bool          // do not write the next segment's zeros ahead, in the background

	sync func(do func() error) error // tests: stands before each sync, to fail it or leave it out
}

// durable runs a sync.
func (o *Options) durable(do func() error) error {
	if o.sync != nil {
		return o.sync(do)
	}
	return do()
}

// A Journal is open for writing. Append, Roll and Close belong to one goroutine, since only that knows which step is
// next; everything else may be called by any at any time.
type Journal struct {
	dir string
	o   Options

	write sync.Mutex // held by Append, Roll, Close
	lock  *os.File
	db    *bbolt.DB
	begin beginRow
	head  headRow
	limit int64    // size at which the open segment is full
	size  int64    // of its pages in use, before the last transaction
	since int64    // time from which its age counts; 0: the first record's
	arena []byte   // the batch as it is being framed
	rows  []row    // the same, cut
	err   error    // sticky
	past  []uint64 // first steps of the closed segments, ascending

	last  atomic.Pointer[Position]      // durable
	wake  atomic.Pointer[chan struct{}] // closed when last moves
	state sync.RWMutex                  // guards db and past for readers: held to write while a segment is exchanged

	pruning sync.Mutex
	known   sync.Map // SegmentInfo of closed segments by first step

	stopAhead context.CancelFunc // prewriting
	ahead     sync.WaitGroup
	aheadRuns atomic.Bool
}

// Open creates the journal in dir, or opens it for writing, which no other process may have it for. It reads the
// whole open segment: a torn tail, as a power cut leaves it, is cut off; any other damage is an error that says where.
func Open(dir string, o Options) (*Journal, error) {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.SegmentAge <= 0 {
		o.SegmentAge = defaultSegmentAge
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w; try: ikejd run --journal DIR with a folder that can be made", err)
	}
	lock, closed, err := o.takeLock(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, o: o, lock: lock}
	wake := make(chan struct{})
	j.wake.Store(&wake)
	if err := j.open(closed); err != nil {
		lock.Close() // what its file says of how the journal was left still holds
		return nil, err
	}
	j.publish()
	j.prewrite()
	return j, nil
}

func (j *Journal) open(closed bool) error {
	if err := removeUnfinished(j.dir); err != nil {
		return err
	}
	firsts, err := listSegments(j.dir)
	if err != nil {
		return err
	}
	if len(firsts) == 0 {
		if err := j.o.writeLock(j.lock, true); err != nil {
			return err
		}
		if err := j.o.durable(func() error { return syncDir(filepath.Dir(j.dir)) }); err != nil {
			return explain(segmentName(1), err) // the folder's own name
		}
		if err := j.create(beginRow{first: 1}, Position{}, nil, nil, nil); err != nil {
			return explain(segmentName(1), err)
		}
		return nil
	}
	first := firsts[len(firsts)-1]
	c, err := j.settle(first, closed)
	if err != nil {
		return err
	}
	if err := j.o.writeLock(j.lock, true); err != nil {
		return err
	}
	db, err := openDB(filepath.Join(j.dir, segmentName(first)), j.o.SegmentBytes)
	if err != nil {
		return err
	}
	if !closed {
		if err := j.mark(db, &c.head); err != nil {
			db.Close()
			return explain(segmentName(first), err)
		}
	}
	return j.adopt(db, c.begin, c.head, firsts[:len(firsts)-1])
}

// mark uses up the number of the transaction that may have been torn, with one that changes nothing. Its pages may lie
// on the disk without their meta page; if the next batch had its number, and of that one only the meta page were
// written in another crash, then what it names would be the torn transaction.
func (j *Journal) mark(db *bbolt.DB, head *headRow) (err error) {
	defer guard(filepath.Base(db.Path()), &err)
	err = db.Update(func(tx *bbolt.Tx) error { return putHead(tx, head) })
	if err != nil {
		return err
	}
	return j.o.durable(db.Sync)
}

// adopt makes db the open segment, behind those that begin at past.
func (j *Journal) adopt(db *bbolt.DB, begin beginRow, head headRow, past []uint64) error {
	size := int64(0)
	if err := db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }); err != nil {
		db.Close()
		return fmt.Errorf("journal: %s: %w", segmentName(begin.first), err)
	}
	j.state.Lock()
	defer j.state.Unlock()
	j.db, j.begin, j.head, j.past = db, begin, head, past
	j.size, j.since = size, begin.time
	// Snapshot and vault must not make the next segment due at once, however much they take.
	taken := int64(begin.snapshotBytes)
	if head.last.Step < begin.first {
		taken = size
	}
	j.limit = max(j.o.SegmentBytes, taken+j.o.SegmentBytes/2)
	return nil
}

// settle checks the open segment, cuts a torn tail off it, and makes durable what a killed writer left.
func (j *Journal) settle(first uint64, closed bool) (contents, error) {
	im, read, err := openImage(j.dir, first)
	if err != nil {
		return contents{}, err
	}
	defer read.Close()
	c, torn, err := im.settle(closed)
	if err != nil {
		return c, err
	}
	if closed {
		return c, nil
	}
	f, err := os.OpenFile(read.Name(), os.O_RDWR, 0)
	if err != nil {
		return c, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	if torn {
		err = j.cut(f, 1-c.meta.slot)
	}
	if err == nil {
		err = j.writeAgain(f, int64(c.meta.pages)*pageSize)
	}
	if err != nil {
		return c, fmt.Errorf("journal: %s cannot be made durable: %w; look after the disk before starting ikejd again", im.name, err)
	}
	return c, nil
}

// cut removes the meta page of a transaction that is not whole: bbolt then sees the one before.
func (j *Journal) cut(f *os.File, slot int64) error {
	sector := append([]byte(cutMark), make([]byte, sectorSize-len(cutMark))...)
	if _, err := f.WriteAt(sector, slot*pageSize); err != nil {
		return err
	}
	return j.o.durable(f.Sync)
}

// writeAgain writes what is read and syncs it. When a sync failed, the kernel may hold pages as clean that never
// reached the disk; a new process would read them, take them for durable and build on them.
func (j *Journal) writeAgain(f *os.File, size int64) error {
	b := make([]byte, min(1<<20, size))
	for at := int64(0); at < size; at += int64(len(b)) {
		n, err := f.ReadAt(b[:min(int64(len(b)), size-at)], at)
		if n == 0 && err != nil {
			return err
		}
		if _, err := f.WriteAt(b[:n], at); err != nil {
			return err
		}
	}
	return j.o.durable(f.Sync)
}

// removeUnfinished removes what a crash left half made.
func removeUnfinished(dir string) error {
	names, err := os.ReadDir(dir)
	for _, n := range names {
		ours := strings.HasPrefix(n.Name(), segmentPrefix) || strings.HasPrefix(n.Name(), spareName)
		if err == nil && ours && strings.HasSuffix(n.Name(), unfinished) {
			err = os.Remove(filepath.Join(dir, n.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("journal: %w; try: ikejd run --journal DIR with a folder that can be written", err)
	}
	return nil
}

// publish makes the end of the journal known to readers, and wakes those that follow.
func (j *Journal) publish() {
	last := j.head.last
	j.last.Store(&last)
	wake := make(chan struct{})
	close(*j.wake.Swap(&wake))
}

// Last is the durable end of the journal.
func (j *Journal) Last() Position { return *j.last.Load() }

var errClosed = errors.New("journal: closed; open it again")

// Close ends the journal and lets go of its lock. Those that follow it see its end.
func (j *Journal) Close() error {
	j.write.Lock()
	defer j.write.Unlock()
	if errors.Is(j.err, errClosed) {
		return nil
	}
	if j.stopAhead != nil {
		j.stopAhead()
	}
	j.ahead.Wait()
	failed := j.err
	j.err = errClosed
	j.state.Lock()
	err := j.db.Close()
	j.db = nil
	j.state.Unlock()
	j.publish()
	if failed == nil && err == nil {
		err = j.o.lockText(j.lock, "")
	}
	return errors.Join(err, j.lock.Close())
}
