package live

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/ikejd/ikejd/cmd/ikejd/internal/vici"
	"github.com/ikejd/ikejd/journal"
	"github.com/ikejd/ikejd/replay"
)

// Source is the journal of a running daemon up to the moment Open asked; Follow goes on from there.
type Source struct {
	ctx    context.Context
	socket string
	dir    string
	pid    string
	first  uint64
	last   journal.Position
}

var (
	_ replay.Source   = (*Source)(nil)
	_ replay.Follower = (*Source)(nil)
)

// Open asks the daemon on the socket what its journal holds. Where none listens the error is vici.ErrNoDaemon. All that
// is read ends with ctx.
func Open(ctx context.Context, socket string) (*Source, error) {
	c, err := vici.Dial(socket)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	m, err := c.Call(ctx, cmdStatus, vici.Message{})
	if err != nil {
		return nil, err
	}
	s := &Source{ctx: ctx, socket: socket, dir: m.Get(keyWhere), pid: m.Get(keyPID)}
	var errs [4]error
	s.first, errs[0] = m.Number(keyFirst)
	s.last.Step, errs[1] = m.Number(keyStep)
	s.last.Time, errs[2] = strconv.ParseInt(m.Get(keyTime), 10, 64)
	s.last.Head, errs[3] = link(m.Get(keyHead))
	if err := firstOf(errs[:]...); err != nil {
		return nil, fmt.Errorf("%s: %w; is the daemon of the same version?", cmdStatus, err)
	}
	return s, nil
}

// Where names the daemon and its journal.
func (s *Source) Where() string {
	return fmt.Sprintf("daemon on %s, pid %s, journal in %s", s.socket, s.pid, s.dir)
}

// Live is true: somebody answered.
func (s *Source) Live() bool { return true }

// First is the first step that could be read when Open asked, 0 where there was none.
func (s *Source) First() uint64 { return s.first }

// Last is the end of the journal when Open asked.
func (s *Source) Last() journal.Position { return s.last }

// Versions is nil: a journal says in its records who wrote it.
func (s *Source) Versions() []byte { return nil }

// Close has nothing to let go of: each reading has a connection of its own.
func (s *Source) Close() error { return nil }

// Entries are the records from step from on, up to Last.
func (s *Source) Entries(from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		if s.last.Step == 0 || from > s.last.Step {
			return
		}
		if err := s.stream(s.ctx, from, false, func(e journal.Entry) bool { return yield(e, nil) }); err != nil {
			yield(journal.Entry{}, err)
		}
	}
}

// redial is how often a daemon that went away is looked for.
const redial = 250 * time.Millisecond

// Follow is Entries, and then each new record when it is durable, until ctx ends. Where the daemon ends it waits for the
// next one: a journal outlives them.
func (s *Source) Follow(ctx context.Context, from uint64) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		next, wanted := from, true
		for wanted {
			err := s.stream(ctx, next, true, func(e journal.Entry) bool {
				next = e.Step + 1
				wanted = yield(e, nil)
				return wanted
			})
			var refused *vici.Refused
			switch {
			case !wanted:
				return
			case ctx.Err() != nil:
				yield(journal.Entry{}, ctx.Err())
				return
			case errors.As(err, &refused):
				yield(journal.Entry{}, err)
				return
			}
			select {
			case <-time.After(redial):
			case <-ctx.Done():
			}
		}
	}
}

// stream gives entries to emit until there are no more, or emit wants none.
func (s *Source) stream(ctx context.Context, from uint64, follows bool, emit func(journal.Entry) bool) error {
	var m vici.Message
	m.Set(keyFrom, strconv.FormatUint(from, 10))
	if follows {
		m.Set(keyFollow, vici.Yes)
	} else {
		m.Set(keyUntil, strconv.FormatUint(s.last.Step, 10))
	}
	return s.octets(ctx, cmdRead, m, func(r io.Reader, _ func() vici.Message) error {
		buffered := bufio.NewReaderSize(r, chunk)
		for {
			e, err := readEntry(buffered)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil || !emit(e) {
				return err
			}
		}
	})
}

// SnapshotBefore is the newest snapshot of a state before step, and the step after which it was taken; nil: none.
func (s *Source) SnapshotBefore(step uint64) (at uint64, data []byte, err error) {
	var m vici.Message
	m.Set(keyBefore, strconv.FormatUint(step, 10))
	err = s.octets(s.ctx, cmdSnapshot, m, func(r io.Reader, response func() vici.Message) error {
		if data, err = io.ReadAll(r); err != nil {
			return err
		}
		answer := response()
		octets, err1 := answer.Number(keyOctets)
		var err2 error
		at, err2 = answer.Number(keyStep)
		if err := firstOf(err1, err2); err != nil {
			return err
		}
		if uint64(len(data)) != octets {
			return fmt.Errorf("%s: %d octets of %d came; ask again", cmdSnapshot, len(data), octets)
		}
		return nil
	})
	if err != nil || len(data) == 0 {
		return 0, nil, err
	}
	return at, data, nil
}

// octets runs a command and has read take its stream. read may stop before the end; response is the command's, good once
// the stream has ended.
func (s *Source) octets(ctx context.Context, cmd string, m vici.Message, read func(io.Reader, func() vici.Message) error) error {
	c, err := vici.Dial(s.socket)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	var response vici.Message
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var err error
		response, err = c.CallStream(ctx, cmd, eventData, m, func(m vici.Message) {
			if _, err := io.WriteString(w, m.Get(keyData)); err != nil {
				cancel() // read wants no more
			}
		})
		w.CloseWithError(err) // nil: the end of the stream
	}()
	err = read(r, func() vici.Message { return response })
	cancel()
	r.Close()
	<-ended
	return err
}
