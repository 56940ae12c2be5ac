package journal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// view runs f in a read transaction of the open segment.
func (j *Journal) view(f func(tx *bbolt.Tx) error) (err error) {
	j.state.RLock()
	defer j.state.RUnlock()
	if j.db == nil {
		return errClosed
	}
	defer guard(segmentName(j.begin.first), &err)
	defer faultsPanic()()
	return j.db.View(f)
}

// Snapshot is the snapshot the open segment begins with, and the step after which it was taken: the records from
// step+1 on are to be applied to it. A journal that was never rolled has none: 0 and nil.
func (j *Journal) Snapshot() (step uint64, data []byte, err error) {
	var begin beginRow
	err = j.view(func(tx *bbolt.Tx) error {
		begin = j.begin
		data = make([]byte, 0, begin.snapshotBytes)
		return tx.Bucket(snapshotBucket).ForEach(func(_, v []byte) error {
			data = append(data, v...)
			return nil
		})
	})
	switch {
	case err != nil:
		return 0, nil, err
	case begin.snapshotBytes == 0:
		return 0, nil, nil
	case sha256.Sum256(data) != begin.snapshotSum:
		return 0, nil, &Damage{Segment: segmentName(begin.first), What: "has a snapshot that does not match its checksum"}
	}
	return begin.first - 1, data, nil
}

// Vault gives the living entries by reference, as they were sealed.
func (j *Journal) Vault() (map[uint64][]byte, error) {
	j.write.Lock() // so that nothing is seen that is not durable yet
	defer j.write.Unlock()
	entries := map[uint64][]byte{}
	err := j.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(vaultBucket).ForEach(func(k, v []byte) error {
			ref, sealed, err := parseVault(k, v)
			if err != nil {
				return &Damage{Segment: segmentName(j.begin.first), What: err.Error()}
			}
			entries[ref] = bytes.Clone(sealed)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// SegmentInfo describes one segment. Last is First-1 while it has no record; times are UTC nanoseconds.
type SegmentInfo struct {
	Name             string // of the file, without its folder
	First, Last      uint64
	Begin, End       int64 // time of the last record before it, 0 if there is none; of its own last record
	Bytes            int64
	Closed           bool
	SnapshotBytes    int64 // 0: it has none
	HeadBefore, Head Link
}

// Segments describes all segments, ascending; the last one is the open one.
func (j *Journal) Segments() ([]SegmentInfo, error) {
	j.write.Lock()
	past := j.past
	open := contents{begin: j.begin, head: j.head}.info(j.size, false)
	j.write.Unlock()
	var infos []SegmentInfo
	for _, first := range past { // without the lock, so that no commit waits for it
		info, err := j.closedInfo(first)
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned meanwhile
		}
		if err != nil {
			return infos, err
		}
		infos = append(infos, info)
	}
	return append(infos, open), nil
}

// closedInfo remembers what it found: closed segments do not change.
func (j *Journal) closedInfo(first uint64) (SegmentInfo, error) {
	if known, ok := j.known.Load(first); ok {
		return known.(SegmentInfo), nil
	}
	info, err := closedInfo(j.dir, first)
	if err == nil {
		j.known.Store(first, info)
	}
	return info, err
}

func closedInfo(dir string, first uint64) (SegmentInfo, error) {
	im, f, err := openImage(dir, first)
	if err != nil {
		return SegmentInfo{}, err
	}
	defer f.Close()
	c, err := im.newest()
	return c.info(im.size, true), err
}

// Prune removes closed segments, oldest first, and says which; with dryRun it only says. It goes as far as a
// segment's last record is older than before and needed (nil: none is) says false of it, and stops at the first that
// has to stay, so that what is kept has no gap. The segment with the newest snapshot and what follows it, which are all
// a start needs, are never removed.
func (j *Journal) Prune(before time.Time, needed func(SegmentInfo) bool, dryRun bool) ([]SegmentInfo, error) {
	j.pruning.Lock()
	defer j.pruning.Unlock()
	infos, err := j.Segments()
	if err != nil {
		return nil, err
	}
	gone := prunable(infos, before, needed)
	if dryRun || len(gone) == 0 {
		return gone, nil
	}
	j.setPast(func(past []uint64) []uint64 { return past[len(gone):] }) // no reader may look for them any more
	for i, info := range gone {
		if err := os.Remove(filepath.Join(j.dir, info.Name)); err != nil {
			j.setPast(func(past []uint64) []uint64 { return append(firstsOf(gone[i:]), past...) })
			return gone[:i], fmt.Errorf("journal: %w; remove its cause and prune again", err)
		}
		j.known.Delete(info.First)
	}
	if err := j.o.durable(func() error { return syncDir(j.dir) }); err != nil {
		return gone, fmt.Errorf("journal: %w; prune again", err)
	}
	return gone, nil
}

// prunable are the segments before the last one with a snapshot, up to the first that is young or needed.
func prunable(infos []SegmentInfo, before time.Time, needed func(SegmentInfo) bool) (old []SegmentInfo) {
	for _, info := range infos[:newestSnapshot(infos)] {
		if !time.Unix(0, info.End).Before(before) || needed != nil && needed(info) {
			break
		}
		old = append(old, info)
	}
	return old
}

func (j *Journal) setPast(change func(past []uint64) []uint64) {
	j.write.Lock()
	defer j.write.Unlock()
	j.state.Lock()
	defer j.state.Unlock()
	j.past = change(j.past)
}

// newestSnapshot is the index of the last segment with a snapshot, 0 where none has one.
func newestSnapshot(infos []SegmentInfo) int {
	for i := len(infos) - 1; i > 0; i-- {
		if infos[i].SnapshotBytes > 0 {
			return i
		}
	}
	return 0
}

func firstsOf(infos []SegmentInfo) []uint64 {
	firsts := make([]uint64, len(infos))
	for i, info := range infos {
		firsts[i] = info.First
	}
	return firsts
}
