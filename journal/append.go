package journal

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Append makes b durable: when it returns nil, no crash and no power cut takes b away. Its first step must follow the
// last. After an error of writing or syncing nothing can be appended any more, and every later Append returns that
// error: what the disk holds is then unknown, so the caller has to stop, and the next start looks.
//
// A commit of bbolt takes two syncs, the pages before the meta page that names them. Here it takes one: the head row
// and the chain let a start see whether the last transaction is whole, and if it is not, the one before it is, since
// it was synced before this one wrote a page and this one writes over none of its pages.
func (j *Journal) Append(b *Batch) error {
	j.write.Lock()
	defer j.write.Unlock()
	if j.err != nil {
		return j.err
	}
	if len(b.Records) > 0 && b.First != j.head.last.Step+1 {
		return fmt.Errorf("journal: step %d does not follow step %d, a bug in the caller; stop and start again",
			b.First, j.head.last.Step)
	}
	for i, record := range b.Records {
		if len(record) > maxRecord {
			return fmt.Errorf("journal: the record of step %d has %d octets; keep it to %d",
				b.First+uint64(i), len(record), maxRecord)
		}
	}
	head, err := j.commit(b)
	if err != nil {
		j.err = explain(segmentName(j.begin.first), err)
		return j.err
	}
	if j.since == 0 {
		j.since = head.last.Time
	}
	j.head = head
	j.publish()
	return nil
}

func (j *Journal) commit(b *Batch) (head headRow, err error) {
	defer guard(segmentName(j.begin.first), &err)
	defer faultsPanic()()
	tx, err := j.db.Begin(true)
	if err != nil {
		return head, err
	}
	defer tx.Rollback() // nothing after a commit
	head = j.head
	if len(b.Records) > 0 {
		if head.last, err = j.putRecords(tx, b); err != nil {
			return head, err
		}
	}
	if err := putVault(tx, &head.vault, b.Vault); err != nil {
		return head, err
	}
	if err := putHead(tx, &head); err != nil {
		return head, err
	}
	j.size = tx.Size()
	if err := tx.Commit(); err != nil {
		return head, err
	}
	return head, j.o.durable(j.db.Sync)
}

func (j *Journal) putRecords(tx *bbolt.Tx, b *Batch) (Position, error) {
	log := tx.Bucket(logBucket)
	log.FillPercent = 1 // keys only ever grow
	j.arena, j.rows = appendRows(j.arena[:0], j.rows[:0], b.First, b.Records)
	link := beginLink(j.head.last.Head, b.First)
	link.frames(j.arena)
	last := Position{Step: b.First + uint64(len(b.Records)) - 1, Time: b.Time}
	last.Head = link.end(last.Step, last.Time)
	seal := Seal{First: b.First, Last: last.Step, Time: last.Time, Link: last.Head}
	j.rows = append(j.rows, row{rowKey(last.Step, sealPart), appendSeal(nil, seal)})
	for _, r := range j.rows {
		if err := log.Put(r.key, r.value); err != nil {
			return last, err
		}
	}
	return last, nil
}

// putVault makes the changes, and keeps their sum.
func putVault(tx *bbolt.Tx, sum *vaultSum, changes []VaultChange) error {
	if len(changes) == 0 {
		return nil
	}
	vault := tx.Bucket(vaultBucket)
	vault.FillPercent = 0.9 // references mostly grow
	for _, c := range changes {
		ref := vaultRef(c.Ref)
		if old := vault.Get(ref); old != nil {
			sum.change(ref, old, false)
		}
		if c.Sealed == nil {
			if err := vault.Delete(ref); err != nil {
				return err
			}
			continue
		}
		stored := vaultStored(ref, c.Sealed)
		sum.change(ref, stored, true)
		if err := vault.Put(ref, stored); err != nil {
			return err
		}
	}
	return nil
}

func putHead(tx *bbolt.Tx, head *headRow) error {
	head.txid = uint64(tx.ID())
	return tx.Bucket(segmentBucket).Put(headKey, head.encode())
}

// explain says what failed and what to do about it.
func explain(name string, err error) error {
	var damage *Damage
	switch {
	case errors.As(err, &damage):
		return err
	case is(err, unix.ENOSPC), is(err, unix.EDQUOT), is(err, unix.EFBIG):
		return fmt.Errorf("journal: %s cannot grow: %w; nothing acknowledged is lost: free space there "+
			"(a smaller journal.keep keeps less of the past), then start ikejd again", name, err)
	default:
		return fmt.Errorf("journal: %s cannot be written: %w; nothing acknowledged is lost: "+
			"look after the disk, then start ikejd again", name, err)
	}
}

// NeedsRoll says that the open segment is full, or old by the time of its records.
func (j *Journal) NeedsRoll() bool {
	j.write.Lock()
	defer j.write.Unlock()
	last := j.head.last
	return j.err == nil && last.Step >= j.begin.first &&
		(j.size >= j.limit || j.since != 0 && last.Time-j.since >= int64(j.o.SegmentAge))
}

// is sees through bbolt, which wraps some errors as text only.
func is(err error, e syscall.Errno) bool {
	return errors.Is(err, e) || strings.HasSuffix(err.Error(), e.Error())
}
