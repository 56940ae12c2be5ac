package journal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Roll closes the open segment and begins the next with the snapshot, which is the state after the last step, and
// with every living entry of the vault, sealed again by the caller. A crash at any point leaves either the old
// segment open or the new one: it gets its name when all of that is durable, and nothing is appended
// before that. An error is sticky, as one of Append.
func (j *Journal) Roll(snapshot []byte, vault []VaultChange) error {
	j.write.Lock()
	defer j.write.Unlock()
	if j.err != nil {
		return j.err
	}
	last := j.head.last
	begin := beginRow{first: last.Step + 1, time: last.Time, head: last.Head,
		snapshotBytes: uint64(len(snapshot)), snapshotSum: sha256.Sum256(snapshot)}
	old, oldFirst, past := j.db, j.begin.first, j.past
	if oldFirst != begin.first { // else the new segment replaces one without a record
		past = append(past[:len(past):len(past)], oldFirst)
	}
	if err := j.create(begin, last, past, snapshot, vault); err != nil {
		j.err = explain(segmentName(begin.first), err)
		return j.err
	}
	j.retire(old, oldFirst)
	j.publish()
	j.prewrite()
	return nil
}

// retire closes a segment and gives back what was written ahead and not used. That is thrift, not safety: an error
// costs only space.
func (j *Journal) retire(db *bbolt.DB, first uint64) {
	size := int64(0)
	_ = db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	_ = db.Close()
	if size > 0 && first != j.begin.first {
		_ = os.Truncate(filepath.Join(j.dir, segmentName(first)), size)
	}
}

// create makes a segment and adopts it.
func (j *Journal) create(begin beginRow, last Position, past []uint64, snapshot []byte, vault []VaultChange) (err error) {
	name := segmentName(begin.first)
	path := filepath.Join(j.dir, name)
	defer guard(name, &err)
	if spare := filepath.Join(j.dir, spareName); isFresh(spare) {
		err = os.Rename(spare, path+unfinished)
	} else { // bbolt makes a new one
		err = os.Remove(spare)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	db, err := openDB(path+unfinished, j.o.SegmentBytes)
	if err != nil {
		return err
	}
	head := headRow{last: last}
	err = fill(db, begin, &head, snapshot, vault)
	if err == nil {
		err = j.o.durable(db.Sync)
	}
	if err == nil {
		err = os.Rename(path+unfinished, path)
	}
	if err == nil {
		err = j.o.durable(func() error { return syncDir(j.dir) })
	}
	if err != nil {
		db.Close()
		return err
	}
	return j.adopt(db, begin, head, past)
}

// isFresh says whether a file is as bbolt makes it: two meta pages, an empty freelist, an empty root.
func isFresh(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	im := newImage(f, 4*pageSize, spareName)
	metas, err := im.metas()
	if err != nil || len(metas) != 2 || metas[0].txid != 1 || metas[0].root != 3 || metas[0].pages != 4 {
		return false
	}
	for id, kind := range map[uint64]uint16{2: freelistPage, 3: leafPage} {
		page, err := im.read(metas[0], id, 0)
		if err != nil || native.Uint16(page[8:]) != kind || native.Uint16(page[10:]) != 0 {
			return false
		}
	}
	return true
}

// What a segment begins with is written in parts: bbolt holds all of a transaction in memory, twice, until the commit, and
// a hundred thousand SAs have some 80 MB of it.
const (
	partSnapshot = 512 * maxChunk // octets
	partVault    = 8192           // entries
)

// fill writes what a segment begins with. Its file has no name yet, so all of it together is durable or nothing.
func fill(db *bbolt.DB, begin beginRow, head *headRow, snapshot []byte, vault []VaultChange) error {
	err := db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return tx.Bucket(segmentBucket).Put(beginKey, begin.encode())
	})
	for i := 0; err == nil && i < len(snapshot); i += partSnapshot {
		part := snapshot[i:min(i+partSnapshot, len(snapshot))]
		err = db.Update(func(tx *bbolt.Tx) error { return putSnapshot(tx, i/maxChunk, part) })
	}
	for i := 0; err == nil && i < len(vault); i += partVault {
		part := vault[i:min(i+partVault, len(vault))]
		err = db.Update(func(tx *bbolt.Tx) error { return putVault(tx, &head.vault, part) })
	}
	if err == nil {
		err = db.Update(func(tx *bbolt.Tx) error { return putHead(tx, head) })
	}
	return err
}

// putSnapshot puts a part of the snapshot, whose first chunk is number first.
func putSnapshot(tx *bbolt.Tx, first int, part []byte) error {
	chunks := tx.Bucket(snapshotBucket)
	chunks.FillPercent = 1
	for chunk := range slices.Chunk(part, maxChunk) {
		if err := chunks.Put(chunkKey(first), chunk); err != nil {
			return err
		}
		first++
	}
	return nil
}

const (
	aheadStep  = 1 << 20              // zeros written between two syncs
	aheadPause = 5 * time.Millisecond // and the rest after them, so that commits find the disk free
	aheadRoom  = 4                    // segments that must fit beside it: commits come first
)

// prewrite makes the spare in the background, unless it is there. A sync of a file whose blocks are all written has
// no metadata to carry, which is worth a third of a commit. If it fails, the next segment does without.
func (j *Journal) prewrite() {
	path := filepath.Join(j.dir, spareName)
	if _, err := os.Stat(path); j.o.NoPrewrite || err == nil || !j.aheadRuns.CompareAndSwap(false, true) {
		return
	}
	var ctx context.Context
	ctx, j.stopAhead = context.WithCancel(context.Background())
	j.ahead.Go(func() {
		defer j.aheadRuns.Store(false)
		if err := j.writeSpare(ctx, path+unfinished); err != nil {
			_ = os.Remove(path + unfinished)
			return
		}
		_ = os.Rename(path+unfinished, path)
	})
}

func (j *Journal) writeSpare(ctx context.Context, path string) error {
	size := j.o.SegmentBytes
	var fs unix.Statfs_t
	if err := unix.Statfs(j.dir, &fs); err != nil || int64(fs.Bavail)*fs.Bsize < aheadRoom*size {
		return errors.Join(err, unix.ENOSPC)
	}
	db, err := openDB(path, size) // which writes the first pages of an empty file
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	zeros := make([]byte, aheadStep)
	at, err := f.Seek(0, io.SeekEnd)
	for err == nil && at < size {
		var n int
		if n, err = f.WriteAt(zeros[:min(aheadStep, size-at)], at); err == nil {
			err = f.Sync()
		}
		at += int64(n)
		select {
		case <-ctx.Done():
			err = fmt.Errorf("journal: %w", ctx.Err())
		case <-time.After(aheadPause):
		}
	}
	return errors.Join(err, f.Close())
}
