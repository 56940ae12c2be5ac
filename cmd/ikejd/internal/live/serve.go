package live

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/journal"
)

// The names of the commands, of the one event, and of their keys.
const (
	cmdStatus   = "journal-status"
	cmdRead     = "journal-read"
	cmdSnapshot = "journal-snapshot"
	eventData   = "journal-data"

	keyWhere  = "where"
	keyPID    = "pid"
	keyFirst  = "first"
	keyStep   = "step"
	keyTime   = "time"
	keyHead   = "head"
	keyFrom   = "from"
	keyUntil  = "until"
	keyFollow = "follow"
	keyBefore = "before"
	keyOctets = "octets"
	keyData   = "data"
)

// chunk is how many octets one event carries; a value of the protocol may have 65,535.
const chunk = 32 << 10

// Handle has s answer for the journal j in dir. What it sends is what the journal holds, which has no secrets in it.
func Handle(s *vici.Server, j *journal.Journal, dir string) {
	h := &handler{j, dir}
	s.Handle(cmdStatus, h.status)
	s.Handle(cmdRead, h.read)
	s.Handle(cmdSnapshot, h.snapshot)
	s.Event(eventData)
}

type handler struct {
	journal *journal.Journal
	dir     string
}

func (h *handler) status(context.Context, *vici.Session, vici.Message) (vici.Message, error) {
	var m vici.Message
	last := h.journal.Last()
	first := uint64(0)
	for e, err := range h.journal.Read(0) {
		if err != nil {
			return m, err
		}
		first = e.Step
		break
	}
	m.Set(keyWhere, h.dir)
	m.Set(keyPID, strconv.Itoa(os.Getpid()))
	m.Set(keyFirst, strconv.FormatUint(first, 10))
	m.Set(keyStep, strconv.FormatUint(last.Step, 10))
	m.Set(keyTime, strconv.FormatInt(last.Time, 10))
	m.Set(keyHead, last.Head.String())
	return m, nil
}

// read streams entries. While it follows, what is there goes out before it waits for more.
func (h *handler) read(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	from, err1 := request.Number(keyFrom)
	until, err2 := request.Number(keyUntil)
	if err := firstOf(err1, err2); err != nil {
		return vici.Message{}, err
	}
	entries, follows := h.journal.Read(from), request.Get(keyFollow) == vici.Yes
	if follows {
		entries = h.journal.Follow(ctx, from)
	}
	out := sender{ctx: ctx, s: s}
	for e, err := range entries {
		if err == nil && until != 0 && e.Step > until {
			break
		}
		if err == nil {
			err = out.put(func(b []byte) []byte { return appendEntry(b, e) })
		}
		if err == nil && follows && e.Step >= h.journal.Last().Step {
			err = out.flush()
		}
		if err != nil {
			return vici.Message{}, err
		}
	}
	return vici.Message{}, out.flush()
}

// snapshot streams the newest snapshot of a state before a step. That of the open segment is ours alone to read; the
// closed ones lie on the disk.
func (h *handler) snapshot(ctx context.Context, s *vici.Session, request vici.Message) (vici.Message, error) {
	before, err := request.Number(keyBefore)
	if err != nil {
		return vici.Message{}, err
	}
	step, data, err := h.journal.Snapshot()
	if err == nil && (data == nil || step >= before) {
		step, data, err = h.closedSnapshot(before)
	}
	if err != nil {
		return vici.Message{}, err
	}
	var m vici.Message
	m.Set(keyStep, strconv.FormatUint(step, 10))
	m.Set(keyOctets, strconv.Itoa(len(data)))
	out := sender{ctx: ctx, s: s}
	for len(data) > 0 {
		n := min(len(data), chunk)
		if err := out.put(func(b []byte) []byte { return append(b, data[:n]...) }); err != nil {
			return vici.Message{}, err
		}
		data = data[n:]
	}
	return m, out.flush()
}

func (h *handler) closedSnapshot(before uint64) (uint64, []byte, error) {
	r, err := journal.OpenReader(h.dir)
	if err != nil {
		return 0, nil, err
	}
	defer r.Close()
	return r.SnapshotBefore(before)
}

// sender gathers octets into events.
type sender struct {
	ctx context.Context
	s   *vici.Session
	b   []byte
}

// put has add append to what is sent next.
func (o *sender) put(add func([]byte) []byte) error {
	o.b = add(o.b)
	for len(o.b) >= chunk {
		if err := o.send(chunk); err != nil {
			return err
		}
	}
	return nil
}

func (o *sender) flush() error {
	if len(o.b) == 0 {
		return nil
	}
	return o.send(len(o.b))
}

func (o *sender) send(n int) error {
	var m vici.Message
	m.Set(keyData, string(o.b[:n]))
	o.b = o.b[:copy(o.b, o.b[n:])]
	return o.s.Raise(o.ctx, eventData, m)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func link(text string) (l journal.Link, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(l) {
		return l, fmt.Errorf("%q is no link of a journal's chain", text)
	}
	return journal.Link(b), nil
}
