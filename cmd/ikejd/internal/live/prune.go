package live

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/journal"
)

const (
	cmdPrune = "journal-prune"

	keyKeep   = "keep"
	keyDryRun = "dry-run"
	keyLast   = "last"
)

// HandlePrune has s remove old segments by prune, which is given how long to keep them and whether only to say which.
func HandlePrune(s *vici.Server, prune func(keep time.Duration, dryRun bool) ([]journal.SegmentInfo, error)) {
	s.Handle(cmdPrune, func(_ context.Context, _ *vici.Session, request vici.Message) (vici.Message, error) {
		var m vici.Message
		keep, err := request.Number(keyKeep)
		if err == nil && (keep == 0 || keep > 1<<62) {
			err = fmt.Errorf("%s is missing: how many nanoseconds segments are kept", keyKeep)
		}
		if err != nil {
			return m, err
		}
		gone, err := prune(time.Duration(keep), request.Get(keyDryRun) == vici.Yes)
		if err != nil {
			return m, err
		}
		for _, segment := range gone {
			described := m.Section(segment.Name)
			described.Set(keyFirst, strconv.FormatUint(segment.First, 10))
			described.Set(keyLast, strconv.FormatUint(segment.Last, 10))
			described.Set(keyTime, strconv.FormatInt(segment.End, 10))
			described.Set(keyOctets, strconv.FormatInt(segment.Bytes, 10))
		}
		return m, nil
	})
}

// Prune has the daemon on the socket remove segments whose last record is older than keep; dryRun only asks which those
// are. Of each it is told the name, the steps, the time of the last one, and the size.
func Prune(ctx context.Context, socket string, keep time.Duration, dryRun bool) (gone []journal.SegmentInfo, err error) {
	c, err := vici.Dial(socket)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var request vici.Message
	request.Set(keyKeep, strconv.FormatInt(int64(keep), 10))
	if dryRun {
		request.Set(keyDryRun, vici.Yes)
	}
	m, err := c.Call(ctx, cmdPrune, request)
	if err != nil {
		return nil, err
	}
	for name, described := range m.Sections() {
		segment := journal.SegmentInfo{Name: name, Closed: true}
		var errs [4]error
		segment.First, errs[0] = described.Number(keyFirst)
		segment.Last, errs[1] = described.Number(keyLast)
		segment.End, errs[2] = strconv.ParseInt(described.Get(keyTime), 10, 64)
		segment.Bytes, errs[3] = strconv.ParseInt(described.Get(keyOctets), 10, 64)
		if err := firstOf(errs[:]...); err != nil {
			return nil, fmt.Errorf("%s: %w; is the daemon of the same version?", cmdPrune, err)
		}
		gone = append(gone, segment)
	}
	return gone, nil
}
